//! What players see of `/api/lottery/*`.

use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Game, Play, Status,
    lottery::{Lottery, Prize},
};
use xmas_http::finished::Finished;
use xmas_kernel::{Asset, Feature};

use super::{paths::GamePaths, receipt::ReceiptAnswer};
use crate::season_pass::stamp::StampAnswer;

impl GamePaths for Lottery {
    const NAME: &'static str = "lottery";
    const STATUS: &'static str =
        "The prizes, the tickets left today and those that the player holds.";
    const PLAY: &'static str =
        "Draws once for one ticket. A prize that has run out in the meantime is drawn around.";
    type StatusAnswer = StatusAnswer;
    type PlayAnswer = PlayAnswer;
}

/// The prizes and what the player can do to win one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotteryStatusAnswer, example = json!({
    "config_id": 1, "name": "크리스마스 복권", "max_daily_tickets": 0, "today_tickets": 1,
    "remaining_tickets": 0, "token_type": "LOTTERY_TICKET", "token_balance": 99,
    "feature_type": "LOTTERY",
    "prize_preview": [{"id": 4, "label": "3,000 포인트", "reward_type": "POINT",
        "reward_amount": 3_000, "stock": 497, "is_active": true}]
}))]
pub(crate) struct StatusAnswer {
    config_id: i64,
    name: String,
    /// 0 means no limit.
    max_daily_tickets: i64,
    today_tickets: i64,
    /// 0 means no limit, -1 none left today.
    remaining_tickets: i64,
    #[schema(value_type = String)]
    token_type: Asset,
    token_balance: i64,
    #[schema(value_type = String)]
    feature_type: Feature,
    /// All that take part, also those of which nothing is left.
    prize_preview: Vec<PrizeAnswer>,
}

impl From<Status<Vec<Prize>>> for StatusAnswer {
    fn from(status: Status<Vec<Prize>>) -> Self {
        Self {
            config_id: status.config_id.0,
            name: status.name,
            max_daily_tickets: status.max_daily,
            today_tickets: status.today_plays,
            remaining_tickets: status.remaining,
            token_type: Lottery::TOKEN,
            token_balance: status.token_balance,
            feature_type: Lottery::FEATURE,
            prize_preview: status.menu.into_iter().map(Into::into).collect(),
        }
    }
}

/// What was drawn.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotteryPlayAnswer, example = json!({
    "result": "OK",
    "prize": {"id": 5, "label": "배민 2만", "reward_type": "COUPON", "reward_amount": 1,
        "stock": 20, "is_active": true},
    "season_pass": null,
    "token_balance": 99,
    "receipt": {"play_id": 19, "reward_state": "DELIVERED", "odds_id": 3, "day": "2025-12-26",
        "nonce": 0, "attempt": 0, "coupon_code": "DEMO-BM20-0001"}
}))]
pub(crate) struct PlayAnswer {
    result: &'static str,
    prize: PrizeAnswer,
    /// The day's stamp, if this play brought it along.
    season_pass: Option<StampAnswer>,
    token_balance: i64,
    receipt: ReceiptAnswer,
}

impl Finished for PlayAnswer {
    fn may_be_kept(&self) -> bool {
        let stamp = self.season_pass.as_ref();
        self.receipt.may_be_kept() && stamp.is_none_or(Finished::may_be_kept)
    }
}

impl From<Play<Prize>> for PlayAnswer {
    fn from(play: Play<Prize>) -> Self {
        Self {
            result: "OK",
            prize: play.outcome.into(),
            season_pass: play.season_pass.map(Into::into),
            token_balance: play.token_balance,
            receipt: play.receipt.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 4, "label": "3,000 포인트", "reward_type": "POINT",
    "reward_amount": 3_000, "stock": 497, "is_active": true}))]
pub(crate) struct PrizeAnswer {
    id: i64,
    label: String,
    reward_type: &'static str,
    reward_amount: i64,
    /// How many were left a moment ago, before this play; null means no limit.
    stock: Option<i64>,
    is_active: bool,
}

impl From<Prize> for PrizeAnswer {
    fn from(prize: Prize) -> Self {
        Self {
            id: prize.id,
            label: prize.label,
            reward_type: prize.reward_type.as_str(),
            reward_amount: prize.reward_amount,
            stock: prize.stock,
            is_active: prize.is_active,
        }
    }
}
