//! What is published of odds and draws.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, OddsId,
    paging::{Cursor, Limit},
};
use xmas_time::EventDay;

use crate::{
    GameError,
    draw::Seed,
    odds::{Entry, Odds},
};

/// A game, as far as its odds are concerned.
#[async_trait]
pub trait OddsSource: Send + Sync {
    fn feature(&self) -> Feature;

    /// The odds that a play would be drawn from now.
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
