//! `GET /admin/api/game-tokens/wallets`.

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
use xmas_kernel::{Asset, UserId};
use xmas_reporting::{Records, Slice, WalletFilter, WalletPlace, WalletRecord};
use xmas_texts::{Text, field, quoted};
use xmas_time::Kst;

use xmas_admin_common::records::{
    ListPage, WhoseParams, WhoseRows, export_page, row_id, token_type,
};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct WalletParams {
    /// `POINT`, `ROULETTE_COIN`, `DICE_TOKEN`, `LOTTERY_TICKET` or `CC_COIN`.
    #[serde(default)]
    token_type: String,
    /// True for wallets with something in them, false for those with nothing.
    has_balance: Option<bool>,
}

fn filter(
    params: &WalletParams,
    WhoseRows(whose): WhoseRows,
    changed: &SpanParams,
) -> ApiResult<WalletFilter> {
    Ok(WalletFilter {
        whose,
        asset: token_type(&params.token_type)?,
        has_balance: params.has_balance,
        changed: changed.span()?,
    })
}

/// One balance of one player.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_id": 42, "external_id": "santa", "token_type": "ROULETTE_COIN",
    "balance": 3, "updated_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct PlayerWalletAnswer {
    user_id: i64,
    external_id: Option<String>,
    #[schema(value_type = String)]
    token_type: Asset,
    balance: i64,
    /// When the balance changed last.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
}

impl From<WalletRecord> for PlayerWalletAnswer {
    fn from(record: WalletRecord) -> Self {
        Self {
            user_id: record.user_id,
            external_id: record.external_id,
            token_type: record.asset,
            balance: record.balance,
            updated_at: record.updated_at,
        }
    }
}

/// Wallets by player and token. `from` and `to` are about the last change.
#[utoipa::path(get, path = "/admin/api/game-tokens/wallets", tag = "admin: reports",
    params(WhoseParams, WalletParams, SpanParams, ListPage),
    responses((status = 200, body = [PlayerWalletAnswer])), security(("bearer" = [])))]
pub(crate) async fn list(
    whose: WhoseRows,
    params: Params<WalletParams>,
    span: Params<SpanParams>,
    page: Params<ListPage>,
    records: Data<Records>,
) -> ApiResult<Json<Vec<PlayerWalletAnswer>>> {
    let filter = filter(&params.0, whose, &span.0)?;
    let wallets = records.wallets(&filter, &page.0.slice(place)?).await?;
    Ok(Json(wallets.into_iter().map(Into::into).collect()))
}

/// `user_id:token_type`.
fn place(text: &str) -> Result<WalletPlace, Text> {
    let place = || {
        let (id, asset) = text.split_once(':')?;
        Some(WalletPlace {
            user_id: UserId(row_id(id).ok()?),
            asset: asset.parse().ok()?,
        })
    };
    place().ok_or_else(|| field::wallet_cursor(quoted(text)))
}

/// The same as a table for spreadsheets.
#[utoipa::path(get, path = "/admin/api/game-tokens/wallets.csv", tag = "admin: reports",
    params(WhoseParams, WalletParams, SpanParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("user_id,external_id,token_type,balance,updated_at\n1,demo-01,DICE_TOKEN,104,2025-12-25T09:00:00.000000+09:00\n"))), security(("bearer" = [])))]
pub(crate) async fn export(
    whose: WhoseRows,
    params: Params<WalletParams>,
    span: Params<SpanParams>,
    records: Data<Records>,
) -> ApiResult<HttpResponse> {
    const COLUMNS: &[&str] = &[
        "user_id",
        "external_id",
        "token_type",
        "balance",
        "updated_at",
    ];
    let filter = Arc::new(filter(&params.0, whose, &span.0)?);
    export::answer("wallets", COLUMNS, move |after| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let found = records.wallets(&filter, &Slice::Export { after }).await?;
            Ok(export_page(found, end, cells))
        }
    })
    .await
}

fn end(record: &WalletRecord) -> WalletPlace {
    WalletPlace {
        user_id: UserId(record.user_id),
        asset: record.asset,
    }
}

fn cells(record: WalletRecord) -> Vec<Cell> {
    vec![
        Cell::Number(record.user_id),
        Cell::maybe(record.external_id),
        Cell::text(record.asset.as_str()),
        Cell::Number(record.balance),
        Cell::text(record.updated_at.to_string()),
    ]
}
