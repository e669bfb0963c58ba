//! What batches are asked for with: a table, or JSON.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_kernel::{Asset, UserId};
use xmas_players::{GivenId, PlayerRef};
use xmas_rewards::{BatchLine, BatchOrders, RecipientFilter, Refusal};
use xmas_time::{DateTime, EventDay, Kst, Utc};

use super::{asset, token_types};
use crate::{
    error::{ApiError, ApiResult},
    extract::{Column, CsvRow, CsvUpload},
};

/// The same for everybody who fits.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token_type": "ROULETTE_COIN", "amount": 1, "filter": {"status": "ACTIVE"},
    "batch_id": "daily-2025-12-26", "reason": "매일 티켓"}))]
pub(crate) struct BatchRequest {
    token_type: Option<String>,
    /// For each of them: 1 to 1,000,000,000.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    amount: i64,
    filter: BatchFilter,
    /// As the parameter of this name.
    pub(super) batch_id: Option<String>,
    /// For the audit log, if there is no `X-Reason`.
    pub(super) reason: Option<String>,
}

/// Players who are ACTIVE: all of them, or those who have played since.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"played_since": "2025-12-25"}))]
pub(crate) struct BatchFilter {
    /// `ACTIVE`.
    status: Option<String>,
    /// An instant in RFC 3339, or a day in Korea.
    played_since: Option<String>,
}

/// What an upload may have; the nickname is for people, and comes with `payout.csv`.
const COLUMNS: [Column; 5] = [
    Column::text("user_id"),
    Column::id("external_id"),
    Column::text("nickname"),
    Column::text("token_type"),
    Column::text("amount").required(),
];

pub(super) fn listed(upload: &CsvUpload, usual: Option<Asset>) -> ApiResult<BatchOrders> {
    let table = upload.table(&COLUMNS)?;
    let mut lines = Vec::with_capacity(table.rows.len());
    let mut unreadable = Vec::new();
    for row in &table.rows {
        match line(row, usual) {
            Ok(line) => lines.push(line),
            Err((field, text)) => unreadable.push(Refusal {
                line: row.line,
                field,
                text,
            }),
        }
    }
    Ok(BatchOrders::Listed { lines, unreadable })
}

fn line(row: &CsvRow, usual: Option<Asset>) -> Result<BatchLine, (&'static str, String)> {
    let number = |column| {
        let number = row.whole_number(column);
        number.map_err(|problem| (column, problem.to_owned()))
    };
    let asset = match row.get("token_type") {
        Some(name) => name.parse().map_err(|_| ("token_type", token_types()))?,
        None => usual.ok_or_else(|| ("token_type", "is there, or in the query".to_owned()))?,
    };
    let amount = number("amount")?;
    let external_id = row.get("external_id").map(GivenId::try_from).transpose();
    Ok(BatchLine {
        line: row.line,
        who: PlayerRef {
            user_id: number("user_id")?.map(UserId),
            external_id: external_id.map_err(|error| ("external_id", error.0.to_string()))?,
        },
        asset,
        amount: amount.ok_or_else(|| ("amount", "is there".to_owned()))?,
    })
}

pub(super) fn everybody(
    body: &BatchRequest,
    usual: Option<Asset>,
    now: DateTime<Utc>,
) -> ApiResult<BatchOrders> {
    let named = body.token_type.as_deref().map(asset).transpose()?;
    let asset = named
        .or(usual)
        .ok_or_else(|| ApiError::field("token_type", token_types()))?;
    let filter = &body.filter;
    if filter.status.is_none() && filter.played_since.is_none() {
        let problem = "has the status ACTIVE, or says since when they have played";
        return Err(ApiError::field("filter", problem));
    }
    if filter
        .status
        .as_deref()
        .is_some_and(|name| name != "ACTIVE")
    {
        return Err(ApiError::field("filter.status", "is ACTIVE"));
    }
    let since = filter.played_since.as_deref();
    let played_since = since.map(|since| instant(since, now)).transpose()?;
    Ok(BatchOrders::Everybody {
        filter: RecipientFilter { played_since },
        asset,
        amount: body.amount,
    })
}

/// An instant in the past, written in RFC 3339 or as a day in Korea.
fn instant(text: &str, now: DateTime<Utc>) -> ApiResult<DateTime<Utc>> {
    let day = text.parse::<EventDay>().map(EventDay::start).ok();
    let quoted = serde_json::Value::from(text);
    let instant = day.or_else(|| Some(serde_json::from_value::<Kst>(quoted).ok()?.0));
    let first = EventDay::from_ymd(2000, 1, 1).map(EventDay::start);
    let known = instant.filter(|instant| Some(*instant) >= first && *instant <= now);
    let problem = "is an instant in RFC 3339 or a day (YYYY-MM-DD), and not in the future";
    known.ok_or_else(|| ApiError::field("filter.played_since", problem))
}
