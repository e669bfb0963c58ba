use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rewards::RewardFields,
    usual::{is_no, is_yes, is_zero, yes},
};

/// A wheel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "룰렛입니다."))]
pub struct RouletteSection {
    /// What it is known by: another name is another wheel, which takes the place of the one that is played.
    #[schemars(extend("x-ko" = "구분하는 이름입니다. 이름이 다르면 다른 룰렛이며 지금 것을 대신합니다."))]
    pub name: String,
    /// How often a player may play on a day; 0 means no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0, "x-ko" = "하루에 플레이할 수 있는 횟수입니다. 0이면 제한이 없습니다."))]
    pub max_daily_spins: i64,
    /// Six segments, clockwise from the top.
    #[schemars(extend("x-ko" = "위에서부터 시계 방향으로 여섯 칸입니다."))]
    pub segments: Vec<SegmentSection>,
}

/// A segment of the wheel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "룰렛의 칸입니다."))]
pub struct SegmentSection {
    /// What players read.
    #[schemars(extend("x-ko" = "플레이어가 보는 이름입니다."))]
    pub label: String,
    /// How likely it is, relative to the others; 0 never comes up.
    #[schemars(extend("x-ko" = "다른 칸에 견준 가중치입니다. 0이면 나오지 않습니다."))]
    pub weight: i64,
    #[serde(flatten)]
    pub reward: RewardFields,
    /// Whether clients celebrate it.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "클라이언트가 잭팟으로 보여 줄지입니다."))]
    pub is_jackpot: bool,
}

/// The dice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "주사위입니다."))]
pub struct DiceSection {
    /// What they are known by: another name is another game, which takes the place of the one that is played.
    #[schemars(extend("x-ko" = "구분하는 이름입니다. 이름이 다르면 다른 주사위이며 지금 것을 대신합니다."))]
    pub name: String,
    /// How often a player may play on a day; 0 means no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0, "x-ko" = "하루에 플레이할 수 있는 횟수입니다. 0이면 제한이 없습니다."))]
    pub max_daily_plays: i64,
    /// For more than the dealer has.
    #[schemars(extend("x-ko" = "딜러보다 클 때의 보상입니다."))]
    pub win: OutcomeSection,
    /// For as much as the dealer has.
    #[schemars(extend("x-ko" = "딜러와 같을 때의 보상입니다."))]
    pub draw: OutcomeSection,
    /// For less than the dealer has.
    #[schemars(extend("x-ko" = "딜러보다 작을 때의 보상입니다."))]
    pub lose: OutcomeSection,
}

/// What an outcome of the dice brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "주사위 결과의 보상입니다."))]
pub struct OutcomeSection {
    #[serde(flatten)]
    pub reward: RewardFields,
}

/// A lottery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "복권입니다."))]
pub struct LotterySection {
    /// What it is known by: another name is another lottery, which takes the place of the one that is played.
    #[schemars(extend("x-ko" = "구분하는 이름입니다. 이름이 다르면 다른 복권이며 지금 것을 대신합니다."))]
    pub name: String,
    /// How often a player may play on a day; 0 means no limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("default" = 0, "x-ko" = "하루에 플레이할 수 있는 횟수입니다. 0이면 제한이 없습니다."))]
    pub max_daily_plays: i64,
    /// The prizes, each known by its label.
    #[schemars(extend("x-ko" = "경품입니다. 이름으로 구분합니다."))]
    pub prizes: Vec<PrizeSection>,
}

/// A prize of the lottery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "복권의 경품입니다."))]
pub struct PrizeSection {
    /// What players read, once in a lottery.
    #[schemars(extend("x-ko" = "플레이어가 보는 이름입니다. 한 복권에 한 번만 쓸 수 있습니다."))]
    pub label: String,
    /// How likely it is, relative to the others; 0 never comes up.
    #[schemars(extend("x-ko" = "다른 경품에 견준 가중치입니다. 0이면 나오지 않습니다."))]
    pub weight: i64,
    /// How many there are in all, with those that were won; left out, there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-ko" = "이미 당첨된 것까지 합친 전체 수량입니다. 적지 않으면 제한이 없습니다."))]
    pub stock_total: Option<i64>,
    #[serde(flatten)]
    pub reward: RewardFields,
    /// Whether it takes part. One that was won is switched off, not removed.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    #[schemars(extend("default" = true, "x-ko" = "추첨에 넣을지입니다. 당첨된 적이 있는 경품은 지우지 않고 끕니다."))]
    pub is_active: bool,
}
