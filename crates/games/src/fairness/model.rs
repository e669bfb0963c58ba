//! What is published of odds and draws.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, OddsId, PlanId,
    paging::{Cursor, Limit},
};
use xmas_time::EventDay;

use super::changes::OddsChange;
use crate::{GameError, draw::Seed, odds::Odds};

/// A game, as far as its odds are concerned.
#[async_trait]
pub trait OddsSource: Send + Sync {
    fn feature(&self) -> Feature;

    /// The odds that a play would be drawn from now. Lets plans take over whose instant has come, and notes what has run out.
    ///
    /// # Errors
    /// [`GameError::InvalidConfig`] if nothing can be told: no configuration is switched on that can be played, and none
    /// is announced.
    async fn odds_now(&self, now: DateTime<Utc>) -> Result<OddsNow, GameError>;
}

/// A table of odds under the id by which receipts name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedOdds {
    pub odds_id: OddsId,
    pub odds: Odds,
}

/// What the odds of a game are, and what comes after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddsNow {
    /// `None` if no configuration is switched on that can be played.
    pub in_force: Option<InForceOdds>,
    /// What was announced, by when it takes over.
    pub next: Vec<PlannedOdds>,
    /// The first and the last day of the season that is running.
    pub season: Option<(EventDay, EventDay)>,
}

/// What is in force, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForceOdds {
    /// What is drawn from; if nothing is left, everything that takes part.
    pub published: PublishedOdds,
    /// Whether anything is left that can come up.
    pub is_playable: bool,
    /// Since when this table is drawn from; `None` if nothing is left.
    pub since: Option<DateTime<Utc>>,
    /// Everything that takes part, whether or not anything is left of it.
    pub table: Odds,
    pub limits: Limits,
}

/// Odds that were announced, as they are while everything is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOdds {
    pub plan_id: PlanId,
    pub effective_from: DateTime<Utc>,
    pub announced_at: DateTime<Utc>,
    pub published: PublishedOdds,
    /// As they would be if it took over now; `None` if this release cannot read it.
    pub limits: Option<Limits>,
}

/// How much there is, and how often it can be played for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What is left of the entries that are limited, by their id.
    pub stock: BTreeMap<i64, i64>,
    /// How many there have been of them in all, as far as that is known.
    pub supplied: BTreeMap<i64, i64>,
    /// How often a player may play on a day; 0 means no limit.
    pub max_daily: i64,
}

/// What has changed of a game's odds on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddsHistory {
    pub day: EventDay,
    /// What was in force when the day began; `None` if that is not known.
    pub at_start: Option<OddsChange>,
    /// Oldest first.
    pub changes: Vec<OddsChange>,
    /// The hashes of the tables that are named.
    pub hashes: HashMap<OddsId, String>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
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
