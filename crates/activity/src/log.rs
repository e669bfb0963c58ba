use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{UserId, db::DbError};
use xmas_players::{Forgetful, GivenUp, Leaving, LockedPlayer};

use crate::{Event, EventKind, store};

/// Writes rows and tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventWriter;

impl EventWriter {
    /// Writes all events in one statement, or a few if they are many.
    pub async fn write_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        events: &[Event],
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let events = events.iter().map(|event| (player, event, now));
        self.write_all_in_tx(tx, events).await
    }

    /// The same, of what several players did, each of whom the caller has locked.
    pub async fn write_all_in_tx(
        &self,
        tx: &DatabaseTransaction,
        events: impl Iterator<Item = (&LockedPlayer, &Event, DateTime<Utc>)>,
    ) -> Result<(), DbError> {
        let rows = events.map(|(player, event, at)| store::Row {
            user_id: player.user_id(),
            at,
            feature: event.feature,
            event_type: event.kind.as_str(),
            once_key: None,
            meta: &event.meta,
        });
        store::insert(tx, rows).await
    }

    /// Writes one event for each of many players, whom the caller has locked.
    pub async fn write_many_in_tx(
        &self,
        tx: &DatabaseTransaction,
        kind: EventKind,
        players: Vec<(UserId, Value)>,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::insert_many(tx, kind, players, now).await
    }
}

/// Of what players did everything stays but where they logged in from, and what their clients said about it.
#[async_trait]
impl Forgetful for EventWriter {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        leaving: &Leaving<'_>,
        _: DateTime<Utc>,
    ) -> Result<GivenUp, DbError> {
        store::forget(tx, leaving.player.user_id()).await?;
        Ok(GivenUp::default())
    }
}

/// Someone who acts on what players do, inside the transaction in which they do it.
#[async_trait]
pub trait ActivityObserver: Send + Sync {
    /// Returns what became of it, for the log; nobody observes that. An error undoes the whole use case, which has
    /// read the player's wallets and season by then and writes them after this: an observer leaves them alone.
    async fn observe_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError>;
}

/// Writes rows, and tells the observers of those that concern them.
#[derive(Clone, Default)]
pub struct ActivityLog {
    observers: Vec<Arc<dyn ActivityObserver>>,
}

impl ActivityLog {
    pub fn with_observers(observers: Vec<Arc<dyn ActivityObserver>>) -> Self {
        Self { observers }
    }

    /// Lets the observers act on an event, and writes it and what they made of it in one statement.
    pub async fn record_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        event: Event,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let mut events = self.tell_in_tx(tx, player, &event, now).await?;
        events.insert(0, event);
        EventWriter.write_in_tx(tx, player, &events, now).await
    }

    /// Lets the observers act on an event that the caller writes, and returns what the caller writes after it.
    pub async fn tell_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        let mut more = Vec::new();
        if event.is_observed() {
            for observer in &self.observers {
                more.extend(observer.observe_in_tx(tx, player, event, now).await?);
            }
        }
        Ok(more)
    }
}
