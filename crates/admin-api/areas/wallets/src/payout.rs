//! `GET /admin/api/game-tokens/payout.csv`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    export::{self, Cell, ExportPage},
    extract::Params,
    operation,
};
use xmas_kernel::{MAX_NUMBER, UserId};
use xmas_players::Status;
use xmas_reporting::{PayoutQuery, PayoutRow, Payouts};
use xmas_texts::{field, quoted};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![operation!(table)]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct PayoutParams {
    /// Only balances of at least so many points.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = MAX_NUMBER))]
    #[param(default = 1, minimum = 1)]
    min_amount: i64,
    /// `ACTIVE`, `INACTIVE`, `BLOCKED` or `ALL`.
    #[serde(default)]
    #[param(default = "ACTIVE")]
    status: String,
}

fn one() -> i64 {
    1
}

/// As `debit-bulk` reads them.
const COLUMNS: &[&str] = &["user_id", "external_id", "nickname", "amount"];
/// How many rows are read at once.
const ROWS: u64 = 1_000;

/// Who is due how many points, by id. Once they are paid elsewhere, `debit-bulk` takes this table and
/// debits them.
#[utoipa::path(get, path = "/admin/api/game-tokens/payout.csv", tag = "admin: wallets",
    params(PayoutParams), responses((status = 200, content_type = "text/csv", body = String,
        example = json!("user_id,external_id,nickname,amount\n2,vip-001,산타,1000\n"))),
    security(("bearer" = [])))]
pub(crate) async fn table(
    Params(params): Params<PayoutParams>,
    payouts: Data<Payouts>,
) -> ApiResult<HttpResponse> {
    let status = match params.status.to_ascii_uppercase().as_str() {
        "" => Some(Status::Active),
        "ALL" => None,
        name => {
            let mut known = Status::ALL.map(Status::as_str).to_vec();
            known.push("ALL");
            let text = field::one_of(known, quoted(name));
            let status = name.parse();
            Some(status.map_err(|_| ApiError::field("status", text))?)
        }
    };
    let query = PayoutQuery {
        min_points: params.min_amount,
        status,
    };
    export::answer("payout", COLUMNS, move |from: Option<UserId>| {
        let payouts = payouts.clone();
        async move {
            let after = from.unwrap_or(UserId(0));
            let rows = payouts.page(&query, after, ROWS).await?;
            let last = rows.last().map(|row| UserId(row.user_id));
            Ok(ExportPage {
                next: last.filter(|_| rows.len() as u64 == ROWS),
                rows: rows.into_iter().map(cells).collect(),
            })
        }
    })
    .await
}

fn cells(row: PayoutRow) -> Vec<Cell> {
    vec![
        Cell::Number(row.user_id),
        Cell::text(row.external_id),
        Cell::maybe(row.nickname),
        Cell::Number(row.points),
    ]
}
