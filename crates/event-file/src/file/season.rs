use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    rewards::RewardFields,
    usual::{is_no, yes},
};
use crate::Date;

/// A season pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "시즌 패스입니다."))]
pub struct SeasonSection {
    /// What the season is known by: another name is another season.
    #[schemars(extend("x-ko" = "시즌을 구분하는 이름입니다. 이름이 다르면 다른 시즌입니다."))]
    pub season_name: String,
    /// The first day in Korea, from midnight.
    #[schemars(extend("x-ko" = "첫날입니다(한국 날짜, 자정부터)."))]
    pub start_date: Date,
    /// The last day, included.
    #[schemars(extend("x-ko" = "마지막 날입니다(그날 포함)."))]
    pub end_date: Date,
    /// XP of a daily stamp.
    #[serde(default = "usual_xp")]
    #[schemars(extend("x-ko" = "하루 도장의 XP입니다."))]
    pub base_xp_per_stamp: i64,
    /// The largest bonus that a client may propose with a stamp.
    #[serde(default = "usual_xp")]
    #[schemars(extend("x-ko" = "클라이언트가 도장과 함께 제안할 수 있는 보너스 XP의 최댓값입니다."))]
    pub max_xp_bonus: i64,
    /// Days after the last one on which status and claims still answer.
    #[serde(default = "usual_grace")]
    #[schemars(extend("x-ko" = "마지막 날 이후에도 상태 조회와 보상 수령이 되는 일수입니다."))]
    pub grace_days: i64,
    /// Wins that earn the once-a-season bonus stamp.
    #[serde(default = "usual_wins")]
    #[schemars(extend("x-ko" = "시즌에 한 번 주는 보너스 도장에 필요한 승리 횟수입니다."))]
    pub internal_win_threshold: i64,
    /// Whether it runs on its days.
    #[serde(default = "yes")]
    #[schemars(extend("x-ko" = "그 기간에 시즌을 진행할지입니다."))]
    pub is_active: bool,
    /// The ladder, from level 1 on without gaps.
    #[schemars(extend("x-ko" = "레벨 1부터 빠짐없이 적은 단계입니다."))]
    pub levels: Vec<LevelSection>,
}

/// A level of the season pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false, "x-ko" = "시즌 패스의 레벨입니다."))]
pub struct LevelSection {
    /// From 1.
    #[schemars(extend("x-ko" = "1부터 시작합니다."))]
    pub level: i64,
    /// XP in all at which it is reached, more than that of the level before.
    #[schemars(extend("x-ko" = "도달에 필요한 누적 XP입니다. 앞 레벨보다 커야 합니다."))]
    pub required_xp: i64,
    #[serde(flatten)]
    pub reward: RewardFields,
    /// What players read.
    #[schemars(extend("x-ko" = "플레이어가 보는 이름입니다."))]
    pub reward_label: String,
    /// Whether it pays by itself; otherwise it waits for a claim.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "도달하면 바로 지급할지입니다. 아니면 플레이어가 수령해야 합니다."))]
    pub auto_claim: bool,
    /// Whether an admin looks at the reward before it is delivered.
    #[serde(default, skip_serializing_if = "is_no")]
    #[schemars(extend("default" = false, "x-ko" = "운영자가 확인한 뒤에 지급할지입니다."))]
    pub is_manual: bool,
}

const fn usual_xp() -> i64 {
    20
}

const fn usual_grace() -> i64 {
    7
}

const fn usual_wins() -> i64 {
    50
}
