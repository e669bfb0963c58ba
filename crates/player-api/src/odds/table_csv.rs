//! `GET /api/odds/{feature}.csv`.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use xmas_games::{Fairness, FairnessError};
use xmas_http::{
    answer::tagged,
    endpoint::Operation,
    error::ApiResult,
    export::{self, Cell},
    extract::{Now, Params, PathPart},
    operation,
};
use xmas_kernel::version::Version;

use super::{
    NO_ODDS, feature,
    table::{EntryAnswer, OddsParams, answer},
};

const COLUMNS: &[&str] = &[
    "feature_type",
    "odds_id",
    "content_hash",
    "in_force_since",
    "effective_from",
    "entry_id",
    "label",
    "reward_type",
    "reward_amount",
    "weight",
    "total_weight",
    "percent",
    "percent_exact",
    "full_percent",
    "full_percent_exact",
    "stock",
    "stock_total",
];

pub(super) fn operation() -> Operation {
    operation!(odds_csv).fails::<FairnessError>(NO_ODDS)
}

/// As `/api/odds/{feature}`, with a line for each entry: first the table in force, then those that are announced, which
/// have `effective_from`.
#[utoipa::path(get, path = "/api/odds/{feature}.csv", tag = "fairness",
    params(("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`"), OddsParams),
    responses((status = 200, content_type = "text/csv", body = String,
        headers(("etag" = String, description = "For `If-None-Match`.")),
        example = json!("feature_type,odds_id,content_hash,in_force_since,effective_from,entry_id,label,reward_type,reward_amount,weight,total_weight,percent,percent_exact,full_percent,full_percent_exact,stock,stock_total\nLOTTERY,3,4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70,2025-12-25T00:00:00.000000+09:00,,5,배민 2만,COUPON,1,20,1000,2%,2,2%,2,18,20\n")),
        (status = 304, description = "As before.", headers(("etag" = String, description = "As it was.")))))]
pub(crate) async fn odds_csv(
    part: PathPart<String>,
    params: Params<OddsParams>,
    now: Now,
    request: HttpRequest,
    fairness: Data<Fairness>,
) -> ApiResult<HttpResponse> {
    let feature = feature(&part)?;
    let odds = answer(feature, &params.0, now, &fairness).await?;
    let line = |name: &[Cell], total: u64, entry: &EntryAnswer| {
        let mut cells = name.to_vec();
        cells.extend(entry_cells(entry, total));
        cells
    };
    let name = [
        Cell::text(feature.as_str()),
        odds.odds_id.map_or(Cell::Empty, Cell::Number),
        Cell::maybe(odds.content_hash.as_ref()),
        Cell::maybe(odds.in_force_since.map(|since| since.to_string())),
        Cell::Empty,
    ];
    let entries = odds.entries.iter();
    let mut lines: Vec<_> = entries
        .map(|entry| line(&name, odds.total_weight, entry))
        .collect();
    for next in &odds.next {
        let name = [
            Cell::text(feature.as_str()),
            Cell::Number(next.odds_id),
            Cell::text(&next.content_hash),
            Cell::Empty,
            Cell::text(next.effective_from.to_string()),
        ];
        let entries = next.entries.iter();
        lines.extend(entries.map(|entry| line(&name, next.total_weight, entry)));
    }
    let table = export::table(COLUMNS, &lines)?;
    let name = format!("odds-{}", feature.as_str().to_ascii_lowercase());
    Ok(tagged(&request, &Version::of(&table), true, |answer| {
        export::named(answer, &name);
        answer.body(table)
    }))
}

fn entry_cells(entry: &EntryAnswer, total: u64) -> [Cell; 12] {
    let number = |number: Option<i64>| number.map_or(Cell::Empty, Cell::Number);
    let weight = |weight: u64| number(i64::try_from(weight).ok());
    // With its sign no spreadsheet takes a fraction for a date.
    let exact = |percent: &str| Cell::text(format!("{percent}%"));
    [
        Cell::Number(entry.id),
        Cell::text(&entry.label),
        Cell::text(entry.reward_type),
        Cell::Number(entry.reward_amount),
        weight(entry.weight),
        weight(total),
        Cell::text(&entry.percent),
        exact(&entry.percent_exact),
        Cell::text(&entry.full_percent),
        exact(&entry.full_percent_exact),
        number(entry.stock),
        number(entry.stock_total),
    ]
}
