use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// A part of the event that can be switched on and off by itself.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(
    serialize_all = "SCREAMING_SNAKE_CASE",
    parse_err_ty = UnknownName,
    parse_err_fn = unknown
)]
pub enum Feature {
    SeasonPass,
    Roulette,
    Dice,
    Lottery,
    Ranking,
}

impl Feature {
    pub const ALL: [Feature; 5] = [
        Feature::SeasonPass,
        Feature::Roulette,
        Feature::Dice,
        Feature::Lottery,
        Feature::Ranking,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown(name: &str) -> UnknownName {
    UnknownName::new("feature", name, Feature::ALL.map(Feature::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_found_by_its_name_and_nothing_else_is() {
        for feature in Feature::ALL {
            assert_eq!(feature.as_str().parse(), Ok(feature));
            assert_eq!(
                serde_json::to_value(feature).unwrap(),
                serde_json::json!(feature.as_str())
            );
        }
        assert!("roulette".parse::<Feature>().is_err());
    }
}
