//! `GET /api/roulette/status`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Game, GameError, GameService, Status,
    roulette::{Roulette, Segment},
};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Player},
    operation,
};
use xmas_kernel::{Asset, ErrorCode, Feature};

use crate::roulette::segment::SegmentAnswer;

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

pub(crate) fn operation() -> Operation {
    operation!(status).fails::<GameError>(&[
        ErrorCode::FeatureDisabled,
        ErrorCode::NoFeatureToday,
        ErrorCode::InvalidRouletteConfig,
    ])
}

/// The wheel, the spins left today and the player's coins.
#[utoipa::path(get, path = "/api/roulette/status", tag = "roulette",
    responses((status = 200, body = StatusAnswer)), security(("bearer" = [])))]
pub(crate) async fn status(
    player: Player,
    now: Now,
    roulette: Data<dyn GameService<Roulette>>,
) -> ApiResult<Json<StatusAnswer>> {
    let status = roulette.status(&player.0, now.0).await?;
    Ok(Json(status.into()))
}
