//! What players see of `/api/roulette/*`.

use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Game, Play, Status,
    roulette::{Roulette, Segment},
};
use xmas_http::finished::Finished;
use xmas_kernel::{Asset, Feature};

use super::{paths::GamePaths, receipt::ReceiptAnswer};
use crate::season_pass::stamp::StampAnswer;

impl GamePaths for Roulette {
    const NAME: &'static str = "roulette";
    const STATUS: &'static str = "The wheel, the spins left today and the player's coins.";
    const PLAY: &'static str = "Spins once for one coin.";
    type StatusAnswer = StatusAnswer;
    type PlayAnswer = PlayAnswer;
}

/// The wheel and what the player can do with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouletteStatusAnswer, example = json!({
    "config_id": 1, "name": "크리스마스 룰렛", "max_daily_spins": 0, "today_spins": 3,
    "remaining_spins": 0, "token_type": "ROULETTE_COIN", "token_balance": 97,
    "feature_type": "ROULETTE",
    "segments": [{"id": 1, "label": "다음 기회에", "reward_type": "NONE", "reward_amount": 0,
        "slot_index": 0, "is_jackpot": false}]
}))]
pub(crate) struct StatusAnswer {
    config_id: i64,
    name: String,
    /// 0 means no limit.
    max_daily_spins: i64,
    today_spins: i64,
    /// 0 means no limit, -1 none left today.
    remaining_spins: i64,
    #[schema(value_type = String)]
    token_type: Asset,
    token_balance: i64,
    #[schema(value_type = String)]
    feature_type: Feature,
    /// Six, in the order of their places.
    segments: Vec<SegmentAnswer>,
}

impl From<Status<Vec<Segment>>> for StatusAnswer {
    fn from(status: Status<Vec<Segment>>) -> Self {
        Self {
            config_id: status.config_id.0,
            name: status.name,
            max_daily_spins: status.max_daily,
            today_spins: status.today_plays,
            remaining_spins: status.remaining,
            token_type: Roulette::TOKEN,
            token_balance: status.token_balance,
            feature_type: Roulette::FEATURE,
            segments: status.menu.into_iter().map(Into::into).collect(),
        }
    }
}

/// What came up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoulettePlayAnswer, example = json!({
    "result": "OK",
    "segment": {"id": 2, "label": "룰렛 티켓 3장", "reward_type": "TICKET_ROULETTE",
        "reward_amount": 3, "slot_index": 1, "is_jackpot": false},
    "season_pass": null,
    "token_balance": 102,
    "receipt": {"play_id": 17, "reward_state": "DELIVERED", "odds_id": 1, "day": "2025-12-26",
        "nonce": 0, "attempt": 0, "coupon_code": null}
}))]
pub(crate) struct PlayAnswer {
    result: &'static str,
    segment: SegmentAnswer,
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

impl From<Play<Segment>> for PlayAnswer {
    fn from(play: Play<Segment>) -> Self {
        Self {
            result: "OK",
            segment: play.outcome.into(),
            season_pass: play.season_pass.map(Into::into),
            token_balance: play.token_balance,
            receipt: play.receipt.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 2, "label": "룰렛 티켓 3장", "reward_type": "TICKET_ROULETTE",
    "reward_amount": 3, "slot_index": 1, "is_jackpot": false}))]
pub(crate) struct SegmentAnswer {
    id: i64,
    label: String,
    reward_type: &'static str,
    reward_amount: i64,
    /// 0 to 5, the place on the wheel.
    slot_index: i64,
    is_jackpot: bool,
}

impl From<Segment> for SegmentAnswer {
    fn from(segment: Segment) -> Self {
        Self {
            id: segment.id,
            label: segment.label,
            reward_type: segment.reward_type.as_str(),
            reward_amount: segment.reward_amount,
            slot_index: segment.slot_index,
            is_jackpot: segment.is_jackpot,
        }
    }
}
