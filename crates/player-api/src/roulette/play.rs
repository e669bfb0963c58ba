//! `POST /api/roulette/play`.

use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    GameError, GameService, Play,
    roulette::{Roulette, Segment},
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
    roulette::segment::SegmentAnswer,
    season_pass::stamp::StampAnswer,
};

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

pub(crate) fn operation() -> Operation {
    operation!(play)
        .fails::<GameError>(&play::ERRORS)
        .fails::<GameError>(&[ErrorCode::InvalidRouletteConfig])
}

/// Spins once for one coin.
#[utoipa::path(post, path = "/api/roulette/play", tag = "roulette",
    responses((status = 200, body = PlayAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn play(
    player: Player,
    command: Command<Nothing>,
    now: Now,
    roulette: Data<dyn GameService<Roulette>>,
) -> ApiResult<Answer<PlayAnswer>> {
    let command = play::command(player, command);
    Ok(Answer::of(roulette.play(&command, now.0).await?))
}
