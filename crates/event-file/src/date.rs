use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use toml::value::Datetime;
use xmas_time::EventDay;

/// A day in Korea as files have it: a date of TOML, without quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub EventDay);

impl Date {
    /// `None` for what is more than a date, or none that there is.
    pub(crate) fn of(read: &Datetime) -> Option<Self> {
        match (read.date, read.time, read.offset) {
            (Some(_), None, None) => read.to_string().parse().ok().map(Self),
            _ => None,
        }
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written: Datetime = self
            .0
            .to_string()
            .parse()
            .map_err(serde::ser::Error::custom)?;
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Datetime::deserialize(deserializer)?;
        Self::of(&read).ok_or_else(|| D::Error::custom("a date was expected"))
    }
}

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}
