//! What players did, in rows that support can read (docs/rules.md, "Activity").
//!
//! Invariants:
//! - A row is written in the transaction of what it tells of: either both are there or neither.
//! - What a client reports by itself is kept apart from what the server saw, and earns nothing:
//!   observers never hear of it.
//! - What an observer returns is written after what it observed, and is not observed again.
//!
//! To add a kind of event: a variant of [`EventKind`] and its name; if observers should hear of
//! it, a line in `EventKind::is_observed`.
//!
//! Owns the table `user_event_log`.

pub mod constraints;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod log;
mod model;
mod service;
mod store;

pub use error::ActivityError;
pub use log::{ActivityLog, ActivityObserver, EventWriter};
pub use model::{
    ClientEvent, ClientEventKind, Event, EventKind, MetaTooLarge, RecordCommand, Recorded,
};
pub use service::{Activities, ActivityService};
pub use store::{active_players, count_logins, forget_addresses_in_tx};
