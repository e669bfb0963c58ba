//! The ranking: two boards that operators fill and players read. Nothing is played or won here.
//!
//! - The day's board: `ranking_daily`, one row per place.
//! - The external board: `external_ranking_data`, what players did elsewhere, ordered by deposits,
//!   then plays, then who came first.
//!
//! A read is a fixed number of statements, however long the boards are. The operators' memo about a
//! player stays with the operators.

mod desk;
mod entity;
mod forget;
mod model;
mod rules;
mod service;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{UserId, audit::Actor, db::DbError, version::Seen};
use xmas_players::{Identity, PlayerRef};
use xmas_time::EventDay;

use crate::{GameError, RankingDeskError};

pub use forget::RankingNames;
pub use model::{
    DayBoard, DayRow, DayRowEdit, ExternalBoard, ExternalEdit, ExternalEntry, ExternalRow,
    ExternalRowEdit, NewExternalEntry, NewRankingEntry, RankingEntry, RankingToday,
};
pub use rules::{MAX_ROWS, MEMO_CHARACTERS};
pub use service::Ranking;

/// The ranking for handlers.
#[async_trait]
pub trait RankingService: Send + Sync {
    /// Today's boards: the first `top` (1 to 100) places of each, and the player's own place
    /// wherever it is. The day's first look is noted as a page view.
    async fn today(
        &self,
        identity: &Identity,
        top: u64,
        now: DateTime<Utc>,
    ) -> Result<RankingToday, GameError>;
}

/// The boards for operators. Every change leaves rows in the audit log.
#[async_trait]
pub trait RankingDesk: Send + Sync {
    async fn day(&self, day: EventDay) -> Result<DayBoard, RankingDeskError>;

    /// Makes these the whole board of a day. `seen` is what the operator has seen.
    async fn replace_day(
        &self,
        actor: &Actor,
        day: EventDay,
        rows: &[DayRowEdit],
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<DayBoard, RankingDeskError>;

    async fn delete_day(
        &self,
        actor: &Actor,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<(), RankingDeskError>;

    async fn external(&self) -> Result<ExternalBoard, DbError>;

    /// The places of these players, as far as they are on the external board.
    async fn external_of(&self, players: &[PlayerRef]) -> Result<Vec<ExternalRow>, DbError>;

    /// Saves all of these or nothing; other players' rows stay. Answers what was saved, in the same
    /// order.
    async fn upsert_external(
        &self,
        actor: &Actor,
        rows: &[ExternalRowEdit],
        now: DateTime<Utc>,
    ) -> Result<Vec<ExternalRow>, RankingDeskError>;

    async fn edit_external(
        &self,
        actor: &Actor,
        user_id: UserId,
        edit: &ExternalEdit,
        now: DateTime<Utc>,
    ) -> Result<ExternalRow, RankingDeskError>;

    async fn remove_external(
        &self,
        actor: &Actor,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), RankingDeskError>;
}
