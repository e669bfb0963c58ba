//! An in-memory [`BridgeService`] for crates that build on this one.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_activity::Event;
use xmas_kernel::{Feature, SeasonId, UserId};
use xmas_time::EventDay;

use crate::{
    BridgeError, BridgeService, BridgeStatus, NewBridge,
    rules::{ALL_GAMES, Fulfilment, fulfilment, slots},
};

/// One bridge, whose keys are earned by the same rules, and paid for whenever a test says so.
pub struct FakeBridge {
    bridge: NewBridge,
    players: Mutex<HashMap<UserId, Keys>>,
}

#[derive(Default)]
struct Keys {
    /// By the names of their days.
    collected: BTreeSet<String>,
    /// How many of them are not paid for.
    unpaid: i64,
    pending_points: i64,
    /// The games of the days that take all of them.
    played: HashSet<(EventDay, Feature)>,
    is_paid: bool,
}

impl FakeBridge {
    /// Whether the bridge may be saved ([`crate::rules::check`]) is not asked.
    pub fn new(bridge: NewBridge) -> Self {
        Self {
            bridge,
            players: Mutex::default(),
        }
    }

    /// Something that a player has done, which may earn the day's key.
    pub fn observe(&self, user_id: UserId, event: &Event, now: DateTime<Utc>) {
        let today = EventDay::of(now);
        let Some(day) = self.bridge.days.iter().find(|day| day.day == today) else {
            return;
        };
        let mut players = self.players();
        let keys = players.entry(user_id).or_default();
        let is_fulfilled = match fulfilment(day.mission, event) {
            Fulfilment::Nothing => false,
            Fulfilment::Whole => true,
            Fulfilment::Part(game) => {
                keys.played.insert((today, game));
                ALL_GAMES
                    .iter()
                    .all(|game| keys.played.contains(&(today, *game)))
            }
        };
        if is_fulfilled && keys.collected.insert(day.event_type.clone()) {
            keys.unpaid += 1;
            keys.pending_points += day.points;
        }
    }

    /// Pays everybody who has enough keys.
    pub fn settle(&self) {
        let mut players = self.players();
        let due = players
            .values_mut()
            .filter(|keys| keys.unpaid >= self.bridge.keys_required);
        for keys in due {
            keys.unpaid = 0;
            keys.pending_points = 0;
            keys.is_paid = true;
        }
    }

    fn players(&self) -> MutexGuard<'_, HashMap<UserId, Keys>> {
        self.players.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BridgeService for FakeBridge {
    async fn status(
        &self,
        user_id: UserId,
        season: SeasonId,
        now: DateTime<Utc>,
    ) -> Result<Option<BridgeStatus>, BridgeError> {
        let today = EventDay::of(now);
        let bridge = &self.bridge;
        let first = bridge.days.first();
        let has_begun = first.is_some_and(|first| first.day <= today);
        if bridge.season_id != season || !has_begun {
            return Ok(None);
        }
        let mut players = self.players();
        let keys = players.entry(user_id).or_default();
        Ok(Some(BridgeStatus {
            slots: slots(&bridge.days, &keys.collected, today),
            keys_required: bridge.keys_required,
            pending_points: keys.pending_points,
            settles_on: bridge.settle_on,
            settled: today >= bridge.settle_on && keys.is_paid,
        }))
    }
}
