//! The season bridge: daily missions earn keys, and a settlement in the new year pays for them
//! (domain.md, "Season bridge").
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
mod desk;
mod entity;
mod error;
mod events;
mod gifts;
mod model;
pub mod rules;
mod service;
mod settlement;
mod store;
mod warden;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    BridgeId, GiftId,
    audit::Actor,
    db::DbError,
    paging::{Cursor, Limit, Page},
};

pub use awarder::KeyAwarder;
pub use certificate::{Certificate, Reason};
pub use desk::BridgeView;
pub use error::BridgeError;
pub use gifts::{
    Gift, GiftState, GiftSummary, GiftTally, KeyOrder, KeysGiven, KeysTaken, Pace, USUAL_CHUNK,
};
pub use model::{
    Bridge, BridgeDay, BridgeEdit, BridgeState, BridgeStatus, DayEdit, KeyCount, Mission,
    NewBridge, Run, Slot, SlotState, UnknownMission,
};
pub use service::{BridgeService, Bridges};
pub use settlement::{Due, Settlement, SettlementOptions};
pub use warden::BridgeWarden;

/// The bridge for operators: from the command line, the admin API, and by itself.
#[async_trait]
pub trait SettlementService: Send + Sync {
    /// The bridge with this id, or the one that is not closed.
    async fn find(&self, bridge: Option<BridgeId>) -> Result<Bridge, BridgeError>;

    /// What the database says about a settlement: who was paid, who is not and why.
    async fn certificate(&self, bridge: BridgeId) -> Result<Certificate, BridgeError>;

    /// Pays everybody who may be paid, in chunks; any number of processes at once, and again.
    /// `progress` hears how many players this run has paid so far.
    async fn settle(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Run, BridgeError>;

    /// Pays everybody who may be paid, and then takes what is left of all others. Not before 00:10 KST of
    /// `settle_on`, when no action of the last day can still be under way.
    async fn close(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Certificate, BridgeError>;

    /// What is due now: the pre-check of the evening before, the settlement, the closing.
    async fn due(&self, now: DateTime<Utc>) -> Result<Option<Due>, BridgeError>;

    /// Notes that the pre-check was made; `false` if it had been.
    async fn note_precheck(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<bool, BridgeError>;
}

/// The bridge in the hands of an operator. What is done leaves rows in the audit log; work in many
/// transactions leaves one before it begins and one when it is done.
#[async_trait]
pub trait BridgeDesk: Send + Sync {
    /// The bridge with this id; without one the one that is not closed, or else the last one.
    async fn view(&self, bridge: Option<BridgeId>) -> Result<BridgeView, BridgeError>;

    /// Changes the bridge that is not closed, or opens one. What players have collected keeps its name
    /// and its points.
    async fn save(
        &self,
        actor: &Actor,
        edit: &BridgeEdit,
        now: DateTime<Utc>,
    ) -> Result<BridgeView, BridgeError>;

    /// [`SettlementService::settle`], and what the database says afterwards.
    async fn settle_now(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<(Run, Certificate), BridgeError>;

    /// [`SettlementService::close`].
    async fn close_now(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Certificate, BridgeError>;

    /// Gives the key of one day to one player, or to all who were active on any day of the bridge; the
    /// actor says why. With `dry_run` nothing is changed, and the answer says what would be. Sent again
    /// after it was interrupted it goes on where it stopped.
    async fn give(
        &self,
        actor: &Actor,
        order: &KeyOrder,
        dry_run: bool,
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<KeysGiven, BridgeError>;

    /// The gifts of keys, newest first.
    async fn gifts(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<GiftSummary>, DbError>;

    /// Takes the keys of a gift back from those who got them by it and have not been paid for them; the
    /// actor says why. Sent again it goes on where it stopped, and takes nothing twice.
    async fn revert_gift(
        &self,
        actor: &Actor,
        gift: GiftId,
        dry_run: bool,
        pace: Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<KeysTaken, BridgeError>;
}
