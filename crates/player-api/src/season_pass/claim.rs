//! `POST /api/season-pass/claim`.

use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Command, IdempotencyKey, Now, Player},
    finished::{FinishedAnswer, FinishedAnswers},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_season_pass::{ClaimCommand, SeasonError, SeasonPassService};

use crate::season_pass::reward::LevelRewardAnswer;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": 7}))]
pub(crate) struct ClaimRequest {
    level: i64,
}

pub(crate) fn operation() -> Operation {
    operation!(claim).fails::<SeasonError>(&[
        ErrorCode::FeatureDisabled,
        ErrorCode::NoFeatureToday,
        ErrorCode::InvalidConfig,
        ErrorCode::NoActiveSeason,
        ErrorCode::NoActiveSeasonConflict,
        ErrorCode::LevelNotFound,
        ErrorCode::LevelNotReached,
        ErrorCode::AutoClaimLevel,
        ErrorCode::RewardAlreadyClaimed,
    ])
}

/// Collects the reward of one level that does not pay by itself. Works on through the grace days
/// after the season.
#[utoipa::path(post, path = "/api/season-pass/claim", tag = "season-pass",
    request_body = ClaimRequest, responses((status = 200, body = LevelRewardAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn claim(
    player: Player,
    command: Command<ClaimRequest>,
    now: Now,
    season_pass: Data<dyn SeasonPassService>,
    finished: Data<FinishedAnswers>,
) -> ApiResult<FinishedAnswer> {
    let command = ClaimCommand {
        identity: player.0,
        request: command.request,
        level: command.body.level,
    };
    let run = season_pass.claim(&command, now.0);
    let request = command.request.as_ref();
    finished
        .answer::<LevelRewardAnswer, _, _>(&player.0, request, run)
        .await
}
