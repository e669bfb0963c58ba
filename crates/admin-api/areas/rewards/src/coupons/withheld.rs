//! `/admin/api/coupons/withheld/`: codes that several kinds have.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{
    answer::no_content,
    endpoint::Operation,
    error::ApiResult,
    extract::{Admin, Command, IdempotencyKey, Nothing, Now, Params, PathPart},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_rewards::{RewardDesk, RewardError, WithheldCode};
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{CursorParams, parts},
    params::Reason,
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(release)
            .fails::<RewardError>(&[ErrorCode::WithheldCodeNotFound, ErrorCode::CouponCodeInUse])
            .refuses(&[ErrorCode::NotFound]),
        operation!(remove)
            .fails::<RewardError>(&[ErrorCode::WithheldCodeNotFound])
            .refuses(&[ErrorCode::NotFound]),
    ]
}

/// A page of withheld codes, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 5, "kind": 1, "kind_name": "배민 1만", "masked": "BM***",
    "is_given": false, "is_stocked": false, "created_at": "2025-12-24T09:00:00.000000+09:00"}],
    "next_cursor": null}))]
pub(crate) struct WithheldPage {
    items: Vec<WithheldItem>,
    next_cursor: Option<String>,
}

/// A code that an older version took into the stocks of several kinds. Nobody gets it, until it is
/// released or removed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "kind": 1, "kind_name": "배민 1만", "masked": "BM***",
    "is_given": false, "is_stocked": false, "created_at": "2025-12-24T09:00:00.000000+09:00"}))]
pub(crate) struct WithheldItem {
    id: i64,
    kind: i64,
    kind_name: String,
    /// No more than the beginning is ever shown.
    masked: String,
    /// A copy of it was given to a winner, so that this one is worth nothing.
    is_given: bool,
    /// A copy of it is in a stock, for a winner to come.
    is_stocked: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

impl From<WithheldCode> for WithheldItem {
    fn from(code: WithheldCode) -> Self {
        Self {
            id: code.id,
            kind: code.kind.0,
            kind_name: code.kind_name,
            masked: code.masked,
            is_given: code.is_given,
            is_stocked: code.is_stocked,
            created_at: Kst(code.created_at),
        }
    }
}

/// Codes that are withheld, because several kinds have them.
#[utoipa::path(get, path = "/admin/api/coupons/withheld/", tag = "admin: rewards",
    params(CursorParams), responses((status = 200, body = WithheldPage)),
    security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<CursorParams>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<WithheldPage>> {
    let (limit, before) = params.place()?;
    let (items, next_cursor) = parts(desk.withheld(limit, before).await?);
    Ok(Json(WithheldPage { items, next_cursor }))
}

/// Puts a code into the stock of its kind. The copies of other kinds stay withheld.
#[utoipa::path(post, path = "/admin/api/coupons/withheld/{id}/release", tag = "admin: rewards",
    params(("id" = i64, Path, description = "its `id`"), IdempotencyKey, Reason),
    responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn release(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    command: Command<Nothing>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<HttpResponse> {
    let request = command.request.as_ref();
    let released = desk.release_withheld(&admin.actor, id, request, now.0);
    Ok(no_content(&released.await?))
}

/// Removes a code. Uploaded again, it is a new one.
#[utoipa::path(delete, path = "/admin/api/coupons/withheld/{id}", tag = "admin: rewards",
    params(("id" = i64, Path, description = "its `id`"), IdempotencyKey, Reason),
    responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn remove(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    command: Command<Nothing>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<HttpResponse> {
    let request = command.request.as_ref();
    let removed = desk.remove_withheld(&admin.actor, id, request, now.0);
    Ok(no_content(&removed.await?))
}
