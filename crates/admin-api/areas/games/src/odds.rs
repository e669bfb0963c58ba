//! `/admin/api/odds/{feature}`: declared against observed.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::{
    Fairness, FairnessError,
    fairness::{OddsReport, ReportQuery, report::EntryReport},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    export::{self, Cell, ExportPage},
    extract::{Now, OddsTables, Params, PathPart, is_id},
    operation,
};
use xmas_kernel::{
    ErrorCode, Feature, OddsId,
    paging::{Limit, Page},
};
use xmas_time::Kst;

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(get).fails::<FairnessError>(&[ErrorCode::OddsNotFound]),
        operation!(csv).fails::<FairnessError>(&[ErrorCode::OddsNotFound]),
    ]
}

/// Which table an export is about.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct OddsExportParams {
    /// Only this table.
    #[validate(custom(function = is_id))]
    odds_id: Option<i64>,
}

/// The tables of a game, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"feature_type": "DICE", "items": [{"odds_id": 2,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "in_force": true, "first_play": "2025-12-26T09:00:00.000000+09:00",
    "last_play": "2025-12-26T21:00:00.000000+09:00", "draws": 1296, "total_weight": 1296,
    "entries": [{"id": 1, "label": "WIN", "weight": 575, "declared": 0.44367, "observed": 570,
        "observed_share": 0.43981, "reward_type": "POINT", "reward_amount": 500}],
    "chi_squared": 0.1, "degrees": 2, "p_value": 0.95, "is_reliable": true}],
    "next_cursor": null}))]
pub(crate) struct OddsReportAnswer {
    #[schema(value_type = String)]
    feature_type: Feature,
    items: Vec<TableReport>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A table, and what was drawn from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"odds_id": 2,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "in_force": true, "first_play": "2025-12-26T09:00:00.000000+09:00",
    "last_play": "2025-12-26T21:00:00.000000+09:00", "draws": 1296, "total_weight": 1296,
    "entries": [{"id": 1, "label": "WIN", "weight": 575, "declared": 0.44367, "observed": 570,
        "observed_share": 0.43981, "reward_type": "POINT", "reward_amount": 500}],
    "chi_squared": 0.1, "degrees": 2, "p_value": 0.95, "is_reliable": true}))]
pub(crate) struct TableReport {
    /// By what receipts name the table.
    odds_id: i64,
    /// SHA-256 of the table's published content.
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
    total_weight: u64,
    entries: Vec<EntryReportAnswer>,
    /// Pearson's test; null if nothing was drawn, if only one entry can come up, or if what cannot come up
    /// has.
    chi_squared: Option<f64>,
    /// Entries that can come up, less one.
    degrees: Option<u32>,
    /// How probable draws at least this far from the table are if it is true: of a hundred true tables,
    /// one is below 0.01. 0 if what cannot come up has.
    p_value: Option<f64>,
    /// Whether every entry is expected at least five times; with fewer the test says little.
    is_reliable: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "label": "WIN", "weight": 575, "declared": 0.44367,
    "observed": 570, "observed_share": 0.43981, "reward_type": "POINT", "reward_amount": 500}))]
pub(crate) struct EntryReportAnswer {
    id: i64,
    label: String,
    weight: u64,
    /// The probability that the table declares, 0 to 1.
    declared: f64,
    /// How often it was drawn.
    observed: i64,
    /// `observed` divided by the table's draws; null if there was none.
    observed_share: Option<f64>,
    reward_type: &'static str,
    reward_amount: i64,
}

impl From<OddsReport> for TableReport {
    fn from(report: OddsReport) -> Self {
        let draws = report.draws;
        let fit = report.fit;
        let entry = |entry: EntryReport| EntryReportAnswer {
            id: entry.entry.id,
            weight: entry.entry.weight,
            declared: entry.declared,
            observed: entry.observed,
            observed_share: (draws > 0).then(|| entry.observed as f64 / draws as f64),
            reward_type: entry.entry.reward_type.as_str(),
            reward_amount: entry.entry.reward_amount,
            label: entry.entry.label,
        };
        Self {
            odds_id: report.odds_id.0,
            content_hash: report.content_hash,
            in_force: report.in_force,
            first_play: report.first_play.map(Kst),
            last_play: report.last_play.map(Kst),
            draws,
            total_weight: report.total_weight,
            entries: report.entries.into_iter().map(entry).collect(),
            chi_squared: fit.map(|fit| fit.chi_squared).filter(|it| it.is_finite()),
            degrees: fit.map(|fit| fit.degrees),
            p_value: fit.map(|fit| fit.p_value),
            is_reliable: fit.map(|fit| fit.is_reliable),
        }
    }
}

/// Current and past tables of a game, declared against observed.
#[utoipa::path(get, operation_id = "report_odds", path = "/admin/api/odds/{feature}",
    tag = "admin: games", params(
        ("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`, in upper or lower case"),
        OddsTables),
    responses((status = 200, body = OddsReportAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    params: Params<OddsTables>,
    now: Now,
    fairness: Data<Fairness>,
) -> ApiResult<Json<OddsReportAnswer>> {
    let feature_type = feature(&part)?;
    let page = fairness
        .report(feature_type, (&params.0).into(), now.0)
        .await?;
    Ok(Json(OddsReportAnswer {
        feature_type,
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|cursor| cursor.0.to_string()),
    }))
}

const COLUMNS: &[&str] = &[
    "odds_id",
    "content_hash",
    "in_force",
    "first_play",
    "last_play",
    "draws",
    "total_weight",
    "entry_id",
    "label",
    "reward_type",
    "reward_amount",
    "weight",
    "declared",
    "observed",
    "observed_share",
    "chi_squared",
    "degrees",
    "p_value",
    "is_reliable",
];

/// As [`get`], with a line for each table and entry.
#[utoipa::path(get, operation_id = "export_odds", path = "/admin/api/odds/{feature}.csv",
    tag = "admin: games", params(
        ("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`, in upper or lower case"),
        OddsExportParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("odds_id,content_hash,in_force,first_play,last_play,draws,total_weight,entry_id,label,reward_type,reward_amount,weight,declared,observed,observed_share,chi_squared,degrees,p_value,is_reliable\n1,f6bd55d1ededf681c79722c649b9fa27e95f64f5e1108e4fdad3d9b37058ceeb,true,2025-12-25T09:00:00.000000+09:00,2025-12-25T09:00:00.000000+09:00,2,1000,1,다음 기회에,NONE,0,120,0.12,0,0,2.545454545454546,5,0.7696345068217342,false\n"))), security(("bearer" = [])))]
pub(crate) async fn csv(
    part: PathPart<String>,
    params: Params<OddsExportParams>,
    now: Now,
    fairness: Data<Fairness>,
) -> ApiResult<HttpResponse> {
    let feature = feature(&part)?;
    let only = params.0.odds_id.map(OddsId);
    let name = format!("odds-{}", feature.as_str().to_ascii_lowercase());
    export::answer(&name, COLUMNS, move |before| {
        let fairness = fairness.clone();
        async move {
            let query = ReportQuery {
                only,
                before,
                limit: Limit::clamped(50),
            };
            let Page { items, next } = fairness.report(feature, query, now.0).await?;
            let tables = items.into_iter().map(TableReport::from);
            Ok(ExportPage {
                rows: tables.flat_map(lines).collect(),
                next,
            })
        }
    })
    .await
}

fn lines(table: TableReport) -> Vec<Vec<Cell>> {
    let number = |number: Option<i64>| number.map_or(Cell::Empty, Cell::Number);
    let decimal = |number: Option<f64>| number.map_or(Cell::Empty, Cell::Decimal);
    let at = |at: Option<Kst>| Cell::maybe(at.map(|at| at.to_string()));
    let weight = |weight: u64| number(i64::try_from(weight).ok());
    let line = |entry: &EntryReportAnswer| {
        vec![
            Cell::Number(table.odds_id),
            Cell::text(&table.content_hash),
            Cell::text(table.in_force.to_string()),
            at(table.first_play),
            at(table.last_play),
            Cell::Number(table.draws),
            weight(table.total_weight),
            Cell::Number(entry.id),
            Cell::text(&entry.label),
            Cell::text(entry.reward_type),
            Cell::Number(entry.reward_amount),
            weight(entry.weight),
            Cell::Decimal(entry.declared),
            Cell::Number(entry.observed),
            decimal(entry.observed_share),
            decimal(table.chi_squared),
            number(table.degrees.map(i64::from)),
            decimal(table.p_value),
            Cell::maybe(table.is_reliable.map(|it| it.to_string())),
        ]
    };
    table.entries.iter().map(line).collect()
}

/// The game that a path names.
fn feature(part: &PathPart<String>) -> ApiResult<Feature> {
    let feature = part.0.to_ascii_uppercase().parse();
    feature.map_err(|_| ApiError::new(ErrorCode::OddsNotFound))
}
