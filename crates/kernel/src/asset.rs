use serde::{Deserialize, Serialize};

/// What a wallet can hold (domain.md, "Wallet and rewards"). Amounts are whole numbers.
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
    parse_err_ty = UnknownAsset,
    parse_err_fn = UnknownAsset::new
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

/// A name that is not one of [`Asset::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown asset {0:?}")]
pub struct UnknownAsset(pub String);

impl UnknownAsset {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
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
