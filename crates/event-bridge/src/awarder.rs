//! Who does the mission of the day is awarded its key, in the same transaction.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_activity::{ActivityObserver, Event, EventKind};
use xmas_cache::Snapshot;
use xmas_kernel::{
    Feature,
    db::{Db, DbError, EventSeen},
};
use xmas_players::{LockedPlayer, add_key_in_tx, note_key_in_tx};
use xmas_season_pass::KeyStamps;
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeDay, BridgeState,
    events::key_meta,
    gifts::earned::note_earned_in_tx,
    rules::{ALL_GAMES, Fulfilment, fulfilment},
    store,
};

/// Turns what players do into keys, inside the transaction in which they do it, and on its
/// connection.
#[derive(Clone)]
pub struct KeyAwarder {
    db: Db,
    stamps: Arc<dyn KeyStamps>,
    pub(crate) bridges: Arc<Snapshot<EventSeen, Arc<[Bridge]>>>,
}

/// A key that a player earns.
struct Key<'a> {
    bridge: &'a Bridge,
    day: &'a BridgeDay,
    /// The feature that it is earned in.
    source: Feature,
}

impl KeyAwarder {
    pub fn new(db: Db, stamps: Arc<dyn KeyStamps>) -> Self {
        Self {
            db,
            stamps,
            bridges: Arc::new(Snapshot::new()),
        }
    }

    /// Gives a key, once, and returns what the log says of it. Whoever was given it by hand has earned it from now on, so that it is not taken back.
    async fn award_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        key: &Key<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        let (bridge, day) = (key.bridge, key.day);
        let season = bridge.rules.season_id;
        let is_first = self
            .stamps
            .stamp_key_in_tx(tx, player, season, &day.event_type, key.source, now)
            .await?;
        if !is_first {
            note_earned_in_tx(tx, player, (bridge, day)).await?;
            note_key_in_tx(tx, player, EventDay::of(now)).await?;
            return Ok(Vec::new());
        }
        let today = Some(EventDay::of(now)).filter(|today| *today == day.day);
        add_key_in_tx(tx, player, day.points, today, now).await?;
        let event = Event {
            kind: EventKind::BridgeKey,
            feature: None,
            meta: key_meta(bridge.id, day),
        };
        Ok(vec![event])
    }

    pub(crate) async fn bridges<C: ConnectionTrait>(
        &self,
        conn: &C,
    ) -> Result<Arc<[Bridge]>, DbError> {
        let load = || async { Ok(store::bridges(conn).await?.into()) };
        let load = self.db.load_of_event(conn, load);
        self.bridges.get_or_load(self.db.event(), load).await
    }

    /// Whether the games that the player has played today, with this one, are all of them.
    async fn has_played_all_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        (bridge, day): (&Bridge, &BridgeDay),
        game: Feature,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let user_id = player.user_id();
        let parts = store::parts(tx, user_id, bridge.id, day.number).await?;
        let is_done = |other: &Feature| parts.iter().any(|part| part == other.as_str());
        let missing = ALL_GAMES.iter().filter(|other| !is_done(other));
        let missing: Vec<Feature> = missing.copied().collect();
        match missing[..] {
            // The last one needs no row: its key says that it is done.
            [] => Ok(true),
            [last] if last == game => Ok(true),
            _ if !missing.contains(&game) => Ok(false),
            _ => {
                let day = (bridge.id, day.number);
                let number = i64::try_from(parts.len()).unwrap_or(i64::MAX);
                store::insert_part(tx, user_id, day, (game, number + 1), now).await?;
                Ok(false)
            }
        }
    }
}

#[async_trait]
impl ActivityObserver for KeyAwarder {
    async fn observe_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        let today = EventDay::of(now);
        // Known from the lock, whichever replica gave it.
        if player.last_key_on() == Some(today) {
            return Ok(Vec::new());
        }
        let bridges = self.bridges(tx).await?;
        // Also while it is settled: an action of the last day may come to its end after a settlement
        // has begun, and the next run pays for its key.
        let open = bridges
            .iter()
            .find(|bridge| bridge.state != BridgeState::Closed);
        let Some(bridge) = open else {
            return Ok(Vec::new());
        };
        let Some(day) = bridge.rules.days.iter().find(|day| day.day == today) else {
            return Ok(Vec::new());
        };
        let is_fulfilled = match fulfilment(day.mission, event) {
            Fulfilment::Nothing => false,
            Fulfilment::Whole => true,
            Fulfilment::Part(game) => {
                self.has_played_all_in_tx(tx, player, (bridge, day), game, now)
                    .await?
            }
        };
        if !is_fulfilled {
            return Ok(Vec::new());
        }
        let key = Key {
            bridge,
            day,
            source: event.feature.unwrap_or(Feature::SeasonPass),
        };
        self.award_in_tx(tx, player, &key, now).await
    }
}
