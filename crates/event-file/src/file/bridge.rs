use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xmas_event_bridge::Mission;

use super::usual::yes;
use crate::Date;

/// The daily keys of a season.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "시즌의 하루 열쇠입니다."))]
pub struct BridgeSection {
    /// How many keys a player needs to be paid.
    #[schemars(extend("x-ko" = "정산받는 데 필요한 열쇠 수입니다."))]
    pub keys_required: i64,
    /// The day on which the settlement is due, after the last key.
    #[schemars(extend("x-ko" = "정산일입니다. 마지막 열쇠의 날보다 뒤여야 합니다."))]
    pub settle_on: Date,
    /// Whether the settlement runs by itself.
    #[serde(default = "yes")]
    #[schemars(extend("x-ko" = "정산을 자동으로 할지입니다."))]
    pub auto_settle: bool,
    /// The days, by their dates: 1 to 7 of them.
    #[schemars(extend("x-ko" = "날짜순으로 적은 1~7일입니다."))]
    pub days: Vec<DaySection>,
}

/// A day with a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "열쇠를 주는 날입니다."))]
pub struct DaySection {
    /// From 1, without gaps.
    #[schemars(extend("x-ko" = "1부터 빠짐없이 셉니다."))]
    pub day: i64,
    /// The day in Korea, within the season.
    #[schemars(extend("x-ko" = "한국 날짜입니다. 시즌 기간 안이어야 합니다."))]
    pub date: Date,
    /// The key's name, such as `KEY_DAY_1_ROULETTE`.
    #[schemars(extend("x-ko" = "`KEY_DAY_1_ROULETTE` 같은 열쇠의 이름입니다."))]
    pub event_type: String,
    /// What a player does for the key.
    #[schemars(extend("x-ko" = "열쇠를 얻으려면 할 일입니다.", "enum" = Mission::ALL.map(Mission::as_str)))]
    pub mission: String,
    /// What the key promises, in points.
    #[schemars(extend("x-ko" = "열쇠가 약속하는 포인트입니다."))]
    pub points: i64,
}
