//! `GET /api/odds/{feature}/history`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::{
    Fairness, FairnessError,
    fairness::{OddsChange, OddsHistory},
};
use xmas_http::{
    answer::tagged_json,
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Now, Params, PathPart, is_id},
    operation,
};
use xmas_kernel::{
    ErrorCode, Feature, OddsId,
    paging::{Cursor, Limit},
};
use xmas_texts::{field, quoted};
use xmas_time::{EventDay, Kst};

use super::feature;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// A day in Korea, such as `2025-12-26`; today if it is left out.
    day: Option<String>,
    /// `next_cursor` of the page before.
    #[validate(custom(function = is_id))]
    cursor: Option<i64>,
    /// How many changes to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 100, minimum = 1, maximum = 200)]
    limit: u64,
}

fn usual_limit() -> u64 {
    100
}

/// What has changed of a game's odds on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"feature_type": "LOTTERY", "day": "2025-12-28",
    "at_start": {"change": "IN_FORCE", "at": "2025-12-25T00:00:00.000000+09:00", "odds_id": 3,
        "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
        "plan_id": null, "effective_from": null},
    "items": [{"change": "ANNOUNCED", "at": "2025-12-28T09:00:00.000000+09:00", "odds_id": 4,
        "content_hash": "9b1e7a5c3d80f46212ab90cd77e5f3046a8c1d2e9f0b4a6758c3e2d1f0a9b8c7",
        "plan_id": 1, "effective_from": "2025-12-29T00:00:00.000000+09:00"}],
    "next_cursor": null}))]
pub(crate) struct OddsHistoryAnswer {
    #[schema(value_type = String)]
    feature_type: Feature,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    /// What was in force when the day began; null if that is not known, as of a day to come.
    at_start: Option<OddsChangeAnswer>,
    /// Oldest first.
    items: Vec<OddsChangeAnswer>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A change of a game's odds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"change": "IN_FORCE", "at": "2025-12-25T00:00:00.000000+09:00", "odds_id": 3,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "plan_id": null, "effective_from": null}))]
pub(crate) struct OddsChangeAnswer {
    /// `IN_FORCE`: from then on plays are drawn from this table. `NONE`: from then on nothing is drawn. `ANNOUNCED`: this
    /// table was to take over at `effective_from`; what became of it is `TAKEN_OVER` (it is in force without what had run
    /// out), `WITHDRAWN` (it will not be), or `REFUSED` (it could not be, and what was in force stayed so).
    change: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    odds_id: Option<i64>,
    content_hash: Option<String>,
    /// Which announcement it is about, or by which a table came into force.
    plan_id: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    effective_from: Option<Kst>,
}

impl OddsChangeAnswer {
    fn of(change: &OddsChange, hashes: &HashMap<OddsId, String>) -> Self {
        Self {
            change: change.kind.as_str(),
            at: Kst(change.at),
            odds_id: change.odds_id.map(|id| id.0),
            content_hash: change.odds_id.and_then(|id| hashes.get(&id).cloned()),
            plan_id: change.plan_id.map(|id| id.0),
            effective_from: change.effective_from.map(Kst),
        }
    }
}

impl OddsHistoryAnswer {
    fn of(feature_type: Feature, history: &OddsHistory) -> Self {
        let change = |change: &OddsChange| OddsChangeAnswer::of(change, &history.hashes);
        Self {
            feature_type,
            day: history.day,
            at_start: history.at_start.as_ref().map(change),
            items: history.changes.iter().map(change).collect(),
            next_cursor: history.next.map(|cursor| cursor.0.to_string()),
        }
    }
}

pub(super) fn operation() -> Operation {
    operation!(odds_history).fails::<FairnessError>(&[ErrorCode::OddsNotFound])
}

/// What was in force from when on, and what was announced, withdrawn or took over, day by day. Needs no token; ask with
/// `If-None-Match`.
#[utoipa::path(get, path = "/api/odds/{feature}/history", tag = "fairness",
    params(("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`"), HistoryParams),
    responses((status = 200, body = OddsHistoryAnswer, headers(("etag" = String, description = "For `If-None-Match`."))),
        (status = 304, description = "As before.", headers(("etag" = String, description = "As it was.")))))]
pub(crate) async fn odds_history(
    part: PathPart<String>,
    params: Params<HistoryParams>,
    now: Now,
    request: HttpRequest,
    fairness: Data<Fairness>,
) -> ApiResult<HttpResponse> {
    let feature = feature(&part)?;
    let Params(params) = params;
    let day = match &params.day {
        Some(text) => {
            let day = text.parse();
            day.map_err(|_| ApiError::field("day", field::day(quoted(text))))?
        }
        None => EventDay::of(now.0),
    };
    let page = (params.cursor.map(Cursor), Limit::clamped(params.limit));
    let history = fairness.history(feature, day, page, now.0).await?;
    Ok(tagged_json(
        &request,
        &OddsHistoryAnswer::of(feature, &history),
    ))
}
