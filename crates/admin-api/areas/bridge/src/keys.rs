//! `/admin/api/event-bridge/keys`: keys that an operator gives, and takes back.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_event_bridge::{GiftSummary, KeyOrder, Mode, Pace, Settlement};
use xmas_http::{
    answer::Answer,
    error::{ApiError, ApiResult},
    extract::{Admin, Command, IdempotencyKey, Now, Params, PathPart, said},
};
use xmas_kernel::{BridgeId, GiftId, audit::Actor, idempotency::RequestKey};
use xmas_players::{Inactive, PlayerRef};
use xmas_texts::{bridge, field};
use xmas_time::Kst;

use xmas_admin_common::{
    paging::{CursorParams, parts},
    params::{Reason, player_ref},
};

/// A key of one day, for one player or for all who were active on any day of the bridge.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": 3, "all_active": true, "reason": "12/27 장애 보상", "dry_run": true}))]
pub(crate) struct KeysRequest {
    bridge_id: Option<i64>,
    /// 1 to 7, and not a day that is still to come.
    day: i64,
    user_id: Option<i64>,
    external_id: Option<String>,
    #[serde(default)]
    all_active: bool,
    /// Also to a player who is INACTIVE; of all who were active these are left out.
    #[serde(default)]
    force: bool,
    /// 1 to 191 characters; `X-Reason` does the same.
    reason: Option<String>,
    /// True to look, false to do it: it must be said with `all_active`, here or in the query.
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeysParams {
    /// As in the body.
    dry_run: Option<bool>,
}

/// What became of the keys.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "gift_id": 4, "given": 5_812, "given_now": 5_812, "had": 1_204, "points": 29_060_000}))]
pub(crate) struct KeysAnswer {
    dry_run: bool,
    /// Names the gift, to take it back: also the one that the player has the key from already.
    gift_id: Option<i64>,
    /// Players who got the key, or would: in all runs of this gift.
    given: u64,
    /// Those of them who got it this time: nobody, if the request was sent again.
    given_now: u64,
    /// Players who had it, or have been paid already.
    had: u64,
    points: i64,
}

/// Keys of one day that were given at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 4, "bridge_id": 1, "day": 3, "event_type": "KEY_DAY_3_LOTTERY",
    "points": 5_000, "user_id": null, "state": "DONE", "reason": "12/27 장애 보상", "actor": "operator",
    "created_at": "2025-12-28T10:00:00.000000+09:00", "finished_at": "2025-12-28T10:00:09.000000+09:00",
    "reverted_at": null, "given": 5_812, "earned": 0, "taken": 0, "kept": 0}))]
pub(crate) struct GiftItem {
    id: i64,
    bridge_id: i64,
    day: i64,
    event_type: String,
    /// What each key promises.
    points: i64,
    /// Null for a gift to all who were active.
    user_id: Option<i64>,
    /// `OPEN`, `DONE`, `REVERTING` or `REVERTED`. One that is open or is reverting was interrupted: the
    /// same request again goes on with it.
    state: &'static str,
    reason: String,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    reverted_at: Option<Kst>,
    /// Players who got the key, whatever became of it.
    given: u64,
    /// Players who have done the day's mission since: it stays theirs.
    earned: u64,
    /// Players from whom it was taken back.
    taken: u64,
    /// Players who had been paid for it, or had lost it with the closing, before it could be taken back.
    kept: u64,
}

impl From<GiftSummary> for GiftItem {
    fn from(summary: GiftSummary) -> Self {
        let GiftSummary { gift, tally } = summary;
        Self {
            id: gift.id.0,
            bridge_id: gift.bridge.0,
            day: gift.day_number,
            event_type: gift.event_type,
            points: gift.points,
            user_id: gift.player.map(|player| player.0),
            state: gift.state.as_str(),
            reason: gift.reason,
            actor: gift.actor,
            created_at: Kst(gift.created_at),
            finished_at: gift.finished_at.map(Kst),
            reverted_at: gift.reverted_at.map(Kst),
            given: tally.given,
            earned: tally.earned,
            taken: tally.taken,
            kept: tally.kept,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 4, "bridge_id": 1, "day": 3,
    "event_type": "KEY_DAY_3_LOTTERY", "points": 5_000, "user_id": null, "state": "DONE",
    "reason": "12/27 장애 보상", "actor": "operator", "created_at": "2025-12-28T10:00:00.000000+09:00",
    "finished_at": "2025-12-28T10:00:09.000000+09:00", "reverted_at": null, "given": 5_812,
    "earned": 0, "taken": 0, "kept": 0}], "next_cursor": null}))]
pub(crate) struct GiftPage {
    items: Vec<GiftItem>,
    next_cursor: Option<String>,
}

/// Whether to take the keys back, and why.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dry_run": true, "reason": "다른 날의 열쇠를 지급함"}))]
pub(crate) struct KeysRevertRequest {
    /// True to look, false to do it: it must be said.
    #[schema(required = true, value_type = bool)]
    dry_run: Option<bool>,
    /// 1 to 191 characters; `X-Reason` does the same.
    reason: Option<String>,
}

/// What became of the keys that are taken back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": false, "gift_id": 4, "taken": 5_800, "earned": 10, "kept": 2, "points": 29_000_000}))]
pub(crate) struct KeysRevertAnswer {
    dry_run: bool,
    gift_id: i64,
    /// Players who lost the key, or would: in all runs.
    taken: u64,
    /// Players who have done the day's mission since: it stays theirs.
    earned: u64,
    /// Players who have been paid for it, or have lost it with the closing: it cannot be taken back.
    kept: u64,
    /// What the keys that were taken had promised.
    points: i64,
}

/// Whether it is done, and for which request.
fn mode(dry_run: bool, request: Option<&RequestKey>) -> Mode<'_> {
    match dry_run {
        true => Mode::DryRun,
        false => Mode::Do(request),
    }
}

/// The actor with what the body says about the reason.
fn because(admin: Admin, reason: Option<String>) -> Actor {
    let mut actor = admin.actor;
    actor.reason = reason.or(actor.reason);
    actor
}

/// Every gift of keys, newest first.
#[utoipa::path(get, operation_id = "list_event_bridge_keys", path = "/admin/api/event-bridge/keys",
    tag = "admin: bridge", params(CursorParams), responses((status = 200, body = GiftPage)),
    security(("bearer" = [])))]
pub(crate) async fn list(
    Params(params): Params<CursorParams>,
    desk: Data<Settlement>,
) -> ApiResult<Json<GiftPage>> {
    let (limit, before) = params.place()?;
    let (items, next_cursor) = parts(desk.gifts(limit, before).await?);
    Ok(Json(GiftPage { items, next_cursor }))
}

/// Gives the key of one day, with a reason, to one player or (`all_active`) to everybody who was active
/// that week and is not INACTIVE. Whoever has it gets no second one. Interrupted, the same request again
/// goes on where it stopped; `xmas-api keys give` does the same without a limit of time.
#[utoipa::path(post, operation_id = "give_event_bridge_keys", path = "/admin/api/event-bridge/keys",
    tag = "admin: bridge", params(KeysParams, IdempotencyKey, Reason), request_body = KeysRequest,
    responses((status = 200, body = KeysAnswer)), security(("bearer" = [])))]
pub(crate) async fn give(
    admin: Admin,
    params: Params<KeysParams>,
    command: Command<KeysRequest>,
    now: Now,
    desk: Data<Settlement>,
) -> ApiResult<Answer<KeysAnswer>> {
    let Command { body, request } = command;
    let dry_run = match (params.0.dry_run, body.dry_run) {
        (Some(one), Some(other)) if one != other => {
            return Err(ApiError::field("dry_run", field::dry_run_said_twice()));
        }
        (one, other) => one.or(other),
    };
    let player = player_ref(body.user_id, body.external_id)?;
    let is_named = player != PlayerRef::default();
    if is_named && body.all_active {
        return Err(ApiError::field(
            "all_active",
            field::not_together_with("user_id or external_id"),
        ));
    }
    if body.force && body.all_active {
        return Err(ApiError::field("force", bridge::force_for_one()));
    }
    // For one player there is nothing to look at first.
    let dry_run = match body.all_active {
        true => said(dry_run)?,
        false => dry_run.unwrap_or(false),
    };
    let actor = because(admin, body.reason);
    let order = KeyOrder {
        bridge: body.bridge_id.map(BridgeId),
        day_number: body.day,
        player: (!body.all_active).then_some(player),
        inactive: Inactive::forced(body.force),
    };
    let mode = mode(dry_run, request.as_ref());
    let given = desk
        .give(&actor, &order, mode, Pace::usual(), now.0)
        .await?;
    Ok(Answer::of(given.map(|given| KeysAnswer {
        dry_run,
        gift_id: given.gift.map(|gift| gift.0),
        given: given.given,
        given_now: given.given_now,
        had: given.had,
        points: given.points,
    })))
}

/// Takes the keys of a gift back, with a reason: from those whom it gave them, who have not done the day's
/// mission since and have not been paid for them, and from no others. Sent again it goes on where it stopped, and
/// takes nothing twice.
#[utoipa::path(post, operation_id = "revert_event_bridge_keys",
    path = "/admin/api/event-bridge/keys/{id}/revert", tag = "admin: bridge",
    params(("id" = i64, Path, description = "the `gift_id`"), IdempotencyKey, Reason), request_body = KeysRevertRequest,
    responses((status = 200, body = KeysRevertAnswer)), security(("bearer" = [])))]
pub(crate) async fn revert(
    admin: Admin,
    PathPart(id): PathPart<i64>,
    command: Command<KeysRevertRequest>,
    now: Now,
    desk: Data<Settlement>,
) -> ApiResult<Answer<KeysRevertAnswer>> {
    let Command { body, request } = command;
    let dry_run = said(body.dry_run)?;
    let actor = because(admin, body.reason);
    let mode = mode(dry_run, request.as_ref());
    let taken = desk
        .revert_gift(&actor, GiftId(id), mode, Pace::usual(), now.0)
        .await?;
    Ok(Answer::of(taken.map(|taken| KeysRevertAnswer {
        dry_run,
        gift_id: taken.gift.0,
        taken: taken.taken,
        earned: taken.earned,
        kept: taken.kept,
        points: taken.points,
    })))
}
