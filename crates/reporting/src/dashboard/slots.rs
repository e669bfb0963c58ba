//! Time in slots of ten minutes, and what happened in those that are over.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Mutex;
use xmas_kernel::db::{Db, DbError};

use super::{Counts, RangeHours, store};

/// How long a slot is.
const SECONDS: i64 = 600;
/// How long after its end a slot may still be written to: a row has the instant at which its request
/// began, and becomes visible when its transaction ends.
const STILL_OPEN: TimeDelta = TimeDelta::minutes(15);
/// How many slots are read at once: an hour, so that few rows are in memory, and nobody waits long.
const AT_ONCE: i64 = 6;
/// How many slots a report can ask for: the longest range and the one before it.
const KEPT: i64 = 2 * RangeHours::MAX as i64 * 3_600 / SECONDS + 1;

/// The number of the slot in which an instant lies.
pub(super) fn slot_of(instant: DateTime<Utc>) -> i64 {
    instant.timestamp().div_euclid(SECONDS)
}

/// The first instant of a slot.
pub(super) fn start_of(slot: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(slot.saturating_mul(SECONDS), 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The first slot that starts at an instant or after it.
fn slot_from(instant: DateTime<Utc>) -> i64 {
    let slot = slot_of(instant);
    slot + i64::from(start_of(slot) < instant)
}

/// The first slot that may still be written to.
fn first_open(now: DateTime<Utc>) -> i64 {
    slot_of(now - STILL_OPEN)
}

/// A stretch of time in pieces: what has to be read, and whole slots that are over.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pieces {
    before: Range<DateTime<Utc>>,
    slots: Range<i64>,
    after: Range<DateTime<Utc>>,
}

fn pieces(stretch: &Range<DateTime<Utc>>, now: DateTime<Utc>) -> Pieces {
    let first = slot_from(stretch.start);
    let last = slot_of(stretch.end).min(first_open(now));
    if first >= last {
        return Pieces {
            before: stretch.clone(),
            slots: first..first,
            after: stretch.end..stretch.end,
        };
    }
    Pieces {
        before: stretch.start..start_of(first),
        slots: first..last,
        after: start_of(last)..stretch.end,
    }
}

/// What happened in slots that are over. They do not change any more, so each is read once.
#[derive(Debug, Default)]
pub(super) struct Slots {
    over: Mutex<BTreeMap<i64, Counts>>,
}

impl Slots {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_minutes_are_read_each_time() {
        let now = at("2025-12-26T12:34:56Z");
        let cut = pieces(&(at("2025-12-26T11:01:00Z")..now), now);
        assert_eq!(
            cut.before,
            at("2025-12-26T11:01:00Z")..at("2025-12-26T11:10:00Z")
        );
        assert_eq!(cut.after, at("2025-12-26T12:10:00Z")..now);
        assert_eq!(cut.slots.end - cut.slots.start, 6);
    }

    #[test]
    fn a_stretch_without_a_whole_slot_is_read_in_one_piece() {
        let now = at("2025-12-26T12:34:56Z");
        let stretch = at("2025-12-26T12:01:00Z")..at("2025-12-26T12:09:00Z");
        let cut = pieces(&stretch, now);
        assert_eq!((cut.before, cut.slots.is_empty()), (stretch, true));
        assert!(cut.after.is_empty());
    }

    proptest! {
        #[test]
        fn no_instant_is_counted_twice_or_left_out(
            start in 1_700_000_000_000_000i64..1_800_000_000_000_000,
            length in 0i64..2_000_000_000_000,
            later in 0i64..3_000_000_000,
        ) {
            let instant = |micros| DateTime::from_timestamp_micros(micros).unwrap();
            let stretch = instant(start)..instant(start + length);
            let now = instant(start + length + later);
            let cut = pieces(&stretch, now);
            let covered = cut.before.end - cut.before.start + (cut.after.end - cut.after.start)
                + TimeDelta::seconds((cut.slots.end - cut.slots.start) * SECONDS);
            prop_assert_eq!(covered, stretch.end - stretch.start);
            prop_assert!(cut.slots.is_empty() || cut.before.end == start_of(cut.slots.start));
            prop_assert!(cut.slots.is_empty() || cut.after.start == start_of(cut.slots.end));
            prop_assert!(start_of(cut.slots.end) + STILL_OPEN <= now || cut.slots.is_empty());
            // Never more than an hour is read anew.
            let anew = cut.before.end - cut.before.start + (cut.after.end - cut.after.start);
            prop_assert!(anew <= TimeDelta::minutes(45));
        }
    }
}
