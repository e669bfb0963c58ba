//! The season bridge: daily missions earn keys, and a settlement in the new year pays for them
//! (docs/rules.md, "Season bridge").
//!
//! Invariants:
//! - A key is a stamp of its season and is collected once, in the transaction of the action that
//!   earned it. It adds 1 to the player's keys and its points to what is pending.
//! - A settlement pays each player once: the grant's key says whom and for which bridge, and the
//!   player's keys are taken in the same transaction.
//! - Nothing is settled before `settle_on`, and nothing is left after closing: another bridge does
//!   not open before.
//! - Of the keys that an operator gave, those and no others can be taken back, and none that was paid for.
//! - What the certificate says is read from the database, so that every run ends with the same one.
//!
//! To add a mission: a variant of [`Mission`], what fulfils it in `rules.rs`, and a migration that
//! adds it to the list of missions.
//!
//! Owns the tables `event_bridge`, `event_bridge_day`, `event_bridge_progress`, `event_bridge_gift` and
//! `event_bridge_gift_key`.

mod awarder;
mod certificate;
pub mod constraints;
mod desk;
mod entity;
mod error;
mod events;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod gifts;
mod model;
mod named;
pub mod rules;
mod service;
mod settlement;
mod store;
mod warden;

pub use awarder::KeyAwarder;
pub use certificate::{Certificate, Progress, Reason};
pub use desk::BridgeView;
pub use error::BridgeError;
pub use gifts::{
    Gift, GiftState, GiftSummary, GiftTally, KeyOrder, KeysGiven, KeysTaken, Mode, Pace,
    USUAL_CHUNK,
};
pub use model::{
    Bridge, BridgeDay, BridgeEdit, BridgeState, BridgeStatus, DayEdit, KeyCount, Mission,
    NewBridge, Run, Slot, SlotState,
};
pub use service::{BridgeService, Bridges};
pub use settlement::{Due, Settlement, SettlementOptions};
pub use warden::BridgeWarden;
