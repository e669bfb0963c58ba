//! `POST /api/roulette/play`.

use actix_web::{HttpRequest, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{PlayCommand, Receipt, RouletteService, roulette::RoulettePlay};
use xmas_kernel::ErrorCode;
use xmas_time::EventDay;

use super::segment::SegmentAnswer;
use crate::{
    error::{ApiError, ApiResult},
    extract::{Command, IdempotencyKey, Now, Payload, Player},
    routes::{answer::Answer, season_pass::stamp::StampAnswer},
};

/// A play needs no body; clients send an empty one, and whatever else comes is not looked at.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Payload for Nothing {
    fn parse(_: &HttpRequest, _: &[u8]) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// What came up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "result": "OK",
    "segment": {"id": 2, "label": "룰렛 티켓 3장", "reward_type": "TICKET_ROULETTE",
        "reward_amount": 3, "slot_index": 1, "is_jackpot": false},
    "season_pass": null,
    "token_balance": 102,
    "receipt": {"play_id": 17, "reward_state": "DELIVERED", "odds_id": null,
        "day": "2025-12-26", "nonce": 0}
}))]
pub(crate) struct PlayAnswer {
    result: &'static str,
    segment: SegmentAnswer,
    /// The day's stamp, if this play brought it along.
    season_pass: Option<StampAnswer>,
    token_balance: i64,
    receipt: ReceiptAnswer,
}

/// By what the play can be found again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceiptAnswer {
    play_id: i64,
    /// `DELIVERED`, `PENDING_REVIEW` or `REJECTED`.
    reward_state: &'static str,
    odds_id: Option<i64>,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// The player's 0-based play number for the game and day.
    nonce: i64,
}

impl From<RoulettePlay> for PlayAnswer {
    fn from(play: RoulettePlay) -> Self {
        Self {
            result: "OK",
            segment: play.segment.into(),
            season_pass: play.season_pass.map(Into::into),
            token_balance: play.token_balance,
            receipt: play.receipt.into(),
        }
    }
}

impl From<Receipt> for ReceiptAnswer {
    fn from(receipt: Receipt) -> Self {
        Self {
            play_id: receipt.play_id.0,
            reward_state: receipt.reward_state.as_str(),
            odds_id: receipt.odds_id,
            day: receipt.day,
            nonce: receipt.nonce,
        }
    }
}

pub(crate) const ERRORS: &[ErrorCode] = &[
    ErrorCode::FeatureDisabled,
    ErrorCode::NoFeatureToday,
    ErrorCode::InvalidRouletteConfig,
    ErrorCode::DailyLimitReached,
    ErrorCode::NotEnoughTokens,
    ErrorCode::NoActiveSeasonConflict,
];

/// Spins once for one coin.
#[utoipa::path(post, path = "/api/roulette/play", tag = "roulette",
    responses((status = 200, body = PlayAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn play(
    player: Player,
    command: Command<Nothing>,
    now: Now,
    roulette: Data<dyn RouletteService>,
) -> ApiResult<Answer<PlayAnswer>> {
    let command = PlayCommand {
        identity: player.0,
        request: command.request,
    };
    Ok(Answer::of(roulette.play(&command, now.0).await?))
}
