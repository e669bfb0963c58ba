//! `POST /api/dice/play`.

use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    GameError, GameService, Play,
    dice::{Dice, DiceGame},
};
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::ApiResult,
    extract::{Command, IdempotencyKey, Nothing, Now, Player},
    operation,
};
use xmas_kernel::ErrorCode;

use crate::{
    play::{self, ReceiptAnswer},
    season_pass::stamp::StampAnswer,
};

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

pub(crate) fn operation() -> Operation {
    operation!(play)
        .fails::<GameError>(&play::ERRORS)
        .fails::<GameError>(&[ErrorCode::InvalidDiceConfig])
}

/// Throws once for one token: two dice each, the higher sum wins.
#[utoipa::path(post, path = "/api/dice/play", tag = "dice",
    responses((status = 200, body = PlayAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn play(
    player: Player,
    command: Command<Nothing>,
    now: Now,
    dice: Data<dyn GameService<Dice>>,
) -> ApiResult<Answer<PlayAnswer>> {
    let command = play::command(player, command);
    Ok(Answer::of(dice.play(&command, now.0).await?))
}
