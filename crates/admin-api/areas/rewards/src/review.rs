//! `/admin/api/rewards/`: the review queue.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Admin, Command, IdempotencyKey, Now, OptionalBody, Params, PathPart},
    operation,
};
use xmas_kernel::{ErrorCode, RewardId, UnknownName};
use xmas_players::Inactive;
use xmas_reporting::{QueuedReward, RewardQuery, RewardQueue, Whose};
use xmas_rewards::{Decision, GrantSource, RewardDesk, RewardError, RewardState};
use xmas_texts::{field, quoted};
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{parts, place, usual_limit},
    params::Reason,
    records::{WhoseParams, WhoseRows},
};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(approve)
            .fails::<RewardError>(&[
                ErrorCode::RewardNotFound,
                ErrorCode::RewardNotPending,
                ErrorCode::NoCouponLeft,
                ErrorCode::UserAnonymised,
                ErrorCode::UserInactive,
            ])
            .refuses(&[ErrorCode::NotFound]),
        operation!(reject)
            .fails::<RewardError>(&[ErrorCode::RewardNotFound, ErrorCode::RewardNotPending])
            .refuses(&[ErrorCode::NotFound]),
    ]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct RewardParams {
    /// `PENDING_REVIEW`, `DELIVERED`, `REJECTED` or `ALL`.
    #[serde(default)]
    #[param(default = "PENDING_REVIEW")]
    state: String,
    /// What it was given for: `PLAY`, `SEASON_LEVEL`, `BRIDGE` or `CORRECTION`; all of them if it is
    /// left out.
    #[serde(default)]
    source: String,
    /// `next_cursor` of the page before; the list begins with the newest.
    #[serde(default)]
    cursor: String,
    /// How many to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

impl RewardParams {
    fn query(self, whose: Whose) -> ApiResult<RewardQuery> {
        let state = match self.state.to_ascii_uppercase().as_str() {
            "" => Some(RewardState::PendingReview),
            "ALL" => None,
            name => {
                let mut known = RewardState::ALL.map(RewardState::as_str).to_vec();
                known.push("ALL");
                let text = field::one_of(known, quoted(name));
                let state = name.parse();
                Some(state.map_err(|_| ApiError::field("state", text))?)
            }
        };
        let source: Option<GrantSource> = match self.source.to_ascii_uppercase().as_str() {
            "" => None,
            name => {
                let source = name.parse();
                Some(source.map_err(|error: UnknownName| ApiError::field("source", error))?)
            }
        };
        let (limit, before) = place(&self.cursor, self.limit)?;
        Ok(RewardQuery {
            state,
            source,
            whose,
            limit,
            before,
        })
    }
}

/// A page of rewards, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 31, "user_id": 42, "external_id": "santa-01",
    "nickname": "산타", "status": "ACTIVE", "source": "PLAY", "grant_key": "play:17",
    "reward_type": "POINT", "reward_amount": 10_000, "reward_item": null,
    "label": "잭팟 10,000 포인트", "state": "PENDING_REVIEW", "reason": "REVIEW_POINTS",
    "created_at": "2025-12-26T09:00:00.000000+09:00", "reviewed_at": null, "reviewed_by": null}],
    "next_cursor": null}))]
pub(crate) struct RewardPage {
    items: Vec<ReviewItem>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A reward with its player.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 31, "user_id": 42, "external_id": "santa-01", "nickname": "산타",
    "status": "ACTIVE", "source": "PLAY", "grant_key": "play:17", "reward_type": "POINT",
    "reward_amount": 10_000, "reward_item": null, "label": "잭팟 10,000 포인트",
    "state": "DELIVERED", "reason": null, "created_at": "2025-12-26T09:00:00.000000+09:00",
    "reviewed_at": "2025-12-26T10:00:00.000000+09:00", "reviewed_by": "operator"}))]
pub(crate) struct ReviewItem {
    id: i64,
    user_id: i64,
    external_id: String,
    nickname: Option<String>,
    /// The player's: `ACTIVE`, `INACTIVE` or `BLOCKED`.
    status: String,
    source: String,
    grant_key: String,
    reward_type: String,
    reward_amount: i64,
    /// The bundle or kind of coupon.
    reward_item: Option<i64>,
    label: Option<String>,
    /// `PENDING_REVIEW`, `DELIVERED` or `REJECTED`.
    state: String,
    /// Why it waits, or why it was rejected.
    reason: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = Option<String>, format = DateTime)]
    reviewed_at: Option<Kst>,
    reviewed_by: Option<String>,
}

impl From<QueuedReward> for ReviewItem {
    fn from(reward: QueuedReward) -> Self {
        Self {
            id: reward.id,
            user_id: reward.user_id,
            external_id: reward.external_id,
            nickname: reward.nickname,
            status: reward.status,
            source: reward.source,
            grant_key: reward.grant_key,
            reward_type: reward.reward_type,
            reward_amount: reward.amount,
            reward_item: reward.item,
            label: reward.label,
            state: reward.state,
            reason: reward.reason,
            created_at: Kst(reward.created_at),
            reviewed_at: reward.reviewed_at.map(Kst),
            reviewed_by: reward.reviewed_by,
        }
    }
}

impl From<Decision> for ReviewItem {
    fn from(Decision { receipt, player }: Decision) -> Self {
        Self {
            id: receipt.id.0,
            user_id: receipt.user_id.0,
            external_id: player.external_id,
            nickname: player.nickname,
            status: player.status.as_str().to_owned(),
            source: receipt.source.as_str().to_owned(),
            grant_key: receipt.grant_key,
            reward_type: receipt.reward.kind().as_str().to_owned(),
            reward_amount: receipt.reward.amount(),
            reward_item: receipt.reward.item(),
            label: receipt.label,
            state: receipt.state.as_str().to_owned(),
            reason: receipt.reason,
            created_at: Kst(receipt.created_at),
            reviewed_at: receipt.reviewed_at.map(Kst),
            reviewed_by: receipt.reviewed_by,
        }
    }
}

/// Why a reward is refused.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "중복 계정"}))]
pub(crate) struct RejectRequest {
    /// What the player sees: 1 to 191 characters.
    reason: String,
}

/// Rewards: those that wait for an admin, or those about which was decided.
#[utoipa::path(get, path = "/admin/api/rewards/", tag = "admin: rewards", params(WhoseParams, RewardParams),
    responses((status = 200, body = RewardPage)), security(("bearer" = [])))]
pub(crate) async fn list(
    WhoseRows(whose): WhoseRows,
    Params(params): Params<RewardParams>,
    queue: Data<RewardQueue>,
) -> ApiResult<Json<RewardPage>> {
    let page = queue.rewards(&params.query(whose)?).await?;
    let (items, next_cursor) = parts(page);
    Ok(Json(RewardPage { items, next_cursor }))
}

/// How a reward is approved; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"force": true}))]
pub(crate) struct ApproveRequest {
    /// True delivers also to a player who is INACTIVE.
    #[serde(default)]
    force: bool,
}

/// Delivers a reward that waits, once: also to a player who is blocked by now, and with `force` to one who is
/// INACTIVE. To a player who was anonymised nothing is delivered.
#[utoipa::path(post, path = "/admin/api/rewards/{id}/approve", tag = "admin: rewards",
    params(("id" = i64, Path, description = "its `id`"), IdempotencyKey, Reason),
    request_body = Option<ApproveRequest>, responses((status = 200, body = ReviewItem)),
    security(("bearer" = [])))]
pub(crate) async fn approve(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    command: Command<OptionalBody<ApproveRequest>>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<Answer<ReviewItem>> {
    let Command { body, request } = command;
    let (id, inactive) = (RewardId(id), Inactive::forced(body.0.force));
    let decided = desk.approve(&admin.actor, id, inactive, request.as_ref(), now.0);
    Ok(Answer::of(decided.await?))
}

/// Refuses a reward that waits, with a reason that the player sees.
#[utoipa::path(post, path = "/admin/api/rewards/{id}/reject", tag = "admin: rewards",
    params(("id" = i64, Path, description = "its `id`"), IdempotencyKey, Reason),
    request_body = RejectRequest, responses((status = 200, body = ReviewItem)),
    security(("bearer" = [])))]
pub(crate) async fn reject(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    command: Command<RejectRequest>,
    now: Now,
    desk: Data<RewardDesk>,
) -> ApiResult<Answer<ReviewItem>> {
    let Command { body, request } = command;
    let (id, request) = (RewardId(id), request.as_ref());
    let decided = desk.reject(&admin.actor, id, &body.reason, request, now.0);
    Ok(Answer::of(decided.await?))
}
