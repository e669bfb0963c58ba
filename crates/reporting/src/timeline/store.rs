use std::collections::BTreeMap;

use chrono::NaiveDate;
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Expr, JoinType, Query},
};
use xmas_kernel::{
    Asset, UserId,
    db::{DbError, Timestamp},
};
use xmas_time::{EventDay, Kst};

use super::{LevelEntry, PlayerStanding, RewardEntry};
use crate::{
    place::Part,
    store::{brought_something, newest_first, play_id, rows},
};

#[derive(FromQueryResult)]
struct PlayerRow {
    id: i64,
    external_id: String,
    nickname: Option<String>,
    status: String,
    level: i64,
    event_key_count: i64,
    event_pending_points: i64,
}

#[derive(FromQueryResult)]
struct BalanceRow {
    asset: String,
    balance: i64,
}

/// Where a player stands; `None` if there is no such player.
pub(super) async fn player(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<PlayerStanding>, DbError> {
    let mut select = Query::select();
    select
        .columns(["id", "external_id", "nickname", "status"].map(|column| ("u", column)))
        .columns(["level", "event_key_count", "event_pending_points"].map(|column| ("p", column)))
        .from_as("user", "u")
        .join_as(
            JoinType::InnerJoin,
            "user_profiles",
            "p",
            Expr::col(("p", "user_id")).equals(("u", "id")),
        )
        .and_where(Expr::col(("u", "id")).eq(user_id.0));
    let found: Vec<PlayerRow> = rows(conn, select).await?;
    let Some(row) = found.into_iter().next() else {
        return Ok(None);
    };
    Ok(Some(PlayerStanding {
        id: row.id,
        external_id: row.external_id,
        nickname: row.nickname,
        status: row.status,
        account_level: row.level,
        event_key_count: row.event_key_count,
        event_pending_points: row.event_pending_points,
        balances: balances(conn, user_id).await?,
    }))
}

async fn balances(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<BTreeMap<Asset, i64>, DbError> {
    let mut select = Query::select();
    select
        .columns(["asset", "balance"])
        .from("user_game_wallet")
        .and_where(Expr::col("user_id").eq(user_id.0));
    let mut balances = BTreeMap::from(Asset::ALL.map(|asset| (asset, 0)));
    let found: Vec<BalanceRow> = rows(conn, select).await?;
    for row in found {
        let asset: Asset = row
            .asset
            .parse()
            .map_err(|error| DbError::Corrupt(format!("a wallet of user {user_id}: {error}")))?;
        balances.insert(asset, row.balance);
    }
    Ok(balances)
}

#[derive(FromQueryResult)]
struct RewardRow {
    id: i64,
    grant_key: String,
    source: String,
    reward_type: String,
    amount: i64,
    label: Option<String>,
    state: String,
    reason: Option<String>,
    event_day: NaiveDate,
    created_at: Timestamp,
    delivered_at: Option<Timestamp>,
    reviewed_at: Option<Timestamp>,
    reviewed_by: Option<String>,
}

/// A player's grants. Of a play that brought nothing its own entry tells.
pub(super) async fn rewards(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    part: &Part,
) -> Result<Vec<RewardEntry>, DbError> {
    let columns = [
        "id",
        "grant_key",
        "source",
        "reward_type",
        "amount",
        "label",
        "state",
        "reason",
        "event_day",
        "created_at",
        "delivered_at",
        "reviewed_at",
        "reviewed_by",
    ];
    let mut select = newest_first("created_at", user_id, part);
    select
        .columns(columns)
        .from("reward_log")
        .cond_where(brought_something());
    let found: Vec<RewardRow> = rows(conn, select).await?;
    let kst = |instant: Option<Timestamp>| instant.map(|instant| Kst(instant.0));
    let entry = |row: RewardRow| RewardEntry {
        id: row.id,
        at: Kst(row.created_at.0),
        day: EventDay::from(row.event_day),
        source: row.source,
        play_id: play_id(&row.grant_key),
        grant_key: row.grant_key,
        label: row.label,
        reward_type: row.reward_type,
        reward_amount: row.amount,
        state: row.state,
        reason: row.reason,
        delivered_at: kst(row.delivered_at),
        reviewed_at: kst(row.reviewed_at),
        reviewed_by: row.reviewed_by,
    };
    Ok(found.into_iter().map(entry).collect())
}

#[derive(FromQueryResult)]
struct LevelRow {
    id: i64,
    season_id: i64,
    level: i64,
    reward_type: String,
    reward_amount: i64,
    reward_label: String,
    auto_claim: bool,
    grant_key: String,
    claimed_at: Timestamp,
}

/// The levels that a player was paid for or has claimed.
pub(super) async fn levels(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    part: &Part,
) -> Result<Vec<LevelEntry>, DbError> {
    let columns = [
        "id",
        "season_id",
        "level",
        "reward_type",
        "reward_amount",
        "reward_label",
        "auto_claim",
        "grant_key",
        "claimed_at",
    ];
    let mut select = newest_first("claimed_at", user_id, part);
    select.columns(columns).from("season_pass_reward_log");
    let found: Vec<LevelRow> = rows(conn, select).await?;
    let entry = |row: LevelRow| LevelEntry {
        id: row.id,
        at: Kst(row.claimed_at.0),
        season_id: row.season_id,
        level: row.level,
        reward_type: row.reward_type,
        reward_amount: row.reward_amount,
        label: row.reward_label,
        auto_claim: row.auto_claim,
        grant_key: row.grant_key,
    };
    Ok(found.into_iter().map(entry).collect())
}
