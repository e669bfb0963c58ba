//! Keys that an operator gives.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xmas_activity::active_players;
use xmas_kernel::{
    Feature, Problem, Problems, UserId,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    text::{self, Lines},
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
/// How long the reason of a gift may be.
pub const REASON_CHARACTERS: RangeInclusive<usize> = 1..=191;

/// Refuses a gift that cannot be made: the bridge and the day are those that it can be made on.
pub(crate) async fn check(
    settlement: &Settlement,
    gift: &KeyGift,
) -> Result<(Bridge, BridgeDay), BridgeError> {
    let bridge = settlement.known(gift.bridge).await?;
    if bridge.state == BridgeState::Closed {
        return Err(BridgeError::Closed);
    }
    let mut problems = Problems::default();
    let fit = text::check(&text::tidy(&gift.reason), REASON_CHARACTERS, Lines::Several);
    problems.expect_fit(fit, "reason");
    if !problems.is_empty() {
        return Err(BridgeError::Invalid(problems.into_vec()));
    }
    let mut days = bridge.rules.days.iter();
    let day = days.find(|day| day.number == gift.day_number);
    let Some(day) = day else {
        let problem = "is a day of the bridge".to_owned();
        return Err(BridgeError::Invalid(vec![Problem::new("day", problem)]));
    };
    if let Some(player) = gift.player {
        let db = settlement.on.db.read();
        let before = UserId(player.0.saturating_sub(1));
        if next_players(db, before, 1).await?.first() != Some(&player) {
            return Err(BridgeError::UnknownPlayer);
        }
    }
    let day = day.clone();
    Ok((bridge, day))
}

/// [`crate::SettlementService::give_key`]. With an actor, the gift to one player is told to the audit
/// log in its own transaction.
pub(crate) async fn give(
    settlement: &Settlement,
    gift: &KeyGift,
    dry_run: bool,
    actor: Option<&Actor>,
    now: DateTime<Utc>,
) -> Result<KeyGiven, BridgeError> {
    let (bridge, day) = check(settlement, gift).await?;
    let day = &day;
    let actor = actor.filter(|_| gift.player.is_some());
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
                retry(|| give_once(settlement, (&bridge, day), *player, (gift, actor), now)).await?
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
        let mut active = active_players(db, (after, until), week).await?;
        // An admin who logged in was active too, and is not a player.
        active.retain(|player| players.binary_search(player).is_ok());
        give(&active).await?;
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
    (gift, actor): (&KeyGift, Option<&Actor>),
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let tx = settlement.on.db.begin().await?;
    let Some(player) = lock_by_id_in_tx(&tx, player).await? else {
        return Ok(false);
    };
    store::lock(&tx, bridge.id).await?;
    if !store::takes_keys(&tx, bridge.id).await? {
        return Ok(false);
    }
    // The key is worth what its day says now.
    let bridges = store::bridges(&*tx).await?;
    let bridge = bridges.iter().find(|known| known.id == bridge.id);
    let days = bridge.map(|bridge| &bridge.rules.days[..]);
    let day = days.and_then(|days| days.iter().find(|known| known.number == day.number));
    let (Some(bridge), Some(day)) = (bridge, day) else {
        return Ok(false);
    };
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
        if let Some(actor) = actor {
            let change = Change {
                action: "BRIDGE_KEY",
                resource: &format!("user:{}", player.user_id()),
                before: Value::Null,
                after: json!({
                    "bridge": bridge.id, "day": day.number, "event_type": day.event_type,
                    "points": day.points, "reason": gift.reason,
                }),
            };
            audit::write_in_tx(&tx, actor, change, now).await?;
        }
        tx.commit().await?;
    }
    Ok(is_new)
}
