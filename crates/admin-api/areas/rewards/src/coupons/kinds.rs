//! `/admin/api/coupons/`: kinds of coupons.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Admin, Body, Echo, Echoes, Now, Params, PathPart, Volatile, seen_version},
    operation,
};
use xmas_kernel::{CouponKindId, ErrorCode};
use xmas_rewards::{CouponKind, CouponKindEdit, NewCouponKind, RewardDesk, RewardError};
use xmas_texts::field;
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{CursorParams, parts},
    params::{IfMatch, Reason},
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(create),
        operation!(item)
            .fails::<RewardError>(&[ErrorCode::CouponKindNotFound])
            .refuses(&[ErrorCode::NotFound]),
        operation!(put)
            .fails::<RewardError>(&[ErrorCode::CouponKindNotFound, ErrorCode::VersionConflict])
            .refuses(&[ErrorCode::NotFound]),
    ]
}

/// A kind of coupon and its stock.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "배민 1만", "is_manual": false, "ignores_case": false, "free": 17,
    "taken": 3, "withheld": 0, "waiting": 0, "created_at": "2025-12-24T09:00:00.000000+09:00",
    "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct CouponKindAnswer {
    id: i64,
    name: String,
    /// An admin looks at every coupon of this kind before it is delivered.
    is_manual: bool,
    /// Codes of this kind that differ from others in case only are the same code.
    ignores_case: bool,
    /// Codes that nobody has yet.
    free: u64,
    taken: u64,
    /// Codes that nobody gets, because another kind has them too.
    withheld: u64,
    /// Rewards of this kind that wait for an admin.
    waiting: u64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    version: String,
}

impl From<CouponKind> for CouponKindAnswer {
    fn from(kind: CouponKind) -> Self {
        Self {
            version: kind.version().as_str().to_owned(),
            id: kind.id.0,
            name: kind.name,
            is_manual: kind.manual,
            ignores_case: kind.ignores_case,
            free: kind.stock.free,
            taken: kind.stock.taken,
            withheld: kind.stock.withheld,
            waiting: kind.stock.waiting,
            created_at: Kst(kind.created_at),
        }
    }
}

/// A page of kinds of coupons, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 1, "name": "배민 1만", "is_manual": false,
    "ignores_case": false, "free": 17, "taken": 3, "withheld": 0, "waiting": 0, "created_at": "2025-12-24T09:00:00.000000+09:00",
    "version": "0c1d2e3f4a5b6c7d"}], "next_cursor": null}))]
pub(crate) struct CouponKindPage {
    items: Vec<CouponKindAnswer>,
    next_cursor: Option<String>,
}

/// A kind of coupon to be added.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "배민 1만", "is_manual": false, "ignores_case": false}))]
pub(crate) struct CouponKindRequest {
    /// 1 to 100 characters; no other kind has it.
    name: String,
    #[serde(default)]
    is_manual: bool,
    /// Codes of this kind that differ from others in case only are the same code.
    #[serde(default)]
    ignores_case: bool,
}

/// Any subset; what is left out stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"is_manual": true, "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct CouponKindEditRequest {
    name: Option<String>,
    is_manual: Option<bool>,
    /// True only as long as no code of this kind differs from another code in case only.
    ignores_case: Option<bool>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "free")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _free: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "taken")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _taken: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "withheld")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _withheld: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "waiting")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _waiting: Option<Volatile>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
}

/// Kinds of coupons with their stock.
#[utoipa::path(get, path = "/admin/api/coupons/", tag = "admin: rewards", params(CursorParams),
    responses((status = 200, body = CouponKindPage)), security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<CursorParams>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<CouponKindPage>> {
    let (limit, before) = params.place()?;
    let (items, next_cursor) = parts(desk.coupon_kinds(limit, before).await?);
    Ok(Json(CouponKindPage { items, next_cursor }))
}

/// Adds a kind of coupon, without a code yet.
#[utoipa::path(post, path = "/admin/api/coupons/", tag = "admin: rewards", params(Reason),
    request_body = CouponKindRequest, responses((status = 201, body = CouponKindAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn create(
    admin: Admin,
    Body(body): Body<CouponKindRequest>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<HttpResponse> {
    let kind = NewCouponKind {
        name: body.name,
        manual: body.is_manual,
        ignores_case: body.ignores_case,
    };
    let added = desk.add_coupon_kind(&admin.actor, &kind, now.0).await?;
    Ok(HttpResponse::Created().json(CouponKindAnswer::from(added)))
}

/// A kind of coupon.
#[utoipa::path(get, path = "/admin/api/coupons/{kind}", tag = "admin: rewards",
    params(("kind" = i64, Path, description = "its `id`")),
    responses((status = 200, body = CouponKindAnswer)), security(("bearer" = [])))]
pub(crate) async fn item(
    PathPart(id): PathPart<i64>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<CouponKindAnswer>> {
    let kind = desk.coupon_kind(CouponKindId(id)).await?;
    Ok(Json(kind.into()))
}

/// Changes a kind of coupon. Coupons that are won from now on are treated so.
#[utoipa::path(put, path = "/admin/api/coupons/{kind}", tag = "admin: rewards",
    params(("kind" = i64, Path, description = "its `id`"), Reason, IfMatch),
    request_body = CouponKindEditRequest, responses((status = 200, body = CouponKindAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    Body(body): Body<CouponKindEditRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<CouponKindAnswer>> {
    let echoes = Echoes::default()
        .and("id", body.id, field::never_changes())
        .and("created_at", body.created_at, field::never_changes());
    let stored = async || {
        Ok(CouponKindAnswer::from(
            desk.coupon_kind(CouponKindId(id)).await?,
        ))
    };
    echoes.compare(stored).await?;
    let edit = CouponKindEdit {
        name: body.name,
        manual: body.is_manual,
        ignores_case: body.ignores_case,
        seen: seen_version(&request, body.version)?,
    };
    let edited = desk.edit_coupon_kind(&admin.actor, CouponKindId(id), &edit, now.0);
    Ok(Json(edited.await?.into()))
}
