//! Keys that an operator gives.

use chrono::{DateTime, Utc};
use xmas_activity::active_players;
use xmas_kernel::{
    Feature, Problem, UserId,
    db::{DbError, retry},
};
use xmas_players::{lock_by_id_in_tx, next_players};
use xmas_rewards::has_grant;
use xmas_season_pass::key_stamps;

use crate::{
    Bridge, BridgeDay, BridgeError, BridgeState, KeyGift, KeyGiven, awarder::Key, rules,
    settlement::Settlement, store,
};

/// How many players are looked at together.
const AT_ONCE: u64 = 1_000;
const REASON_CHARACTERS: usize = 191;

/// [`crate::SettlementService::give_key`].
pub(crate) async fn give(
    settlement: &Settlement,
    gift: &KeyGift,
    dry_run: bool,
    now: DateTime<Utc>,
) -> Result<KeyGiven, BridgeError> {
    let bridge = settlement.known(gift.bridge).await?;
    if bridge.state == BridgeState::Closed {
        return Err(BridgeError::Closed);
    }
    let reason = gift.reason.trim();
    if !(1..=REASON_CHARACTERS).contains(&reason.chars().count()) {
        let problem = format!("has 1 to {REASON_CHARACTERS} characters");
        return Err(BridgeError::Invalid(vec![Problem::new("reason", problem)]));
    }
    let mut days = bridge.rules.days.iter();
    let day = days.find(|day| day.number == gift.day_number);
    let Some(day) = day else {
        let problem = "is a day of the bridge".to_owned();
        return Err(BridgeError::Invalid(vec![Problem::new("day", problem)]));
    };
    let mut given = KeyGiven {
        given: 0,
        had: 0,
        points: 0,
    };
    let mut give = async |players: &[UserId]| -> Result<(), BridgeError> {
        for player in players {
            let is_new = if dry_run {
                lacks(settlement, &bridge, day, *player).await?
            } else {
                retry(|| give_once(settlement, (&bridge, day), *player, gift, now)).await?
            };
            if is_new {
                given.given += 1;
                given.points += day.points;
            } else {
                given.had += 1;
            }
        }
        Ok(())
    };
    let db = settlement.on.db.read();
    if let Some(player) = gift.player {
        if next_players(db, UserId(player.0 - 1), 1).await?.first() != Some(&player) {
            return Err(BridgeError::UnknownPlayer);
        }
        give(&[player]).await?;
        return Ok(given);
    }
    let week = match (bridge.rules.days.first(), bridge.rules.days.last()) {
        (Some(first), Some(last)) => (first.day, last.day),
        _ => return Ok(given),
    };
    let mut after = UserId(0);
    loop {
        let players = next_players(db, after, AT_ONCE).await?;
        let Some(until) = players.last().copied() else {
            return Ok(given);
        };
        give(&active_players(db, (after, until), week).await?).await?;
        after = until;
    }
}

async fn lacks(
    settlement: &Settlement,
    bridge: &Bridge,
    day: &BridgeDay,
    player: UserId,
) -> Result<bool, DbError> {
    let db = settlement.on.db.read();
    let keys = key_stamps(db, player, bridge.rules.season_id).await?;
    let is_paid = has_grant(db, &rules::grant_key(bridge.id, player)).await?;
    Ok(!keys.contains(&day.event_type) && !is_paid)
}

async fn give_once(
    settlement: &Settlement,
    (bridge, day): (&Bridge, &BridgeDay),
    player: UserId,
    gift: &KeyGift,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let tx = settlement.on.db.begin().await?;
    let Some(player) = lock_by_id_in_tx(&tx, player).await? else {
        return Ok(false);
    };
    if !store::takes_keys(&tx, bridge.id).await? {
        return Ok(false);
    }
    // Whoever has been paid would wait for a second payment in vain.
    let grant_key = rules::grant_key(bridge.id, player.user_id());
    if has_grant(&*tx, &grant_key).await? {
        return Ok(false);
    }
    let key = Key {
        bridge,
        day,
        source: Feature::SeasonPass,
        given: Some((&gift.actor, &gift.reason)),
    };
    let awarder = &settlement.on.awarder;
    let is_new = awarder.give_in_tx(&tx, &player, &key, now).await?;
    if is_new {
        tx.commit().await?;
    }
    Ok(is_new)
}
