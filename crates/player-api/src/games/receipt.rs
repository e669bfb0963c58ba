//! By what a play can be found again.

use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::Receipt;
use xmas_http::finished::Finished;
use xmas_rewards::RewardType;
use xmas_time::EventDay;

/// By what a play can be found again and its draw checked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"play_id": 17, "reward_state": "DELIVERED", "odds_id": 1,
    "day": "2025-12-26", "nonce": 0, "attempt": 0, "coupon_code": null}))]
pub(crate) struct ReceiptAnswer {
    play_id: i64,
    /// `DELIVERED`, `PENDING_REVIEW` or `REJECTED`.
    reward_state: &'static str,
    /// The table that the play was drawn from: `GET /api/odds/{feature}?odds_id=`.
    odds_id: i64,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// The player's 0-based play number for the game and day.
    nonce: i64,
    /// 0, and one more for each draw whose prize had run out.
    attempt: i64,
    /// The whole code of a coupon that was won, for its winner alone.
    coupon_code: Option<String>,
    #[serde(skip)]
    is_coupon: bool,
}

impl Finished for ReceiptAnswer {
    fn may_be_kept(&self) -> bool {
        !self.is_coupon
    }
}

impl From<Receipt> for ReceiptAnswer {
    fn from(receipt: Receipt) -> Self {
        Self {
            play_id: receipt.play_id.0,
            reward_state: receipt.reward_state.as_str(),
            odds_id: receipt.odds_id.0,
            day: receipt.day,
            nonce: receipt.nonce,
            attempt: receipt.attempt,
            coupon_code: receipt.coupon_code,
            is_coupon: receipt.reward_type == RewardType::Coupon,
        }
    }
}
