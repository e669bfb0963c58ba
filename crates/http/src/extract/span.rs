use std::ops::RangeInclusive;

use chrono::Datelike;
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_reporting::Span;
use xmas_texts::{Text, field, quoted};
use xmas_time::{DateTime, EventDay, Utc};

use crate::{
    error::{ApiError, ApiResult},
    extract::given,
};

/// From when to when, in a query string.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct SpanParams {
    /// An instant (RFC 3339), or a day in Korea (`2025-12-26`): its beginning.
    #[serde(default)]
    from: String,
    /// An instant, which is not included any more, or a day in Korea, which is included whole.
    #[serde(default)]
    to: String,
}

impl SpanParams {
    pub fn span(&self) -> ApiResult<Span> {
        let span = Span {
            from: given("from", &self.from, |text| read(text, EventDay::start))?,
            to: given("to", &self.to, |text| read(text, EventDay::end))?,
        };
        match (span.from, span.to) {
            (Some(from), Some(to)) if to < from => {
                let text = field::not_before("from", self.to.clone(), self.from.clone());
                Err(ApiError::field("to", text))
            }
            _ => Ok(span),
        }
    }
}

/// The years that every database can compare with.
const YEARS: RangeInclusive<i32> = 1970..=9998;

fn read(text: &str, of_day: fn(EventDay) -> DateTime<Utc>) -> Result<DateTime<Utc>, Text> {
    let expected = || {
        let (first, last) = (YEARS.start().to_string(), YEARS.end().to_string());
        field::instant_or_day(first, last, quoted(text))
    };
    let (instant, day) = match text.parse::<EventDay>() {
        Ok(day) => (of_day(day), day),
        Err(_) => {
            // A plus that was not percent-encoded arrives as a space.
            let instant = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
            let instant = instant.map_err(|_| expected())?.to_utc();
            (instant, EventDay::of(instant))
        }
    };
    // The day counts: the end of the last one lies in the year after it.
    let fits = YEARS.contains(&day.date().year());
    fits.then_some(instant).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(from: &str, to: &str) -> ApiResult<Span> {
        let params = SpanParams {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        params.span()
    }

    fn utc(text: &str) -> Option<DateTime<Utc>> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_day_is_its_beginning_or_its_end_in_korea() {
        let day = span("2025-12-26", "2025-12-26").unwrap();
        assert_eq!(day.from, utc("2025-12-25T15:00:00Z"));
        assert_eq!(day.to, utc("2025-12-26T15:00:00Z"));
    }

    #[test]
    fn an_instant_may_have_any_offset_and_an_unescaped_plus() {
        for text in [
            "2025-12-26T09:00:00+09:00",
            "2025-12-26T09:00:00 09:00",
            "2025-12-26T00:00:00Z",
            "2025-12-26T00:00:00.000000Z",
        ] {
            assert_eq!(span(text, "").unwrap().from, utc("2025-12-26T00:00:00Z"));
        }
        assert_eq!(span("", "").unwrap(), Span::default());
    }

    #[test]
    fn the_last_day_is_included_whole_too() {
        let last = span("9998-12-31", "9998-12-31").unwrap();
        assert_eq!(last.from, utc("9998-12-30T15:00:00Z"));
        assert_eq!(last.to, utc("9998-12-31T15:00:00Z"));
        let first = span("1970-01-01", "9998-12-31T14:59:59.999999Z").unwrap();
        assert_eq!(first.from, utc("1969-12-31T15:00:00Z"));
        assert_eq!(first.to, utc("9998-12-31T14:59:59.999999Z"));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "yesterday",
            "2025-12-26T09:00",
            "2025-12-26 09:00:00",
            "2025-02-30",
            "1766707200",
            "0001-01-01",
            "+12025-12-26",
            "1969-12-31T14:59:59Z",
            "9999-01-01",
            "9998-12-31T15:00:00Z",
            "9999-12-31T23:59:59Z",
            "오늘",
            " ",
        ] {
            assert!(span(bad, "").is_err(), "{bad}");
            assert!(span("", bad).is_err(), "{bad}");
        }
        // An empty span that ends where it begins is one.
        assert!(span("2025-12-27", "2025-12-26").is_ok());
        assert!(span("2025-12-28", "2025-12-26").is_err());
    }

    proptest! {
        #[test]
        fn a_span_is_one_that_every_database_can_compare_with(
            from in prop_oneof![any::<String>(), "[0-9]{4}-[01][0-9]-[0-3][0-9]", "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](Z|[+ -][0-2][0-9]:[0-5][0-9])"],
            to in prop_oneof![Just(String::new()), "[0-9]{4}-[01][0-9]-[0-3][0-9]"],
        ) {
            match span(&from, &to) {
                Ok(span) => {
                    for instant in [span.from, span.to].into_iter().flatten() {
                        prop_assert!((1969..=9998).contains(&instant.year()), "{}", instant);
                    }
                    prop_assert!(span.to.is_none() || span.from <= span.to);
                }
                Err(refused) => prop_assert_eq!(refused.code(), xmas_kernel::ErrorCode::ValidationError),
            }
        }
    }
}
