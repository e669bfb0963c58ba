use std::{fmt, ops::RangeInclusive, str::FromStr};

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Asia::Seoul;
use serde::{Deserialize, Serialize};

/// A business day: the calendar date in Asia/Seoul. Written `YYYY-MM-DD`, and read from 1970 to 9999.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(into = "NaiveDate", try_from = "String")]
pub struct EventDay(NaiveDate);

/// What is read from outside: every database has these years, also with a few days more.
const YEARS: RangeInclusive<i32> = 1970..=9999;

impl EventDay {
    /// The day in which `instant` lies.
    pub fn of(instant: DateTime<Utc>) -> Self {
        Self(instant.with_timezone(&Seoul).date_naive())
    }

    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// The first instant of the day: midnight in Seoul.
    pub fn start(self) -> DateTime<Utc> {
        let midnight = self.0.and_time(NaiveTime::MIN);
        // Every midnight since Seoul's last summer time (1988) exists; the fallback is for a law
        // that nobody has made.
        Seoul.from_local_datetime(&midnight).earliest().map_or_else(
            || Seoul.from_utc_datetime(&midnight).to_utc(),
            |start| start.to_utc(),
        )
    }

    /// The first instant that is no longer in the day.
    pub fn end(self) -> DateTime<Utc> {
        self.next().start()
    }

    pub fn next(self) -> Self {
        self.plus_days(1)
    }

    /// The day `days` later, or the last day there is.
    pub fn plus_days(self, days: u32) -> Self {
        Self(
            self.0
                .checked_add_days(Days::new(days.into()))
                .unwrap_or(NaiveDate::MAX),
        )
    }
}

impl From<NaiveDate> for EventDay {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl From<EventDay> for NaiveDate {
    fn from(day: EventDay) -> Self {
        day.0
    }
}

impl fmt::Display for EventDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d").fmt(f)
    }
}

/// Something else than `YYYY-MM-DD`, or a date that does not exist or is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} {says}, from 1970 to 9999", says = Self::SAYS)]
pub struct MalformedDay(String);

impl MalformedDay {
    /// What its text says of what was written, by which readers of a parser's error recognise it.
    pub const SAYS: &str = "is not a day of the form YYYY-MM-DD";
}

impl FromStr for EventDay {
    type Err = MalformedDay;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(Self);
        // The parser is lenient about zeros; one day has one spelling. A connection to MySQL that was given a
        // year without a place in its format answers nothing any more.
        day.ok()
            .filter(|day| day.to_string() == text && YEARS.contains(&day.0.year()))
            .ok_or_else(|| MalformedDay(text.to_owned()))
    }
}

impl TryFrom<String> for EventDay {
    type Error = MalformedDay;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> EventDay {
        text.parse().unwrap()
    }

    #[test]
    fn midnight_in_seoul_is_three_in_the_afternoon_utc_of_the_day_before() {
        let start = Utc.with_ymd_and_hms(2025, 12, 25, 15, 0, 0).unwrap();
        assert_eq!(day("2025-12-26").start(), start);
        assert_eq!(EventDay::of(start), day("2025-12-26"));
        assert_eq!(
            EventDay::of(start - TimeDelta::microseconds(1)),
            day("2025-12-25")
        );
    }

    #[test]
    fn the_year_turns_at_midnight_in_seoul() {
        let new_year = day("2026-01-01").start();
        assert_eq!(EventDay::of(new_year), day("2026-01-01"));
        assert_eq!(
            EventDay::of(new_year - TimeDelta::microseconds(1)),
            day("2025-12-31")
        );
        assert_eq!(day("2025-12-31").next(), day("2026-01-01"));
    }

    #[test]
    fn only_the_one_spelling_of_a_real_day_is_read() {
        for bad in [
            "2025-2-3",
            "2025-02-30",
            "20251226",
            "2025-12-26 ",
            "",
            "오늘",
            "-0001-01-01",
            "0000-01-01",
            "1969-12-31",
            "+10000-01-01",
        ] {
            assert!(bad.parse::<EventDay>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<EventDay>(bad.into()).is_err());
        }
        let last = day("9999-12-31");
        assert_eq!(last.next().date(), last.date().succ_opt().unwrap());
        let leap = day("2028-02-29");
        assert_eq!(leap.next(), day("2028-03-01"));
        assert_eq!(serde_json::to_string(&leap).unwrap(), "\"2028-02-29\"");
    }

    #[test]
    fn a_date_and_its_day_are_the_same() {
        let date = NaiveDate::from_ymd_opt(2025, 12, 26).unwrap();
        assert_eq!(EventDay::from(date), day("2025-12-26"));
        assert_eq!(NaiveDate::from(day("2025-12-26")), date);
        assert_eq!(EventDay::from(NaiveDate::MAX).next().date(), NaiveDate::MAX);
    }

    proptest! {
        #[test]
        fn a_day_has_one_spelling_and_no_other_text_is_one(
            text in prop_oneof![".{0,12}", "[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}", "[+-]?[0-9]{4}-[01][0-9]-[0-3][0-9]"],
        ) {
            match text.parse::<EventDay>() {
                Ok(day) => {
                    prop_assert_eq!(day.to_string(), text);
                    prop_assert!(YEARS.contains(&day.date().year()));
                }
                Err(error) => prop_assert!(error.to_string().contains("YYYY-MM-DD")),
            }
        }

        /// From 1990 (Seoul's last change of offset was in 1988) to 2100.
        #[test]
        fn an_instant_lies_in_exactly_its_own_day(micros in 631_152_000_000_000i64..4_102_444_800_000_000) {
            let instant = Utc.timestamp_micros(micros).unwrap();
            let day = EventDay::of(instant);
            prop_assert!(day.start() <= instant && instant < day.end());
            prop_assert_eq!(day.end() - day.start(), TimeDelta::hours(24));
            prop_assert_eq!(day.to_string().parse::<EventDay>().unwrap(), day);
        }

        #[test]
        fn the_microseconds_around_midnight_fall_on_the_right_side(days in 0u32..40_000, micros in 0i64..2_000_000) {
            let today = EventDay::from_ymd(1990, 1, 1).unwrap().plus_days(days);
            let midnight = today.end();
            prop_assert_eq!(EventDay::of(midnight + TimeDelta::microseconds(micros)), today.next());
            prop_assert_eq!(EventDay::of(midnight - TimeDelta::microseconds(micros + 1)), today);
        }
    }
}
