//! `POST /api/lottery/play`.

use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    GameError, GameService, Play,
    lottery::{Lottery, Prize},
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
    lottery::prize::PrizeAnswer,
    play::{self, ReceiptAnswer},
    season_pass::stamp::StampAnswer,
};

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

pub(crate) fn operation() -> Operation {
    operation!(play)
        .fails::<GameError>(&play::ERRORS)
        .fails::<GameError>(&[ErrorCode::InvalidLotteryConfig])
}

/// Draws once for one ticket. A prize that has run out in the meantime is drawn around.
#[utoipa::path(post, path = "/api/lottery/play", tag = "lottery",
    responses((status = 200, body = PlayAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn play(
    player: Player,
    command: Command<Nothing>,
    now: Now,
    lottery: Data<dyn GameService<Lottery>>,
) -> ApiResult<Answer<PlayAnswer>> {
    let command = play::command(player, command);
    Ok(Answer::of(lottery.play(&command, now.0).await?))
}
