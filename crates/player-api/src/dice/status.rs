//! `GET /api/dice/status`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{Game, GameError, GameService, Status, dice::Dice};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Player},
    operation,
};
use xmas_kernel::{Asset, ErrorCode, Feature};

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

pub(crate) fn operation() -> Operation {
    operation!(status).fails::<GameError>(&[
        ErrorCode::FeatureDisabled,
        ErrorCode::NoFeatureToday,
        ErrorCode::InvalidDiceConfig,
    ])
}

/// The throws left today and the player's tokens.
#[utoipa::path(get, path = "/api/dice/status", tag = "dice",
    responses((status = 200, body = StatusAnswer)), security(("bearer" = [])))]
pub(crate) async fn status(
    player: Player,
    now: Now,
    dice: Data<dyn GameService<Dice>>,
) -> ApiResult<Json<StatusAnswer>> {
    let status = dice.status(&player.0, now.0).await?;
    Ok(Json(status.into()))
}
