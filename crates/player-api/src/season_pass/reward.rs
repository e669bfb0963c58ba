use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::finished::Finished;
use xmas_rewards::RewardType;
use xmas_season_pass::LevelReward;
use xmas_time::Kst;

/// A level's reward that has been collected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "level": 7, "reward_type": "CC_COIN", "reward_amount": 2, "reward_label": "CC 코인 2개",
    "auto_claim": false, "claimed_at": "2025-12-28T20:15:03.123456+09:00", "state": "PENDING_REVIEW",
    "coupon_code": null
}))]
pub(crate) struct LevelRewardAnswer {
    level: i64,
    reward_type: &'static str,
    reward_amount: i64,
    reward_label: String,
    auto_claim: bool,
    #[schema(value_type = String, format = DateTime)]
    claimed_at: Kst,
    /// `DELIVERED`, or `PENDING_REVIEW` until an admin has looked at it.
    state: &'static str,
    /// The whole code of a coupon that was delivered, for its winner alone.
    coupon_code: Option<String>,
    #[serde(skip)]
    is_coupon: bool,
}

impl Finished for LevelRewardAnswer {
    fn may_be_kept(&self) -> bool {
        !self.is_coupon
    }
}

impl From<LevelReward> for LevelRewardAnswer {
    fn from(reward: LevelReward) -> Self {
        Self {
            level: reward.level,
            reward_type: reward.reward_type.as_str(),
            reward_amount: reward.reward_amount,
            reward_label: reward.reward_label,
            auto_claim: reward.auto_claim,
            claimed_at: reward.claimed_at,
            state: reward.state.as_str(),
            coupon_code: reward.coupon_code,
            is_coupon: reward.reward_type == RewardType::Coupon,
        }
    }
}
