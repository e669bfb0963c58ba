use chrono::{DateTime, Utc};
use sea_orm::{
    ColIdx, QueryResult, TryGetError, TryGetable, Value,
    sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr},
};

/// An instant as it stands in the database: UTC, microseconds, and one width.
///
/// SQLite keeps instants as text, and only text of one form sorts as time does: neither the number
/// of digits nor the spelling of UTC may vary with who wrote it. This form always has six digits and
/// no zone, and MySQL reads it as a `DATETIME(6)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub DateTime<Utc>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant)
    }
}

impl From<Timestamp> for Value {
    fn from(timestamp: Timestamp) -> Self {
        // Once more from its number, so that a leap second becomes the next one: no database has a 60th.
        DateTime::from_timestamp_micros(timestamp.0.timestamp_micros())
            .unwrap_or(timestamp.0)
            .format("%Y-%m-%d %H:%M:%S%.6f")
            .to_string()
            .into()
    }
}

impl TryGetable for Timestamp {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        DateTime::<Utc>::try_get_by(row, index).map(Self)
    }
}

impl ValueType for Timestamp {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::String(Some(text)) => chrono::NaiveDate::parse_and_remainder(&text, "%Y-%m-%d")
                .ok()
                .and_then(|(date, time)| {
                    let time = chrono::NaiveTime::parse_from_str(time.trim_start(), "%H:%M:%S%.f");
                    Some(Self(date.and_time(time.ok()?).and_utc()))
                })
                .ok_or(ValueTypeErr),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Timestamp".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::DateTime
    }
}

impl Nullable for Timestamp {
    fn null() -> Value {
        Value::String(None)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn text(instant: DateTime<Utc>) -> String {
        match Value::from(Timestamp(instant)) {
            Value::String(Some(text)) => text,
            other => panic!("{other:?} is not text"),
        }
    }

    proptest! {
        #[test]
        fn the_text_form_has_one_width_and_sorts_like_time(
            a in 0i64..4_102_444_800_000_000,
            b in 0i64..4_102_444_800_000_000,
        ) {
            let instant = |micros| Utc.timestamp_micros(micros).unwrap();
            prop_assert_eq!(text(instant(a)).len(), 26);
            prop_assert_eq!(text(instant(a)).cmp(&text(instant(b))), a.cmp(&b));
            let back = <Timestamp as ValueType>::try_from(Timestamp(instant(a)).into());
            prop_assert_eq!(back.unwrap().0, instant(a));
        }
    }
}
