//! What is published so that anybody can check the odds and every draw (domain.md, "Fair and
//! disclosed odds").

mod book;
mod desk;
mod entity;
pub mod receipt;
pub mod report;
mod store;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, OddsId, PlayId,
    paging::{Cursor, Limit, Page},
};
use xmas_players::Identity;
use xmas_time::EventDay;

pub use book::{DAYS_AHEAD, DrawBook, SealedSeeds, reveals_at};
pub use desk::Fairness;
pub use receipt::{DrawReceipt, Published};
pub use report::OddsReport;
pub(crate) use store::odds_of_config;
pub use store::{ODDS_CONTENT, SEED_OF_DAY};

use crate::{
    FairnessError, GameError,
    draw::Seed,
    odds::{Entry, Odds},
};

/// A game, as far as its odds are concerned.
#[async_trait]
pub trait OddsSource: Send + Sync {
    fn feature(&self) -> Feature;

    /// The table that a play would be drawn from now.
    async fn odds_now(&self, now: DateTime<Utc>) -> Result<PublishedOdds, GameError>;
}

/// A table of odds under the id by which receipts name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedOdds {
    pub odds_id: OddsId,
    pub odds: Odds,
    /// What is left now of the entries that are limited, by their id; `None` for a table that is
    /// looked up by its id, whether or not it is in force.
    pub stock: Option<BTreeMap<i64, i64>>,
    /// Entries that would be in the table if anything were left of them.
    pub sold_out: Vec<Entry>,
}

/// What is known of a day's seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFairness {
    pub day: EventDay,
    /// The seed's SHA-256.
    pub commitment: String,
    /// Since when the commitment has been public.
    pub committed_at: DateTime<Utc>,
    pub reveals_at: DateTime<Utc>,
    /// `None` before it is revealed.
    pub seed: Option<Seed>,
}

/// Which tables a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    /// Only this one.
    pub only: Option<OddsId>,
    /// The last one that the reader has seen.
    pub before: Option<Cursor>,
    pub limit: Limit,
}

/// Odds and draws for handlers and operators.
#[async_trait]
pub trait FairnessService: Send + Sync {
    /// The odds of a game now.
    async fn odds(
        &self,
        feature: Feature,
        now: DateTime<Utc>,
    ) -> Result<PublishedOdds, FairnessError>;

    /// A table that was once in force, by its id.
    async fn past_odds(
        &self,
        feature: Feature,
        odds_id: OddsId,
    ) -> Result<PublishedOdds, FairnessError>;

    /// A day's commitment and, once the day is over, its seed.
    async fn day(&self, day: EventDay, now: DateTime<Utc>) -> Result<DayFairness, FairnessError>;

    /// Everything that is needed to check one play of one's own, once its day's seed is revealed.
    async fn receipt(
        &self,
        identity: &Identity,
        play: PlayId,
        now: DateTime<Utc>,
    ) -> Result<DrawReceipt, FairnessError>;

    /// Declared against observed frequencies of a game's tables, newest table first. A page is a fixed
    /// number of statements.
    async fn report(
        &self,
        feature: Feature,
        query: ReportQuery,
        now: DateTime<Utc>,
    ) -> Result<Page<OddsReport>, FairnessError>;
}
