use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Where `now` comes from.
pub trait Clock: Send + Sync {
    /// The current instant, cut to microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that wraps it")]
    fn now(&self) -> DateTime<Utc> {
        cut(Utc::now())
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(Mutex::new(cut(instant)))
    }

    pub fn set(&self, instant: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cut(instant);
    }

    pub fn advance(&self, by: TimeDelta) {
        self.set(self.now() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that runs on at a constant distance from another one, so that a demo can live in the
/// event week. Production refuses it.
#[derive(Clone, Copy, Debug)]
pub struct ShiftedClock<C> {
    base: C,
    offset: TimeDelta,
}

impl<C: Clock> ShiftedClock<C> {
    pub fn with_offset(base: C, offset: TimeDelta) -> Self {
        Self { base, offset }
    }

    /// A clock that shows `start` at this moment.
    pub fn starting_at(base: C, start: DateTime<Utc>) -> Self {
        let offset = start - base.now();
        Self { base, offset }
    }

    pub fn offset(&self) -> TimeDelta {
        self.offset
    }
}

impl<C: Clock> Clock for ShiftedClock<C> {
    fn now(&self) -> DateTime<Utc> {
        cut(self.base.now() + self.offset)
    }
}

fn cut(instant: DateTime<Utc>) -> DateTime<Utc> {
    instant
        .duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2025, 12, 26, 12, 0, 0).unwrap()
    }

    /// What every clock promises: an instant that was written down and read back is equal to itself.
    fn contract(clock: &dyn Clock) {
        let now = clock.now();
        let written = crate::Kst(now).to_string();
        let read: DateTime<Utc> = written.parse().unwrap();
        assert_eq!(read, now);
    }

    #[test]
    fn every_clock_keeps_the_contract() {
        let fine = noon() + TimeDelta::nanoseconds(1_999);
        let nanosecond = TimeDelta::nanoseconds(1);
        contract(&SystemClock);
        contract(&ManualClock::at(fine));
        contract(&ShiftedClock::with_offset(SystemClock, nanosecond));
        contract(&ShiftedClock::starting_at(ManualClock::at(fine), fine));
        let moved = ManualClock::at(noon());
        moved.advance(nanosecond);
        contract(&moved);
        moved.set(fine);
        contract(&moved);
    }

    #[test]
    fn every_clock_cuts_to_microseconds() {
        let fine = noon() + TimeDelta::nanoseconds(1_999);
        let manual = ManualClock::at(fine);
        assert_eq!(manual.now(), noon() + TimeDelta::microseconds(1));
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        let shifted = ShiftedClock::with_offset(manual, TimeDelta::nanoseconds(999));
        assert_eq!(shifted.now(), noon() + TimeDelta::microseconds(1));
    }

    #[test]
    fn a_shifted_clock_starts_where_it_is_told_and_runs_on() {
        let base = std::sync::Arc::new(ManualClock::at(noon()));
        let start = Utc.with_ymd_and_hms(2030, 1, 1, 0, 0, 0).unwrap();
        let shifted = ShiftedClock::starting_at(Shared(base.clone()), start);
        assert_eq!(shifted.now(), start);
        base.advance(TimeDelta::seconds(5));
        assert_eq!(shifted.now(), start + TimeDelta::seconds(5));
        let again = ShiftedClock::with_offset(Shared(base), shifted.offset());
        assert_eq!(again.now(), shifted.now());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "this is what the clock wraps")]
    fn the_machine_s_clock_tells_the_time() {
        let before = cut(Utc::now());
        let now = SystemClock.now();
        assert!(before <= now && now <= Utc::now());
    }

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::at(noon());
        assert_eq!((clock.now(), clock.now()), (noon(), noon()));
        clock.advance(TimeDelta::seconds(5));
        assert_eq!(clock.now(), noon() + TimeDelta::seconds(5));
        clock.set(noon() - TimeDelta::days(1));
        assert_eq!(clock.now(), noon() - TimeDelta::days(1));
    }

    struct Shared(std::sync::Arc<ManualClock>);

    impl Clock for Shared {
        fn now(&self) -> DateTime<Utc> {
            self.0.now()
        }
    }
}
