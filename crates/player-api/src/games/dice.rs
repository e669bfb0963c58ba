//! What players see of `/api/dice/*`.

use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Game, Play, Status,
    dice::{Dice, DiceGame},
};
use xmas_http::finished::Finished;
use xmas_kernel::{Asset, Feature};

use super::{paths::GamePaths, receipt::ReceiptAnswer};
use crate::season_pass::stamp::StampAnswer;

impl GamePaths for Dice {
    const NAME: &'static str = "dice";
    const STATUS: &'static str = "The throws left today and the player's tokens.";
    const PLAY: &'static str = "Throws once for one token: two dice each, the higher sum wins.";
    type StatusAnswer = StatusAnswer;
    type PlayAnswer = PlayAnswer;
}

/// The dice game and what the player can do with it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DiceStatusAnswer, example = json!({
    "config_id": 1, "name": "크리스마스 주사위", "max_daily_plays": 0, "today_plays": 2,
    "remaining_plays": 0, "token_type": "DICE_TOKEN", "token_balance": 98, "feature_type": "DICE"
}))]
pub(crate) struct StatusAnswer {
    config_id: i64,
    name: String,
    /// 0 means no limit.
    max_daily_plays: i64,
    today_plays: i64,
    /// 0 means no limit, -1 none left today.
    remaining_plays: i64,
    #[schema(value_type = String)]
    token_type: Asset,
    token_balance: i64,
    #[schema(value_type = String)]
    feature_type: Feature,
}

impl From<Status<()>> for StatusAnswer {
    fn from(status: Status<()>) -> Self {
        Self {
            config_id: status.config_id.0,
            name: status.name,
            max_daily_plays: status.max_daily,
            today_plays: status.today_plays,
            remaining_plays: status.remaining,
            token_type: Dice::TOKEN,
            token_balance: status.token_balance,
            feature_type: Dice::FEATURE,
        }
    }
}

/// The throw and what it brought.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DicePlayAnswer, example = json!({
    "result": "OK",
    "game": {"user_dice": [6, 3], "dealer_dice": [2, 5], "user_sum": 9, "dealer_sum": 7,
        "outcome": "WIN", "reward_type": "POINT", "reward_amount": 500},
    "season_pass": null,
    "token_balance": 99,
    "receipt": {"play_id": 18, "reward_state": "DELIVERED", "odds_id": 2, "day": "2025-12-26",
        "nonce": 0, "attempt": 0, "coupon_code": null}
}))]
pub(crate) struct PlayAnswer {
    result: &'static str,
    game: DiceGameAnswer,
    /// The day's stamp, if this play brought it along.
    season_pass: Option<StampAnswer>,
    token_balance: i64,
    receipt: ReceiptAnswer,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_dice": [6, 3], "dealer_dice": [2, 5], "user_sum": 9,
    "dealer_sum": 7, "outcome": "WIN", "reward_type": "POINT", "reward_amount": 500}))]
pub(crate) struct DiceGameAnswer {
    /// 1 to 6 each.
    user_dice: [u8; 2],
    dealer_dice: [u8; 2],
    user_sum: u8,
    dealer_sum: u8,
    /// `WIN`, `DRAW` or `LOSE`.
    outcome: &'static str,
    reward_type: &'static str,
    reward_amount: i64,
}

impl From<DiceGame> for DiceGameAnswer {
    fn from(game: DiceGame) -> Self {
        let throw = game.throw;
        Self {
            user_dice: throw.user_dice,
            dealer_dice: throw.dealer_dice,
            user_sum: throw.user_sum,
            dealer_sum: throw.dealer_sum,
            outcome: throw.outcome.as_str(),
            reward_type: game.reward_type.as_str(),
            reward_amount: game.reward_amount,
        }
    }
}

impl Finished for PlayAnswer {
    fn may_be_kept(&self) -> bool {
        let stamp = self.season_pass.as_ref();
        self.receipt.may_be_kept() && stamp.is_none_or(Finished::may_be_kept)
    }
}

impl From<Play<DiceGame>> for PlayAnswer {
    fn from(play: Play<DiceGame>) -> Self {
        Self {
            result: "OK",
            game: play.outcome.into(),
            season_pass: play.season_pass.map(Into::into),
            token_balance: play.token_balance,
            receipt: play.receipt.into(),
        }
    }
}
