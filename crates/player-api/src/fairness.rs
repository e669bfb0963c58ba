//! `GET /api/fairness/{day}`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{Fairness, FairnessError, fairness::DayFairness};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Now, PathPart},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_time::{EventDay, Kst};

/// What all draws of a day are made with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "day": "2025-12-26",
    "commitment": "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0",
    "committed_at": "2025-12-25T09:00:00.000000+09:00",
    "reveals_at": "2025-12-27T00:10:00.000000+09:00",
    "revealed": true,
    "seed": "0707070707070707070707070707070707070707070707070707070707070707"
}))]
pub(crate) struct FairnessAnswer {
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// SHA-256 of the seed, in hexadecimal digits.
    commitment: String,
    /// Since when the commitment has been public.
    #[schema(value_type = String, format = DateTime)]
    committed_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    reveals_at: Kst,
    revealed: bool,
    /// The seed in hexadecimal digits; null until it is revealed.
    seed: Option<String>,
}

impl From<DayFairness> for FairnessAnswer {
    fn from(day: DayFairness) -> Self {
        Self {
            day: day.day,
            commitment: day.commitment,
            committed_at: Kst(day.committed_at),
            reveals_at: Kst(day.reveals_at),
            revealed: day.seed.is_some(),
            seed: day.seed.map(|seed| hex::encode(seed.expose())),
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(fairness).fails::<FairnessError>(&[ErrorCode::DayNotFound])
}

/// A day's commitment, published before the day, and its seed, revealed after it. Needs no token.
#[utoipa::path(get, path = "/api/fairness/{day}", tag = "fairness",
    params(("day" = String, Path, description = "A date in Asia/Seoul, such as `2025-12-26`")),
    responses((status = 200, body = FairnessAnswer)))]
pub(crate) async fn fairness(
    day: PathPart<String>,
    now: Now,
    fairness: Data<Fairness>,
) -> ApiResult<Json<FairnessAnswer>> {
    let day: Result<EventDay, _> = day.0.parse();
    let day = day.map_err(|_| ApiError::new(ErrorCode::DayNotFound))?;
    Ok(Json(fairness.day(day, now.0).await?.into()))
}
