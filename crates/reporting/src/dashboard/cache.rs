//! The numbers that are kept in memory: whole reports for some seconds, and what happened in slots that are
//! over, for good.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use xmas_kernel::db::{Db, DbError};

use super::{
    model::{Counts, RangeHours},
    slots::{self, first_open, pieces, start_of},
    store,
};

/// How long a report is shown again by this process, and how long it is found there by others: together
/// ten seconds.
pub(super) const LIFETIME: Duration = Duration::from_secs(5);
/// How many slots are read at once: an hour, so that few rows are in memory, and nobody waits long.
const AT_ONCE: i64 = 6;
/// How many slots a report can ask for: the longest range and the one before it.
const KEPT: i64 = 2 * RangeHours::MAX as i64 * 3_600 / slots::SECONDS + 1;

/// What happened in slots that are over. They do not change any more, so each is read once.
#[derive(Debug, Default)]
pub(super) struct SlotCache {
    over: Mutex<BTreeMap<i64, Counts>>,
}

impl SlotCache {
    /// What happened in a stretch of time that ends at `now` or before.
    pub(super) async fn counts(
        &self,
        db: &Db,
        stretch: Range<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Counts, DbError> {
        let pieces = pieces(&stretch, now);
        let mut counts = Counts::default();
        for piece in [&pieces.before, &pieces.after] {
            if piece.start < piece.end {
                for (_, part) in store::counts(db.read(), piece).await? {
                    counts.add(&part);
                }
            }
        }
        self.read(db, pieces.slots.clone()).await?;
        for part in self
            .over
            .lock()
            .await
            .range(pieces.slots)
            .map(|(_, part)| part)
        {
            counts.add(part);
        }
        Ok(counts)
    }

    /// Reads all slots that a report may ask for, and forgets those that none asks for any more.
    pub(super) async fn keep(&self, db: &Db, now: DateTime<Utc>) -> Result<(), DbError> {
        let open = first_open(now);
        let oldest = open.saturating_sub(KEPT);
        self.read(db, oldest..open).await?;
        self.over.lock().await.retain(|slot, _| *slot >= oldest);
        Ok(())
    }

    /// Reads those of the slots that have not been read, the newest first and some at once: whoever
    /// waits for the lock goes on with what the other has left.
    async fn read(&self, db: &Db, slots: Range<i64>) -> Result<(), DbError> {
        let mut end = slots.end;
        while end > slots.start {
            let mut over = self.over.lock().await;
            while end > slots.start && over.contains_key(&(end - 1)) {
                end -= 1;
            }
            let oldest = slots.start.max(end - AT_ONCE);
            let missing = (oldest..end).rev();
            let missing = missing.take_while(|slot| !over.contains_key(slot));
            let Some(start) = missing.last() else {
                break;
            };
            let mut found = store::counts(db.read(), &(start_of(start)..start_of(end))).await?;
            for slot in start..end {
                over.insert(slot, found.remove(&slot).unwrap_or_default());
            }
            end = start;
        }
        Ok(())
    }
}
