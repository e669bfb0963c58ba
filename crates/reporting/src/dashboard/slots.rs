//! Time in slots of ten minutes.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

/// How long a slot is.
pub(super) const SECONDS: i64 = 600;
/// How long after its end a slot may still be written to: a row has the instant at which its request
/// began, and becomes visible when its transaction ends.
const STILL_OPEN: TimeDelta = TimeDelta::minutes(15);

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
pub(super) fn first_open(now: DateTime<Utc>) -> i64 {
    slot_of(now - STILL_OPEN)
}

/// A stretch of time in pieces: what has to be read, and whole slots that are over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pieces {
    pub(super) before: Range<DateTime<Utc>>,
    pub(super) slots: Range<i64>,
    pub(super) after: Range<DateTime<Utc>>,
}

/// Cuts a stretch of time that ends at `now` or before.
pub(super) fn pieces(stretch: &Range<DateTime<Utc>>, now: DateTime<Utc>) -> Pieces {
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

    #[test]
    fn a_slot_is_ten_minutes_long_and_the_first_one_starts_in_1970() {
        let first = DateTime::UNIX_EPOCH;
        let instant = TimeDelta::microseconds(1);
        assert_eq!(slot_of(first), 0);
        assert_eq!(slot_of(first - instant), -1);
        assert_eq!(slot_of(first + TimeDelta::minutes(10) - instant), 0);
        assert_eq!(slot_of(first + TimeDelta::minutes(10)), 1);
        assert_eq!(start_of(0), first);
        assert_eq!(start_of(3), first + TimeDelta::minutes(30));
        assert_eq!(start_of(i64::MAX), DateTime::<Utc>::MAX_UTC);
        assert_eq!(slot_from(start_of(7)), 7);
        assert_eq!(slot_from(start_of(7) + instant), 8);
        assert_eq!(slot_from(start_of(7) - instant), 7);
    }

    #[test]
    fn a_slot_is_open_for_a_quarter_of_an_hour_after_its_end() {
        let now = at("2025-12-26T12:34:59Z");
        assert_eq!(start_of(first_open(now)), at("2025-12-26T12:10:00Z"));
        let now = at("2025-12-26T12:35:00Z");
        assert_eq!(start_of(first_open(now)), at("2025-12-26T12:20:00Z"));
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
