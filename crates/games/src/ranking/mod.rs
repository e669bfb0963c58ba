//! The ranking: two boards that operators fill and players read. Nothing is played or won here.
//!
//! - The day's board: `ranking_daily`, one row per place.
//! - The external board: `external_ranking_data`, what players did elsewhere, ordered by deposits,
//!   then plays, then who came first.
//!
//! A read is a fixed number of statements, however long the boards are. The operators' memo about a
//! player stays with the operators.

mod entity;
mod forget;
mod model;
mod service;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_players::Identity;

use crate::GameError;

pub use forget::RankingNames;
pub use model::{ExternalEntry, NewExternalEntry, NewRankingEntry, RankingEntry, RankingToday};
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
