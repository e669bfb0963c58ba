//! `GET /api/season-pass/internal-wins`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{endpoint::Operation, operation};
use xmas_season_pass::{SeasonError, SeasonPassService};

use xmas_http::{
    error::ApiResult,
    extract::{Now, Player},
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"total_wins": 12, "threshold": 50, "remaining": 38}))]
pub(crate) struct InternalWinsAnswer {
    total_wins: i64,
    threshold: i64,
    /// 0 once the bonus stamp is earned.
    remaining: i64,
}

pub(crate) fn operation() -> Operation {
    operation!(internal_wins).fails::<SeasonError>(super::status::ERRORS)
}

/// How far the player is from the once-a-season bonus stamp.
#[utoipa::path(get, path = "/api/season-pass/internal-wins", tag = "season-pass",
    responses((status = 200, body = InternalWinsAnswer)), security(("bearer" = [])))]
pub(crate) async fn internal_wins(
    player: Player,
    now: Now,
    season_pass: Data<dyn SeasonPassService>,
) -> ApiResult<Json<InternalWinsAnswer>> {
    let wins = season_pass.internal_wins(&player.0, now.0).await?;
    Ok(Json(InternalWinsAnswer {
        total_wins: wins.total_wins,
        threshold: wins.threshold,
        remaining: wins.remaining,
    }))
}
