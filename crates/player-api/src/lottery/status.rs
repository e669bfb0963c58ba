//! `GET /api/lottery/status`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Game, GameError, GameService, Status,
    lottery::{Lottery, Prize},
};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Player},
    operation,
};
use xmas_kernel::{Asset, ErrorCode, Feature};

use crate::lottery::prize::PrizeAnswer;

/// The prizes and what the player can do to win one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LotteryStatusAnswer, example = json!({
    "config_id": 1, "name": "크리스마스 복권", "max_daily_tickets": 0, "today_tickets": 1,
    "remaining_tickets": 0, "token_type": "LOTTERY_TICKET", "token_balance": 99,
    "feature_type": "LOTTERY",
    "prize_preview": [{"id": 4, "label": "3,000 포인트", "reward_type": "POINT",
        "reward_amount": 3_000, "stock": 497, "is_active": true}]
}))]
pub(crate) struct StatusAnswer {
    config_id: i64,
    name: String,
    /// 0 means no limit.
    max_daily_tickets: i64,
    today_tickets: i64,
    /// 0 means no limit, -1 none left today.
    remaining_tickets: i64,
    #[schema(value_type = String)]
    token_type: Asset,
    token_balance: i64,
    #[schema(value_type = String)]
    feature_type: Feature,
    /// All that take part, also those of which nothing is left.
    prize_preview: Vec<PrizeAnswer>,
}

impl From<Status<Vec<Prize>>> for StatusAnswer {
    fn from(status: Status<Vec<Prize>>) -> Self {
        Self {
            config_id: status.config_id.0,
            name: status.name,
            max_daily_tickets: status.max_daily,
            today_tickets: status.today_plays,
            remaining_tickets: status.remaining,
            token_type: Lottery::TOKEN,
            token_balance: status.token_balance,
            feature_type: Lottery::FEATURE,
            prize_preview: status.menu.into_iter().map(Into::into).collect(),
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(status).fails::<GameError>(&[
        ErrorCode::FeatureDisabled,
        ErrorCode::NoFeatureToday,
        ErrorCode::InvalidLotteryConfig,
    ])
}

/// The prizes, the tickets left today and those that the player holds.
#[utoipa::path(get, path = "/api/lottery/status", tag = "lottery",
    responses((status = 200, body = StatusAnswer)), security(("bearer" = [])))]
pub(crate) async fn status(
    player: Player,
    now: Now,
    lottery: Data<dyn GameService<Lottery>>,
) -> ApiResult<Json<StatusAnswer>> {
    let status = lottery.status(&player.0, now.0).await?;
    Ok(Json(status.into()))
}
