//! `/admin/api/game-tokens/grant-bulk`, `/revoke-bulk`, `/debit-bulk` and `/batches/`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{
    HttpRequest,
    http::Method,
    web::{self, Data, Json, ServiceConfig},
};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi, ToSchema};
use validator::Validate;
use xmas_kernel::{
    Asset, BatchId, ErrorCode, UserId,
    audit::Actor,
    idempotency::{Replayable, RequestKey},
};
use xmas_players::{ExternalId, PlayerRef};
use xmas_rewards::{
    BatchDesk, BatchLine, BatchOrders, NewBatch, OrderKind, RecipientFilter, Refusal,
};
use xmas_time::{DateTime, EventDay, Kst, Utc};

use super::{
    asset,
    batch_answer::{BatchAnswer, BatchPage},
    reason, token_types,
};
use crate::{
    error::{ApiError, ApiResult},
    extract::{
        Admin, Content, CsvRow, CsvUpload, IdempotencyKey, Now, Params, PathPart, Upload, key_of,
    },
    routes::{
        admin::{
            Reason,
            paging::{CursorParams, parts},
        },
        answer::Answer,
        endpoint,
    },
};

#[derive(OpenApi)]
#[openapi(paths(grant_bulk, revoke_bulk, debit_bulk, list, item))]
pub(crate) struct Docs;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint::bulk(
        "/game-tokens/grant-bulk",
        [(Method::POST, web::to(grant_bulk))],
    ))
    .service(endpoint::bulk(
        "/game-tokens/revoke-bulk",
        [(Method::POST, web::to(revoke_bulk))],
    ))
    .service(endpoint::bulk(
        "/game-tokens/debit-bulk",
        [(Method::POST, web::to(debit_bulk))],
    ))
    .service(endpoint::admin(
        "/game-tokens/batches",
        [(Method::GET, web::to(list))],
    ))
    .service(endpoint::admin(
        "/game-tokens/batches/{id}",
        [(Method::GET, web::to(item))],
    ));
}

pub(crate) const ERRORS: &[(&str, &[ErrorCode])] = &[
    (
        "GET /admin/api/game-tokens/batches/",
        &[ErrorCode::ValidationError],
    ),
    (
        "GET /admin/api/game-tokens/batches/{id}",
        &[ErrorCode::BatchNotFound, ErrorCode::NotFound],
    ),
];

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchParams {
    /// Only says what would be done: whom it is about, how much it is altogether, which wallets hold
    /// too little, which lines are wrong.
    #[serde(default)]
    dry_run: bool,
    /// Names the batch: 1 to 100 visible ASCII characters. The same request again with the same name
    /// goes on with the batch, and does nothing twice. Without one the `Idempotency-Key` names it.
    batch_id: Option<String>,
    /// Of the lines that name none themselves.
    token_type: Option<String>,
}

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
    batch_id: Option<String>,
    /// For the audit log, if there is no `X-Reason`.
    reason: Option<String>,
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

/// Gives to many players: a table with `external_id` or `user_id`, `amount` and, unless the query
/// says it, `token_type`; or JSON for everybody who fits a filter. Listed players may be blocked or
/// inactive.
#[utoipa::path(post, path = "/admin/api/game-tokens/grant-bulk", tag = "admin: wallets",
    params(BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn grant_bulk(
    request: HttpRequest,
    admin: Admin,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Answer<BatchAnswer>> {
    bulk(OrderKind::Grant, request, admin, params, body, now, desk).await
}

/// Takes from many players, as `grant-bulk` gives. Nothing is registered if any of them holds too
/// little; whoever holds too little by the time it is their turn is passed over and told of.
#[utoipa::path(post, path = "/admin/api/game-tokens/revoke-bulk", tag = "admin: wallets",
    params(BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn revoke_bulk(
    request: HttpRequest,
    admin: Admin,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Answer<BatchAnswer>> {
    bulk(OrderKind::Revoke, request, admin, params, body, now, desk).await
}

/// Takes points that were paid out elsewhere, as `revoke-bulk` does; `payout.csv` is such a table.
#[utoipa::path(post, path = "/admin/api/game-tokens/debit-bulk", tag = "admin: wallets",
    params(BatchParams, IdempotencyKey, Reason),
    request_body(content((BatchRequest = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn debit_bulk(
    request: HttpRequest,
    admin: Admin,
    params: Params<BatchParams>,
    body: Upload<BatchRequest>,
    now: Now,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Answer<BatchAnswer>> {
    bulk(OrderKind::Payout, request, admin, params, body, now, desk).await
}

async fn bulk(
    kind: OrderKind,
    request: HttpRequest,
    admin: Admin,
    Params(params): Params<BatchParams>,
    Upload { content, bytes }: Upload<BatchRequest>,
    now: Now,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Answer<BatchAnswer>> {
    let key = key_of(&request, &bytes)?;
    let mut actor = admin.actor;
    let usual = match (&params.token_type, kind) {
        (Some(name), _) => Some(asset(name)?),
        (None, OrderKind::Payout) => Some(Asset::Point),
        (None, _) => None,
    };
    let (orders, in_body) = match content {
        Content::Table(table) => (listed(&table, usual)?, None),
        Content::Json(body) => {
            let said = reason(body.reason.as_deref())?;
            actor.reason = actor.reason.or(said);
            (everybody(&body, usual, now.0)?, body.batch_id)
        }
    };
    let name = name(&actor, params.batch_id, in_body, key)?;
    let usual = params.token_type.unwrap_or_default();
    let made = name.map(|name| RequestKey::new(&name, kind.as_str(), &usual, &bytes));
    let request = made.transpose();
    let batch = NewBatch {
        request: request.map_err(|error| ApiError::field("batch_id", error.to_string()))?,
        kind,
        orders,
    };
    if params.dry_run {
        let report = desk.preview(&batch).await?;
        let answer = Answer::of(Replayable::fresh(report));
        return Ok(answer.map(BatchAnswer::of_preview));
    }
    let report = desk.run(&actor, &batch, now.0).await?;
    Ok(Answer::of(report))
}

/// The batch's name. One that an operator chooses is nobody's key.
fn name(
    actor: &Actor,
    in_query: Option<String>,
    in_body: Option<String>,
    key: Option<RequestKey>,
) -> ApiResult<Option<String>> {
    const LONGEST: usize = 100;
    let refused = |problem: &str| Err(ApiError::field("batch_id", problem));
    if in_query.is_some() && in_body.is_some() && in_query != in_body {
        return refused("is not the one of the query");
    }
    let Some(chosen) = in_query.or(in_body) else {
        return Ok(key.map(|key| key.name_of_result(actor.user_id)));
    };
    let fits = (1..=LONGEST).contains(&chosen.len());
    if !fits || !chosen.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refused("has 1 to 100 visible ASCII characters");
    }
    if RequestKey::is_reserved(&chosen) {
        return refused("does not begin as the names do that are made from an Idempotency-Key");
    }
    Ok(Some(chosen))
}

/// What an upload may have; the nickname is for people, and comes with `payout.csv`.
const COLUMNS: [&str; 5] = ["user_id", "external_id", "nickname", "token_type", "amount"];

fn listed(upload: &CsvUpload, usual: Option<Asset>) -> ApiResult<BatchOrders> {
    let table = upload.table(&COLUMNS, &["amount"])?;
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
    let number = |column| match row.get(column) {
        None => Ok(None),
        Some(cell) => match cell.parse::<i64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err((column, "is a whole number".to_owned())),
        },
    };
    let asset = match row.get("token_type") {
        Some(name) => name.parse().map_err(|_| ("token_type", token_types()))?,
        None => usual.ok_or_else(|| ("token_type", "is there, or in the query".to_owned()))?,
    };
    let amount = number("amount")?;
    let external_id = row.get("external_id").map(ExternalId::try_from).transpose();
    Ok(BatchLine {
        line: row.line,
        who: PlayerRef {
            user_id: number("user_id")?.map(UserId),
            external_id: external_id.map_err(|error| ("external_id", error.to_string()))?,
        },
        asset,
        amount: amount.ok_or_else(|| ("amount", "is there".to_owned()))?,
    })
}

fn everybody(
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

/// Every batch, newest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/batches/", tag = "admin: wallets",
    params(CursorParams), responses((status = 200, body = BatchPage)), security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<CursorParams>,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Json<BatchPage>> {
    let (limit, before) = params.place()?;
    let (items, next_cursor) = parts(desk.batches(limit, before).await?);
    Ok(Json(BatchPage { items, next_cursor }))
}

/// A batch, and which wallets held too little.
#[utoipa::path(get, path = "/admin/api/game-tokens/batches/{id}", tag = "admin: wallets",
    params(("id" = i64, Path, description = "its `id`")),
    responses((status = 200, body = BatchAnswer)), security(("bearer" = [])))]
pub(crate) async fn item(
    PathPart(id): PathPart<i64>,
    desk: Data<dyn BatchDesk>,
) -> ApiResult<Json<BatchAnswer>> {
    let report = desk.batch(BatchId(id)).await?;
    Ok(Json(report.into()))
}
