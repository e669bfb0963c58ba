//! Players of the event's second day.

use sea_orm::ConnectionTrait;
use xmas_kernel::db::Db;

use crate::sql::{is_sqlite, numbers};

/// When the players' clock starts: the day's key is for a throw of the dice, so that neither the roulette nor a stamp brings
/// one.
pub(super) const CLOCK: &str = "2025-12-26T09:00:00+09:00";
pub(super) const TODAY: &str = "2025-12-26";
const YESTERDAY: &str = "2025-12-25";
/// Noon of the day before, in Korea.
const EARLIER: &str = "2025-12-25 03:00:00.000000";
/// What every segment of the wheel brings.
pub(super) const POINTS: i64 = 1_000;
/// What players begin with.
pub(super) const TOKENS: i64 = 100_000_000;
pub(super) const XP: i64 = 1_600;

/// Accounts with the ids from `after + 1` on, in two groups.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    pub(super) after: u64,
    /// At the last level, with tokens and a key: nothing that they do moves a level, and so each play is a plain one.
    pub(super) players: u64,
    /// At the first level, for one stamp each, which reaches no other.
    pub(super) stampers: u64,
}

/// Makes what is played plain: every spin wins points, no win is the one that brings the season's bonus, and nothing runs
/// out.
pub(super) async fn simplify(db: &Db) -> anyhow::Result<()> {
    for sql in [
        format!(
            "UPDATE roulette_segment SET reward_type = 'POINT', reward_amount = {POINTS}, \
             reward_item = NULL"
        ),
        "UPDATE season_pass_config SET internal_win_threshold = 1000000".to_owned(),
        "UPDATE lottery_prize SET stock = 1000000000, stock_at_edit = 1000000000, \
         stock_supplied = 1000000000 WHERE stock IS NOT NULL"
            .to_owned(),
    ] {
        db.write().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Writes accounts and what they have. `password_hash` is that of all players; stampers have no password.
pub(super) async fn add(db: &Db, crowd: &Crowd, password_hash: &str) -> anyhow::Result<()> {
    let Crowd {
        after,
        players,
        stampers,
    } = *crowd;
    let (first, last_player) = (after + 1, after + players);
    let last = last_player + stampers;
    let numbers = numbers(db, last);
    let everybody = format!("BETWEEN {first} AND {last}");
    let player = format!("BETWEEN {first} AND {last_player}");
    let joined = |parts: &str| match is_sqlite(db) {
        true => parts.replace(", ", " || "),
        false => format!("CONCAT({parts})"),
    };
    let label = joined("'p', n");
    let grant_key = joined("'season:1:level:', l.level, ':user:', g.user_id");
    for sql in [
        format!(
            "INSERT INTO `user` (id, external_id, password_hash, role, status, created_at, \
             updated_at) {numbers} SELECT n, {label}, CASE WHEN n <= {last_player} THEN \
             '{password_hash}' ELSE '!' END, 'PLAYER', 'ACTIVE', '{EARLIER}', '{EARLIER}' \
             FROM numbers WHERE n {everybody}"
        ),
        format!(
            "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, \
             is_blocked, token_epoch, last_key_on, updated_at) \
             SELECT id, 11, 1, 5000, 0, 0, '{YESTERDAY}', '{EARLIER}' FROM `user` \
             WHERE id {player} UNION ALL \
             SELECT id, 2, 0, 0, 0, 0, NULL, '{EARLIER}' FROM `user` \
             WHERE id > {last_player} AND id {everybody}"
        ),
        format!(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
             SELECT id, asset, {TOKENS}, '{EARLIER}' FROM `user` CROSS JOIN \
             (SELECT 'ROULETTE_COIN' AS asset UNION ALL SELECT 'DICE_TOKEN' \
             UNION ALL SELECT 'LOTTERY_TICKET' UNION ALL SELECT 'POINT') AS assets \
             WHERE id {player}"
        ),
        format!(
            "INSERT INTO season_pass_progress (user_id, season_id, current_xp, current_level, \
             level_high_water, total_stamps, last_stamp_date, internal_wins, updated_at) \
             SELECT user_id, 1, CASE WHEN user_id <= {last_player} THEN {XP} ELSE 20 END, \
             level - 1, level - 1, 1, '{YESTERDAY}', 0, '{EARLIER}' FROM user_profiles \
             WHERE user_id {everybody}"
        ),
        format!(
            "INSERT INTO season_pass_stamp_log (user_id, season_id, period_key, event_type, \
             source_feature_type, xp_earned, event_day, created_at) \
             SELECT id, 1, '{YESTERDAY}', NULL, 'SEASON_PASS', 20, '{YESTERDAY}', '{EARLIER}' \
             FROM `user` WHERE id {everybody} UNION ALL \
             SELECT id, 1, 'KEY_DAY_1_ROULETTE', 'KEY_DAY_1_ROULETTE', 'ROULETTE', 0, \
             '{YESTERDAY}', '{EARLIER}' FROM `user` WHERE id {player}"
        ),
        // Levels that pay by themselves have paid.
        format!(
            "INSERT INTO season_pass_reward_log (user_id, season_id, level, reward_type, \
             reward_amount, reward_label, auto_claim, grant_key, claimed_at) \
             SELECT g.user_id, l.season_id, l.level, l.reward_type, l.reward_amount, \
             l.reward_label, l.auto_claim, {grant_key}, '{EARLIER}' \
             FROM season_pass_progress g JOIN season_pass_level l ON l.season_id = g.season_id \
             WHERE l.level <= g.level_high_water AND l.auto_claim = 1 AND g.user_id {everybody}"
        ),
    ] {
        db.write().execute_unprepared(&sql).await?;
    }
    Ok(())
}
