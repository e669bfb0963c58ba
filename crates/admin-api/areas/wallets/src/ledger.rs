//! `GET /admin/api/game-tokens/ledger`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    error::ApiResult,
    export::{self, Cell},
    extract::{Params, SpanParams},
};
use xmas_reporting::{LedgerFilter, LedgerRecord, Records, Slice};
use xmas_time::Kst;

use xmas_admin_common::records::{
    ListPage, WhoseParams, WhoseRows, export_page, row_id, text, token_type,
};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerParams {
    /// `POINT`, `ROULETTE_COIN`, `DICE_TOKEN`, `LOTTERY_TICKET` or `CC_COIN`.
    #[serde(default)]
    token_type: String,
    /// Why a balance changed: `PLAY` for what plays cost, `PRIZE`, `SEASON_LEVEL`, `BRIDGE` and others.
    #[serde(default)]
    reason: String,
}

fn filter(
    params: &LedgerParams,
    WhoseRows(whose): WhoseRows,
    span: &SpanParams,
) -> ApiResult<LedgerFilter> {
    Ok(LedgerFilter {
        whose,
        asset: token_type(&params.token_type)?,
        reason: text(&params.reason),
        span: span.span()?,
    })
}

/// One change of one balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 90, "user_id": 42, "external_id": "santa", "token_type": "ROULETTE_COIN",
    "delta": 3, "balance_after": 5, "reason": "PRIZE", "label": "룰렛 티켓 3장",
    "meta_json": {"reference": "play:17", "actor": "player"},
    "created_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct LedgerAnswer {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    token_type: String,
    /// What came in, or went out if it is negative.
    delta: i64,
    balance_after: i64,
    reason: String,
    /// The label of the reward, or what the operator said of the batch, if there is one.
    label: Option<String>,
    meta_json: LedgerMeta,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

/// What a change of a balance belongs to, and who made it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"reference": "play:17", "actor": "player"}))]
pub(crate) struct LedgerMeta {
    reference: String,
    actor: String,
}

impl From<LedgerRecord> for LedgerAnswer {
    fn from(record: LedgerRecord) -> Self {
        Self {
            id: record.id,
            user_id: record.user_id,
            external_id: record.external_id,
            token_type: record.asset,
            delta: record.delta,
            balance_after: record.balance_after,
            reason: record.reason,
            label: record.label,
            meta_json: LedgerMeta {
                reference: record.reference,
                actor: record.actor,
            },
            created_at: record.created_at,
        }
    }
}

/// Changes of balances, newest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/ledger", tag = "admin: reports",
    params(WhoseParams, LedgerParams, SpanParams, ListPage),
    responses((status = 200, body = [LedgerAnswer])), security(("bearer" = [])))]
pub(crate) async fn list(
    whose: WhoseRows,
    params: Params<LedgerParams>,
    span: Params<SpanParams>,
    page: Params<ListPage>,
    records: Data<Records>,
) -> ApiResult<Json<Vec<LedgerAnswer>>> {
    let filter = filter(&params.0, whose, &span.0)?;
    let ledger = records.ledger(&filter, &page.0.slice(row_id)?).await?;
    Ok(Json(ledger.into_iter().map(Into::into).collect()))
}

/// The same as a table for spreadsheets, the oldest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/ledger.csv", tag = "admin: reports",
    params(WhoseParams, LedgerParams, SpanParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("id,user_id,external_id,token_type,delta,balance_after,reason,label,reference,actor,created_at\n39,2,vip-001,POINT,-1000,0,PAYOUT,,batch:payout-1,lead,2026-01-02T09:00:00.000000+09:00\n"))), security(("bearer" = [])))]
pub(crate) async fn export(
    whose: WhoseRows,
    params: Params<LedgerParams>,
    span: Params<SpanParams>,
    records: Data<Records>,
) -> ApiResult<HttpResponse> {
    const COLUMNS: &[&str] = &[
        "id",
        "user_id",
        "external_id",
        "token_type",
        "delta",
        "balance_after",
        "reason",
        "label",
        "reference",
        "actor",
        "created_at",
    ];
    let filter = Arc::new(filter(&params.0, whose, &span.0)?);
    export::answer("ledger", COLUMNS, move |after| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let found = records.ledger(&filter, &Slice::Export { after }).await?;
            Ok(export_page(found, |record| record.id, cells))
        }
    })
    .await
}

fn cells(record: LedgerRecord) -> Vec<Cell> {
    vec![
        Cell::Number(record.id),
        Cell::Number(record.user_id),
        Cell::maybe(record.external_id),
        Cell::text(record.asset),
        Cell::Number(record.delta),
        Cell::Number(record.balance_after),
        Cell::text(record.reason),
        Cell::maybe(record.label),
        Cell::text(record.reference),
        Cell::text(record.actor),
        Cell::text(record.created_at.to_string()),
    ]
}
