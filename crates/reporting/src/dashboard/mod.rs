//! What happens in the event, in a few numbers.
//!
//! The numbers come from the logs, and nothing is written to make them cheap. Counting different
//! players of a week in SQL takes seconds, so what happened in each ten minutes that are over is kept
//! in memory: a few counters, and which players did something. A report adds those up, and reads only
//! the last minutes and what is left over at the ends of its range.

mod cache;
mod model;
mod slots;
mod store;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use xmas_cache::{Cache, Shared, Snapshot};
use xmas_kernel::db::{Db, DbError, retry};

pub use model::{Metric, Metrics, RangeHours};

use crate::store::pending_reviews;
use cache::{LIFETIME, SlotCache};

/// The event at a glance.
pub struct Dashboard {
    db: Db,
    slots: SlotCache,
    latest: Snapshot<RangeHours, Metrics>,
    latest_of_all: Shared<Metrics>,
}

impl Dashboard {
    pub fn new(db: Db, cache: Arc<dyn Cache>) -> Self {
        Self {
            db,
            slots: SlotCache::default(),
            latest: Snapshot::lasting(LIFETIME),
            latest_of_all: Shared::new(cache, "dashboard", LIFETIME),
        }
    }

    async fn metrics_once(
        &self,
        range: RangeHours,
        now: DateTime<Utc>,
    ) -> Result<Metrics, DbError> {
        // What has just happened belongs to the range.
        let end = now + TimeDelta::microseconds(1);
        let start = end - range.length();
        let before = start - range.length();
        let mut current = self.slots.counts(&self.db, start..end, now).await?;
        let mut before = self.slots.counts(&self.db, before..start, now).await?;
        // Operators log in as well.
        let admins = store::admins(self.db.read()).await?;
        current.others -= &admins;
        before.others -= &admins;
        let pending = pending_reviews(self.db.read()).await?.number;
        Ok(Metrics::of(range, now, &current, &before, pending))
    }

    /// What happened in the hours that end at `now`, or did a few seconds ago.
    pub async fn metrics(&self, range: RangeHours, now: DateTime<Utc>) -> Result<Metrics, DbError> {
        let report = retry(|| self.metrics_once(range, now));
        let report = self.latest_of_all.get_or_load(range.get(), now, report);
        self.latest.get_or_load(range, report).await
    }

    /// Reads ahead what reports will need, so that none of them has to wait for it.
    pub async fn keep_warm(&self, now: DateTime<Utc>) -> Result<(), DbError> {
        self.slots.keep(&self.db, now).await
    }
}
