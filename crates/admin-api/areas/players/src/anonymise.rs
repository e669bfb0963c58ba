//! `POST /admin/api/users/{id}/anonymise`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    answer::Answer,
    error::ApiResult,
    extract::{AccountPart, Admin, Command, IdempotencyKey, Now, OptionalBody},
};
use xmas_kernel::{Asset, ErrorCode, idempotency::Replayable};
use xmas_players::{Anonymised, GivenUp, Players};

use crate::AdminUser;
use xmas_admin_common::params::{AccountPath, Reason};

/// Nothing; the body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(crate) struct AnonymiseRequest {}

/// What a player who was anonymised will never have. Asked again, the rewards are those that are refused now,
/// none as a rule; keys and balances are told as they stand, each time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rewards": 1, "reward_points": 10_000, "keys": 3, "key_points": 300,
    "balances": {"POINT": 450}}))]
pub(crate) struct GivenUpAnswer {
    /// Rewards that waited for an admin, and were refused.
    rewards: usize,
    /// The points among them.
    reward_points: i64,
    /// Keys of the bridge that were not settled yet, and are taken when it is closed.
    keys: i64,
    /// The points that these keys promised.
    key_points: i64,
    /// What the wallet still holds, by token: nobody can spend it or pay it out any more.
    #[schema(value_type = std::collections::BTreeMap<String, i64>)]
    balances: BTreeMap<Asset, i64>,
}

impl From<GivenUp> for GivenUpAnswer {
    fn from(given_up: GivenUp) -> Self {
        Self {
            rewards: given_up.rewards.len(),
            reward_points: given_up.reward_points,
            keys: given_up.keys,
            key_points: given_up.key_points,
            balances: given_up.balances,
        }
    }
}

/// What is left of a player.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 42, "external_id": "anon-42", "nickname": null, "level": 2,
    "season_level": 2, "account_level": 3, "xp": 60, "status": "INACTIVE", "is_blocked": false,
    "role": "PLAYER", "created_at": "2025-12-20T09:00:00.000000+09:00",
    "updated_at": "2025-12-28T12:30:00.000000+09:00",
    "last_login_at": "2025-12-26T08:59:12.000000+09:00", "version": "0c1d2e3f4a5b6c7d",
    "given_up": {"rewards": 1, "reward_points": 10_000, "keys": 3, "key_points": 300,
    "balances": {"POINT": 450}}}))]
pub(crate) struct AnonymisedUser {
    #[serde(flatten)]
    user: AdminUser,
    given_up: GivenUpAnswer,
}

impl From<Anonymised> for AnonymisedUser {
    fn from(left: Anonymised) -> Self {
        Self {
            user: left.record.into(),
            given_up: left.given_up.into(),
        }
    }
}

/// Removes whatever tells who a player is: external id, nickname, password, sessions, addresses, notes,
/// what their client reported, and names on the boards; what operators were told of them is shown without
/// names. What waits for an admin is refused. The account becomes INACTIVE for good: no edit, login, grant or
/// approval reaches it any more. Ledgers and logs stay. It cannot be undone.
#[utoipa::path(post, path = "/admin/api/users/{id}/anonymise", tag = "admin: players",
    params(AccountPath, IdempotencyKey, Reason), request_body = Option<AnonymiseRequest>,
    responses((status = 200, body = AnonymisedUser)), security(("bearer" = [])))]
pub(crate) async fn anonymise(
    admin: Admin,
    id: AccountPart,
    command: Command<OptionalBody<AnonymiseRequest>>,
    now: Now,
    desk: Data<Players>,
) -> ApiResult<Answer<AnonymisedUser>> {
    let request = command.request.as_ref();
    let id = match id.id(ErrorCode::UserNotFound) {
        Ok(id) => id,
        // Nobody has the name any more whom this very request has anonymised.
        Err(error) => {
            let before = desk.anonymised_before(&admin.actor, request, now.0);
            let left = before.await?.ok_or(error)?;
            return Ok(Answer::of(Replayable::replayed(left)));
        }
    };
    let left = desk.anonymise(&admin.actor, id, request, now.0).await?;
    Ok(Answer::of(left))
}
