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

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{Feature, Problem, SeasonId, audit::Actor, db::DbError, idempotency::Replayable};
use xmas_players::{Identity, LockedPlayer};
use xmas_time::EventDay;

pub use correction::XpCorrections;
pub use error::{SeasonDeskError, SeasonError};
pub use model::{
    ClaimCommand, EditedSeason, InternalWins, Level, LevelEdit, LevelReward, NewSeason, PlayEffect,
    Progress, SavedSeason, Season, SeasonEdit, SeasonStatus, SettleDay, StampCommand, StampResult,
};
pub use participant::{SeasonMover, SeasonStamps};
pub use service::{SeasonPass, SeasonPassOptions, reveal_coupons};
pub use store::{
    days_of, has_key_stamps, key_owners, key_stamps, stamp_key_many_in_tx, unstamp_key_many_in_tx,
};

/// The season pass for handlers: each call is one transaction, or a read.
#[async_trait]
pub trait SeasonPassService: Send + Sync {
    /// Where the player stands; during the grace days, in the season that has ended.
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<SeasonStatus, SeasonError>;

    /// Collects the day's stamp, its XP, and the rewards of every level it reaches.
    async fn stamp(
        &self,
        command: &StampCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<StampResult>, SeasonError>;

    /// Collects the reward of one level that does not pay by itself.
    async fn claim(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError>;

    /// How far the player is from the once-a-season bonus stamp.
    async fn internal_wins(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<InternalWins, SeasonError>;

    /// The last day on which a season's status and claims are served, grace days included; `None`
    /// if there is no such season, or if it is not active.
    async fn served_until(&self, season: SeasonId) -> Result<Option<EventDay>, SeasonError>;

    /// The season in which something that happens on `today` counts; `None` between seasons. The
    /// season pass's own switch closes its pages; plays of other features go on counting, so that
    /// nobody loses XP.
    async fn running(&self, today: EventDay) -> Result<Option<Arc<Season>>, SeasonError>;

    /// The season that is served on `today`, grace days included, whether or not its pages are switched
    /// on: for operators. `None` if there is none, or not exactly one that works.
    async fn served(&self, today: EventDay) -> Result<Option<Arc<Season>>, DbError>;
}

/// The season's side of a play.
#[async_trait]
pub trait SeasonProgress: Send + Sync {
    /// Moves the player's season after a play: XP, a win, and the day's stamp if the play brings
    /// it along. Returns the stamp, if one was collected.
    async fn after_play_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        play: &PlayEffect,
        now: DateTime<Utc>,
    ) -> Result<Option<StampResult>, DbError>;
}

/// Bridge keys, which are stamps of their season without XP.
#[async_trait]
pub trait KeyStamps: Send + Sync {
    /// Writes a key; `false` if the player has it. `key` has at most 32 characters.
    async fn stamp_key_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: SeasonId,
        key: &str,
        source: Feature,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError>;
}

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

/// Somebody whose own things depend on a season, and who has a say in the edits of it. It locks what it
/// looks at, after `Area::Seasons`, so that this stays as it is until the edit is committed.
#[async_trait]
pub trait SeasonWarden: Send + Sync {
    /// What stands in the way of a season's becoming this.
    async fn object_in_tx(
        &self,
        tx: &DatabaseTransaction,
        season: SeasonId,
        after: &NewSeason,
    ) -> Result<Vec<Problem>, DbError>;

    /// Looks whether the settlement is due while the season as it is now still runs; if `edit` asks for
    /// it, moves the day and leaves a row in the audit log. Refused once the settlement has begun.
    async fn follow_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        season: (SeasonId, &NewSeason),
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<Option<SettleDay>, SeasonDeskError>;

    /// Drops this process's copies of what it has moved, after the commit.
    fn drop_copies(&self);
}
