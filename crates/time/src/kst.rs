use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Asia::Seoul;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant as players see it: RFC 3339 with `+09:00` and microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kst(pub DateTime<Utc>);

impl Kst {
    /// What the error of a reader says of what was written, by which readers of a parser's error recognise it.
    pub const SAYS: &str = "is not an instant of RFC 3339";
}

impl fmt::Display for Kst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.with_timezone(&Seoul);
        f.write_str(&local.to_rfc3339_opts(SecondsFormat::Micros, false))
    }
}

impl Serialize for Kst {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kst {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|instant| Self(instant.to_utc()))
            .map_err(|_| serde::de::Error::custom(format_args!("{text} {}", Self::SAYS)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use proptest::prelude::*;

    use super::*;
    use crate::EventDay;

    #[test]
    fn it_carries_the_korean_offset_and_reads_back() {
        let kst = Kst(EventDay::from_ymd(2025, 12, 26).unwrap().start());
        let text = serde_json::to_string(&kst).unwrap();
        assert_eq!(text, "\"2025-12-26T00:00:00.000000+09:00\"");
        assert_eq!(serde_json::from_str::<Kst>(&text).unwrap(), kst);
    }

    proptest! {
        #[test]
        fn an_instant_reads_back_whatever_its_offset_was(
            text in prop_oneof![".{0,40}", "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,6})?(Z|[+-][0-2][0-9]:[0-5][0-9])"],
        ) {
            let Ok(kst) = serde_json::from_value::<Kst>(text.into()) else {
                return Ok(());
            };
            let again = serde_json::to_value(kst).unwrap();
            // Seoul's last change of offset was in 1988, and its first ones had seconds.
            if kst.0.year() > 1988 {
                prop_assert_eq!(serde_json::from_value::<Kst>(again).unwrap(), kst);
            }
        }
    }
}
