//! What players did, in rows that support can read (domain.md, "Activity").
//!
//! Invariants:
//! - A row is written in the transaction of what it tells of: either both are there or neither.
//! - What a client reports by itself is kept apart from what the server saw, and earns nothing:
//!   observers never hear of it.
//! - What an observer writes goes through [`EventWriter`] and is not observed again.
//!
//! To add a kind of event: a variant of [`EventKind`] and its name; if observers should hear of
//! it, a line in `EventKind::is_observed`.
//!
//! Owns the table `user_event_log`.

mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod log;
mod model;
mod service;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{Feature, db::DbError, idempotency::Replayable};
use xmas_players::{Identity, LockedPlayer};

pub use error::ActivityError;
pub use log::{ActivityLog, EventWriter};
pub use model::{
    ClientEvent, ClientEventKind, Event, EventKind, MetaTooLarge, RecordCommand, Recorded,
};
pub use service::Activities;
pub use store::active_players;

/// What handlers and reads need of this crate.
#[async_trait]
pub trait ActivityService: Send + Sync {
    /// Keeps an event that a client reports. The same event id counts once.
    async fn record(
        &self,
        command: &RecordCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Recorded>, ActivityError>;

    /// Notes the player's first look at a feature's page on a day. It never fails the read that
    /// calls it: a failure is logged.
    async fn enter_page(&self, identity: &Identity, feature: Feature, now: DateTime<Utc>);
}

/// Someone who acts on what players do, inside the transaction in which they do it.
#[async_trait]
pub trait ActivityObserver: Send + Sync {
    /// An error undoes the whole use case.
    async fn observe_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        event: &Event,
        now: DateTime<Utc>,
    ) -> Result<(), DbError>;
}
