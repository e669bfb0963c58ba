//! `/admin/api/bundles/`: what levels and prizes name as one thing.

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Admin, Body, Now, Params, PathPart},
    operation,
};
use xmas_kernel::{BundleId, ErrorCode};
use xmas_rewards::{Bundle, BundleDraft, BundleItem, RewardDesk, RewardError};
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{CursorParams, parts},
    params::Reason,
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(create),
        operation!(item)
            .fails::<RewardError>(&[ErrorCode::BundleNotFound])
            .refuses(&[ErrorCode::NotFound]),
    ]
}

/// One thing in a bundle.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reward_type": "TICKET_ROULETTE", "reward_amount": 1}))]
pub(crate) struct BundleThing {
    /// `POINT`, `TICKET_ROULETTE`, `TICKET_DICE`, `TICKET_LOTTERY` or `CC_COIN`.
    reward_type: String,
    /// 1 to 1,000,000,000.
    reward_amount: i64,
}

/// A bundle.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "룰렛 1장 + 주사위 1장",
    "items": [{"reward_type": "TICKET_ROULETTE", "reward_amount": 1},
        {"reward_type": "TICKET_DICE", "reward_amount": 1}],
    "created_at": "2025-12-24T09:00:00.000000+09:00"}))]
pub(crate) struct BundleAnswer {
    id: i64,
    name: String,
    items: Vec<BundleThing>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

impl From<Bundle> for BundleAnswer {
    fn from(bundle: Bundle) -> Self {
        let thing = |item: BundleItem| BundleThing {
            reward_type: item.reward_type,
            reward_amount: item.amount,
        };
        Self {
            id: bundle.id.0,
            name: bundle.name,
            items: bundle.items.into_iter().map(thing).collect(),
            created_at: Kst(bundle.created_at),
        }
    }
}

/// A page of bundles, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 1, "name": "룰렛 1장 + 주사위 1장",
    "items": [{"reward_type": "TICKET_ROULETTE", "reward_amount": 1},
        {"reward_type": "TICKET_DICE", "reward_amount": 1}],
    "created_at": "2025-12-24T09:00:00.000000+09:00"}], "next_cursor": null}))]
pub(crate) struct BundlePage {
    items: Vec<BundleAnswer>,
    next_cursor: Option<String>,
}

/// A bundle to be added.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "룰렛 1장 + 주사위 1장",
    "items": [{"reward_type": "TICKET_ROULETTE", "reward_amount": 1},
        {"reward_type": "TICKET_DICE", "reward_amount": 1}]}))]
pub(crate) struct BundleRequest {
    /// 1 to 100 characters; no other bundle has it.
    name: String,
    /// 1 to 20 things.
    items: Vec<BundleThing>,
}

/// Bundles.
#[utoipa::path(get, path = "/admin/api/bundles/", tag = "admin: rewards", params(CursorParams),
    responses((status = 200, body = BundlePage)), security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<CursorParams>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<BundlePage>> {
    let (limit, before) = params.place()?;
    let (items, next_cursor) = parts(desk.bundles(limit, before).await?);
    Ok(Json(BundlePage { items, next_cursor }))
}

/// Adds a bundle. It cannot be changed afterwards: what was promised by its name is given by it.
#[utoipa::path(post, path = "/admin/api/bundles/", tag = "admin: rewards", params(Reason),
    request_body = BundleRequest, responses((status = 201, body = BundleAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn create(
    admin: Admin,
    Body(body): Body<BundleRequest>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<HttpResponse> {
    let item = |thing: BundleThing| BundleItem {
        reward_type: thing.reward_type,
        amount: thing.reward_amount,
    };
    let draft = BundleDraft {
        name: body.name,
        items: body.items.into_iter().map(item).collect(),
    };
    let added = desk.add_bundle(&admin.actor, &draft, now.0).await?;
    Ok(HttpResponse::Created().json(BundleAnswer::from(added)))
}

/// A bundle.
#[utoipa::path(get, path = "/admin/api/bundles/{id}", tag = "admin: rewards",
    params(("id" = i64, Path, description = "its `id`")),
    responses((status = 200, body = BundleAnswer)), security(("bearer" = [])))]
pub(crate) async fn item(
    PathPart(id): PathPart<i64>,
    desk: Data<RewardDesk>,
) -> ApiResult<Json<BundleAnswer>> {
    let bundle = desk.bundle(BundleId(id)).await?;
    Ok(Json(bundle.into()))
}
