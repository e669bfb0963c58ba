//! `GET /api/odds/{feature}/observed`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Fairness, FairnessError,
    fairness::{OddsReport, report::EntryReport},
    percent::Percent,
};
use xmas_http::{
    answer::tagged_json,
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, OddsTables, Params, PathPart},
    operation,
};
use xmas_kernel::{ErrorCode, Feature};
use xmas_time::Kst;

use super::feature;

/// How often each result came up, table by table, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"feature_type": "DICE", "updated_at": "2025-12-26T21:00:00.000000+09:00",
    "items": [{"odds_id": 2,
        "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
        "in_force": true, "first_play": "2025-12-26T09:00:00.000000+09:00",
        "last_play": "2025-12-26T20:59:00.000000+09:00", "draws": 1296,
        "entries": [{"id": 1, "label": "WIN", "weight": 575, "percent": "44.3673%",
            "percent_exact": "14375/324", "observed": 570, "observed_percent": "43.9815%"}],
        "chi_squared": 0.1, "degrees": 2, "p_value": 0.95, "is_reliable": true}],
    "next_cursor": null}))]
pub(crate) struct ObservedAnswer {
    #[schema(value_type = String)]
    feature_type: Feature,
    /// When it was counted last: once in every hour. Null before the first time.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Kst>,
    items: Vec<ObservedTable>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A table, and what was drawn from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"odds_id": 2,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "in_force": true, "first_play": "2025-12-26T09:00:00.000000+09:00",
        "last_play": "2025-12-26T20:59:00.000000+09:00", "draws": 1296,
    "entries": [{"id": 1, "label": "WIN", "weight": 575, "percent": "44.3673%",
        "percent_exact": "14375/324", "observed": 570, "observed_percent": "43.9815%"}],
    "chi_squared": 0.1, "degrees": 2, "p_value": 0.95, "is_reliable": true}))]
pub(crate) struct ObservedTable {
    odds_id: i64,
    content_hash: String,
    /// Whether a play now would be drawn from it.
    in_force: bool,
    /// The span of its plays; null if there was none.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_play: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_play: Option<Kst>,
    /// All draws, also those whose prize had run out.
    draws: i64,
    entries: Vec<ObservedEntry>,
    /// Pearson's test; null if nothing was drawn, if only one entry can come up, or if what cannot come up has.
    chi_squared: Option<f64>,
    /// Entries that can come up, less one.
    degrees: Option<u32>,
    /// How probable draws at least this far from the table are if it is true: of a hundred true tables, one is below
    /// 0.01. 0 if what cannot come up has.
    p_value: Option<f64>,
    /// Whether every entry is expected at least five times; with fewer the test says little.
    is_reliable: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "label": "WIN", "weight": 575, "percent": "44.3673%",
    "percent_exact": "14375/324", "observed": 570, "observed_percent": "43.9815%"}))]
pub(crate) struct ObservedEntry {
    id: i64,
    label: String,
    weight: u64,
    /// What the table declares, rounded.
    percent: String,
    /// The same, exactly.
    percent_exact: String,
    /// How often it was drawn.
    observed: i64,
    /// Its share of the table's draws; null if there was none.
    observed_percent: Option<String>,
}

impl From<OddsReport> for ObservedTable {
    fn from(report: OddsReport) -> Self {
        let draws = report.draws;
        let share = |observed: i64| {
            let (observed, draws) = (u64::try_from(observed).ok()?, u64::try_from(draws).ok()?);
            (draws > 0).then(|| Percent::of(observed, draws).to_string())
        };
        let entry = |entry: EntryReport| ObservedEntry {
            id: entry.entry.id,
            label: entry.entry.label,
            weight: entry.entry.weight,
            percent: entry.percent.to_string(),
            percent_exact: entry.percent.exact(),
            observed: entry.observed,
            observed_percent: share(entry.observed),
        };
        let fit = report.fit;
        Self {
            odds_id: report.odds_id.0,
            content_hash: report.content_hash,
            in_force: report.in_force,
            first_play: report.first_play.map(Kst),
            last_play: report.last_play.map(Kst),
            draws,
            entries: report.entries.into_iter().map(entry).collect(),
            chi_squared: fit.map(|fit| fit.chi_squared).filter(|it| it.is_finite()),
            degrees: fit.map(|fit| fit.degrees),
            p_value: fit.map(|fit| fit.p_value),
            is_reliable: fit.map(|fit| fit.is_reliable),
        }
    }
}

pub(super) fn operation() -> Operation {
    operation!(odds_observed).fails::<FairnessError>(&[ErrorCode::OddsNotFound])
}

/// How often each result of a game came up, beside what its tables declare: counted once in every hour. Needs no token;
/// ask with `If-None-Match`.
#[utoipa::path(get, path = "/api/odds/{feature}/observed", tag = "fairness",
    params(("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`"), OddsTables),
    responses((status = 200, body = ObservedAnswer, headers(("etag" = String, description = "For `If-None-Match`."))),
        (status = 304, description = "As before.", headers(("etag" = String, description = "As it was.")))))]
pub(crate) async fn odds_observed(
    part: PathPart<String>,
    params: Params<OddsTables>,
    now: Now,
    request: HttpRequest,
    fairness: Data<Fairness>,
) -> ApiResult<HttpResponse> {
    let feature_type = feature(&part)?;
    let (page, updated_at) = fairness
        .observed(feature_type, (&params.0).into(), now.0)
        .await?;
    let answer = ObservedAnswer {
        feature_type,
        updated_at: updated_at.map(Kst),
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|cursor| cursor.0.to_string()),
    };
    Ok(tagged_json(&request, &answer))
}
