//! `/admin/api/coupons/{kind}/codes`: the stock of a kind of coupon.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{
        Admin, Column, CsvUpload, IdempotencyKey, LineProblems, Now, Params, PathPart, key_of,
    },
    operation,
};
use xmas_kernel::{CouponKindId, ErrorCode, idempotency::Replayable};
use xmas_rewards::{CodeState, CouponCode, RewardDesk, RewardError, StockedCode};
use xmas_texts::{field, quoted};
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{parts, place, usual_limit},
    params::Reason,
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list)
            .fails::<RewardError>(&[ErrorCode::CouponKindNotFound])
            .refuses(&[ErrorCode::NotFound]),
        operation!(upload)
            .fails::<RewardError>(&[ErrorCode::CouponKindNotFound])
            .refuses(&[ErrorCode::NotFound])
            .bulk(),
    ]
}

const COLUMNS: [Column; 1] = [Column::id("code").required()];

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct CodeParams {
    /// `FREE` or `TAKEN`; both if it is left out.
    #[serde(default)]
    state: String,
    /// `next_cursor` of the page before; the list begins with the newest.
    #[serde(default)]
    cursor: String,
    /// How many to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

/// A page of a kind's codes, newest first, and how many there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"kind": 1, "free": 17, "taken": 3, "waiting": 0,
    "items": [{"id": 20, "masked": "BM***", "state": "TAKEN", "reward_id": 31,
        "created_at": "2025-12-24T09:00:00.000000+09:00",
        "taken_at": "2025-12-26T09:00:00.000000+09:00"}], "next_cursor": null}))]
pub(crate) struct CodePage {
    kind: i64,
    free: u64,
    taken: u64,
    waiting: u64,
    items: Vec<CodeItem>,
    next_cursor: Option<String>,
}

/// A code, of which no more than the beginning is ever shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 20, "masked": "BM***", "state": "TAKEN", "reward_id": 31,
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "taken_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct CodeItem {
    id: i64,
    masked: String,
    /// `FREE` or `TAKEN`.
    state: &'static str,
    /// The reward that it belongs to.
    reward_id: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = Option<String>, format = DateTime)]
    taken_at: Option<Kst>,
}

impl From<StockedCode> for CodeItem {
    fn from(code: StockedCode) -> Self {
        Self {
            id: code.id,
            masked: code.masked,
            state: if code.reward_id.is_some() {
                "TAKEN"
            } else {
                "FREE"
            },
            reward_id: code.reward_id.map(|reward| reward.0),
            created_at: Kst(code.created_at),
            taken_at: code.taken_at.map(Kst),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct UploadParams {
    /// Only finds out whether all of them could be added.
    #[serde(default)]
    dry_run: bool,
}

/// What an upload has added, and how the stock stands now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "kind": 1, "added": 20, "free": 37, "waiting": 2}))]
pub(crate) struct UploadAnswer {
    dry_run: bool,
    kind: i64,
    /// How many codes; of a dry run, how many would be.
    added: usize,
    free: u64,
    /// Rewards of this kind that wait for an admin, who may now release them.
    waiting: u64,
}

/// The stock of a kind of coupon. Codes are never shown whole.
#[utoipa::path(get, path = "/admin/api/coupons/{kind}/codes", tag = "admin: rewards",
    params(("kind" = i64, Path, description = "its `id`"), CodeParams),
    responses((status = 200, body = CodePage)), security(("bearer" = [])))]
pub(crate) async fn list(
    PathPart(kind): PathPart<i64>,
    Params(params): Params<CodeParams>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<CodePage>> {
    let state = match params.state.to_ascii_uppercase().as_str() {
        "" => None,
        "FREE" => Some(CodeState::Free),
        "TAKEN" => Some(CodeState::Taken),
        name => {
            return Err(ApiError::field(
                "state",
                field::one_of(vec!["FREE", "TAKEN"], quoted(name)),
            ));
        }
    };
    let (limit, before) = place(&params.cursor, params.limit)?;
    let stock = desk.codes(CouponKindId(kind), state, limit, before).await?;
    let (items, next_cursor) = parts(stock.codes);
    let counts = stock.kind.stock;
    Ok(Json(CodePage {
        kind,
        free: counts.free,
        taken: counts.taken,
        waiting: counts.waiting,
        items,
        next_cursor,
    }))
}

/// Adds codes to the stock of a kind, from a table with the column `code`, or from a list of codes alone whose first
/// one has a digit: all of them, or none if any is there already, in whichever kind.
#[utoipa::path(post, path = "/admin/api/coupons/{kind}/codes", tag = "admin: rewards",
    params(("kind" = i64, Path, description = "its `id`"), UploadParams, IdempotencyKey, Reason),
    request_body(content = String, content_type = "text/csv",
        example = json!("code\nBM20-AAAA-0001\nBM20-AAAA-0002\n")),
    responses((status = 200, body = UploadAnswer)), security(("bearer" = [])))]
pub(crate) async fn upload(
    admin: Admin,
    PathPart(kind): PathPart<i64>,
    Params(params): Params<UploadParams>,
    upload: CsvUpload,
    request: HttpRequest,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<Answer<UploadAnswer>> {
    let request = key_of(&request, &upload.bytes)?;
    let table = upload.table(&COLUMNS)?;
    let mut problems = LineProblems::default();
    let mut codes = Vec::with_capacity(table.rows.len());
    let mut lines = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        match CouponCode::try_from(row.get("code").unwrap_or_default()) {
            Ok(code) => codes.push(code),
            Err(error) => problems.note(row.line, "code", error),
        }
        lines.push(row.line);
    }
    problems.check()?;
    let id = CouponKindId(kind);
    let stocked = if params.dry_run {
        let stocked = desk.check_codes(id, &codes).await;
        stocked.map(Replayable::fresh)
    } else {
        let request = request.as_ref();
        desk.add_codes(&admin.actor, id, &codes, request, now.0)
            .await
    };
    let stocked = stocked.map_err(|error| match error {
        RewardError::CodesClash(clashes) if !clashes.is_empty() => {
            let clashes = clashes.iter();
            let told = clashes.map(|clash| (lines[clash.place], "code", &clash.with));
            LineProblems::of(told)
        }
        error => error.into(),
    })?;
    Ok(Answer::of(stocked.map(|stocked| UploadAnswer {
        dry_run: params.dry_run,
        kind,
        added: codes.len(),
        free: stocked.stock.free,
        waiting: stocked.stock.waiting,
    })))
}
