//! What batches are asked for with: a table, or JSON.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::{Column, CsvRow, CsvUpload},
};
use xmas_kernel::{Asset, UnknownName, UserId};
use xmas_players::{GivenId, PlayerRef};
use xmas_rewards::{BatchLine, BatchOrders, RecipientFilter, Refusal};
use xmas_texts::{Text, field, quoted, wallet as texts};
use xmas_time::{DateTime, EventDay, Kst, Utc};

use crate::{asset, no_token_type};

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
    pub(crate) batch_id: Option<String>,
    /// For the audit log, if there is no `X-Reason`.
    pub(crate) reason: Option<String>,
}

/// Players who are ACTIVE: all of them, or those who have played since, until, or between two instants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"played_since": "2025-12-25T19:00:00+09:00",
    "played_until": "2025-12-25T20:00:00+09:00"}))]
pub(crate) struct BatchFilter {
    /// `ACTIVE`.
    status: Option<String>,
    /// An instant in RFC 3339, which is included, or a day in Korea: from its beginning.
    played_since: Option<String>,
    /// An instant in RFC 3339, which is not included any more, or a day in Korea, which is included whole.
    played_until: Option<String>,
}

/// What an upload may have; the nickname is for people, and comes with `payout.csv`.
const COLUMNS: [Column; 5] = [
    Column::text("user_id"),
    Column::id("external_id"),
    Column::text("nickname"),
    Column::text("token_type"),
    Column::text("amount").required(),
];

pub(crate) fn listed(upload: &CsvUpload, usual: Option<Asset>) -> ApiResult<BatchOrders> {
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

fn line(row: &CsvRow, usual: Option<Asset>) -> Result<BatchLine, (&'static str, Text)> {
    let number = |column| {
        let number = row.whole_number(column);
        number.map_err(|text| (column, text))
    };
    let asset = match row.get("token_type") {
        Some(name) => {
            let asset = name.parse();
            asset.map_err(|error: UnknownName| ("token_type", error.into()))?
        }
        None => usual.ok_or_else(|| ("token_type", no_token_type()))?,
    };
    let amount = number("amount")?;
    let external_id = row.get("external_id").map(GivenId::try_from).transpose();
    Ok(BatchLine {
        line: row.line,
        who: PlayerRef {
            user_id: number("user_id")?.map(UserId),
            external_id: external_id.map_err(|error| ("external_id", error.into()))?,
        },
        asset,
        amount: amount.ok_or_else(|| ("amount", field::required()))?,
    })
}

pub(crate) fn everybody(
    body: &BatchRequest,
    usual: Option<Asset>,
    now: DateTime<Utc>,
) -> ApiResult<BatchOrders> {
    let named = body.token_type.as_deref().map(asset).transpose()?;
    let asset = named
        .or(usual)
        .ok_or_else(|| ApiError::field("token_type", no_token_type()))?;
    let filter = &body.filter;
    if filter.status.is_none() && filter.played_since.is_none() && filter.played_until.is_none() {
        return Err(ApiError::field("filter", texts::filter_too_wide()));
    }
    if let Some(name) = filter.status.as_deref().filter(|name| *name != "ACTIVE") {
        let text = field::one_of(vec!["ACTIVE"], quoted(name));
        return Err(ApiError::field("filter.status", text));
    }
    let played = |field, text: Option<&str>, of_day: fn(EventDay) -> DateTime<Utc>| {
        text.map(|text| instant(field, text, of_day)).transpose()
    };
    let since = filter.played_since.as_deref();
    let until = filter.played_until.as_deref();
    let filter = RecipientFilter {
        played_since: played(PLAYED_SINCE, since, EventDay::start)?,
        played_until: played(PLAYED_UNTIL, until, EventDay::end)?,
    };
    if filter.played_since.is_some_and(|since| since > now) {
        return Err(ApiError::field(
            PLAYED_SINCE,
            field::not_in_the_future(Kst(now).to_string()),
        ));
    }
    if let (Some(since), Some(until)) = (filter.played_since, filter.played_until)
        && until <= since
    {
        let (since, until) = (Kst(since).to_string(), Kst(until).to_string());
        let text = field::after("played_since", until, since);
        return Err(ApiError::field(PLAYED_UNTIL, text));
    }
    Ok(BatchOrders::Everybody {
        filter,
        asset,
        amount: body.amount,
    })
}

const PLAYED_SINCE: &str = "filter.played_since";
const PLAYED_UNTIL: &str = "filter.played_until";

/// Nobody has played before the one, and no instant is read after the beginning of the other.
const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 9999;

/// An instant from 2000 to 9998, written in RFC 3339 or as a day in Korea.
fn instant(
    path: &str,
    text: &str,
    of_day: fn(EventDay) -> DateTime<Utc>,
) -> ApiResult<DateTime<Utc>> {
    let day = text.parse::<EventDay>().map(of_day).ok();
    let json = serde_json::Value::from(text);
    let instant = day.or_else(|| Some(serde_json::from_value::<Kst>(json).ok()?.0));
    let bound = |year| EventDay::from_ymd(year, 1, 1).map(EventDay::start);
    let known = instant.filter(|instant| {
        Some(*instant) >= bound(FIRST_YEAR) && Some(*instant) <= bound(LAST_YEAR)
    });
    known.ok_or_else(|| {
        let (first, last) = (FIRST_YEAR.to_string(), (LAST_YEAR - 1).to_string());
        ApiError::field(path, field::instant_or_day(first, last, quoted(text)))
    })
}
