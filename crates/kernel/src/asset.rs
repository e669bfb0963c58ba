use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// What a wallet can hold (docs/rules.md, "Wallet and rewards"). Amounts are whole numbers.
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
pub enum Asset {
    Point,
    RouletteCoin,
    DiceToken,
    LotteryTicket,
    CcCoin,
}

impl Asset {
    pub const ALL: [Asset; 5] = [
        Asset::Point,
        Asset::RouletteCoin,
        Asset::DiceToken,
        Asset::LotteryTicket,
        Asset::CcCoin,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown(name: &str) -> UnknownName {
    UnknownName::new("asset", name, Asset::ALL.map(Asset::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_by_its_name_and_nothing_else_is() {
        for asset in Asset::ALL {
            assert_eq!(asset.as_str().parse(), Ok(asset));
            assert_eq!(
                serde_json::to_value(asset).unwrap(),
                serde_json::json!(asset.as_str())
            );
        }
        assert!("point".parse::<Asset>().is_err());
        assert!("".parse::<Asset>().is_err());
    }
}
