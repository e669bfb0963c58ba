//! The season pass: daily stamps, XP, levels and their rewards (domain.md, "Season pass").
//!
//! Invariants:
//! - One daily stamp per player, season and event day; one payment per player, season and level.
//!   Unique keys hold both.
//! - XP never falls except by an operator's correction, of which a receipt tells. `level_high_water` is
//!   the highest level ever reached; neither a correction nor an edit of the ladder claws anything
//!   back.
//! - An `auto_claim` level that a player has reached is paid by the next operation that moves
//!   their season. A delivery that fails undoes the whole operation.
//! - A read pays nothing.
//!
//! Owns the tables `season_pass_*`.

mod correction;
mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod participant;
pub mod rules;
mod service;
mod store;
mod warden;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{SeasonId, audit::Actor, db::DbError};

pub use correction::XpCorrections;
pub use error::{SeasonDeskError, SeasonError};
pub use model::{
    ClaimCommand, EditedSeason, InternalWins, Level, LevelEdit, LevelReward, NewSeason, PlayEffect,
    Progress, SavedSeason, Season, SeasonEdit, SeasonStatus, SettleDay, StampCommand, StampResult,
};
pub use participant::{KeyStamps, SeasonMover, SeasonProgress, SeasonStamps};
pub use service::{SeasonPass, SeasonPassOptions, SeasonPassService, reveal_coupons};
pub use store::{
    days_of, has_key_stamps, key_owners, key_stamps, stamp_key_many_in_tx, unstamp_key_many_in_tx,
};
pub use warden::SeasonWarden;

/// Seasons for operators. Every edit leaves a row in the audit log and takes effect here at once, and
/// within a second everywhere.
#[async_trait]
pub trait SeasonDesk: Send + Sync {
    /// Some of all seasons, newest first, and how many there are.
    async fn list(&self, offset: u64, limit: u64) -> Result<(Vec<SavedSeason>, u64), DbError>;

    async fn find(&self, id: SeasonId) -> Result<SavedSeason, SeasonDeskError>;

    /// Saves a new season. Its ladder may follow later, unless it runs today.
    async fn create(
        &self,
        actor: &Actor,
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<SavedSeason, SeasonDeskError>;

    /// Changes a season, its ladder, or both.
    async fn update(
        &self,
        actor: &Actor,
        id: SeasonId,
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<EditedSeason, SeasonDeskError>;
}
