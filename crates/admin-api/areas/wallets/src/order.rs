//! `/admin/api/game-tokens/grant` and `/revoke`: one player's wallet.

use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::ApiResult,
    extract::{Admin, Command, IdempotencyKey, Now},
    operation,
};
use xmas_kernel::{Asset, ErrorCode};
use xmas_rewards::{Order, OrderDone, OrderError, OrderKind, Wallets};

use crate::{asset, reason};
use xmas_admin_common::params::{Reason, player_ref};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(grant).fails::<OrderError>(&[
            ErrorCode::UserRequired,
            ErrorCode::UserNotFound,
            ErrorCode::UserAnonymised,
            ErrorCode::UserInactive,
        ]),
        operation!(revoke).fails::<OrderError>(&[
            ErrorCode::UserRequired,
            ErrorCode::UserNotFound,
            ErrorCode::UserAnonymised,
            ErrorCode::NotEnoughTokens,
        ]),
    ]
}

/// Whose wallet, and by how much.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"external_id": "santa-01", "token_type": "ROULETTE_COIN", "amount": 1,
    "reason": "장애 보상"}))]
pub(crate) struct OrderRequest {
    /// The player by either name; if both are sent they have to agree.
    external_id: Option<String>,
    user_id: Option<i64>,
    /// `POINT`, `ROULETTE_COIN`, `DICE_TOKEN`, `LOTTERY_TICKET` or `CC_COIN`.
    token_type: String,
    /// 1 to 1,000,000,000.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    amount: i64,
    /// For the audit log, if there is no `X-Reason`.
    reason: Option<String>,
    /// True gives also to a player who is INACTIVE. What is revoked is taken from them anyhow.
    #[serde(default)]
    force: bool,
}

/// What the wallet holds now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_id": 42, "external_id": "santa-01",
    "token_type": "ROULETTE_COIN", "balance": 4}))]
pub(crate) struct OrderAnswer {
    user_id: i64,
    external_id: String,
    #[schema(value_type = String)]
    token_type: Asset,
    balance: i64,
}

impl From<OrderDone> for OrderAnswer {
    fn from(done: OrderDone) -> Self {
        Self {
            user_id: done.user_id.0,
            external_id: done.external_id,
            token_type: done.asset,
            balance: done.balance,
        }
    }
}

/// Gives tokens or points to a player: also to one who is blocked, and with `force` to one who is INACTIVE.
#[utoipa::path(post, path = "/admin/api/game-tokens/grant", tag = "admin: wallets",
    params(IdempotencyKey, Reason), request_body = OrderRequest,
    responses((status = 200, body = OrderAnswer)), security(("bearer" = [])))]
pub(crate) async fn grant(
    admin: Admin,
    command: Command<OrderRequest>,
    now: Now,
    desk: Data<Wallets>,
) -> ApiResult<Answer<OrderAnswer>> {
    carry_out(OrderKind::Grant, admin, command, now, desk).await
}

/// Takes tokens or points from a player: all that is asked for, or nothing.
#[utoipa::path(post, path = "/admin/api/game-tokens/revoke", tag = "admin: wallets",
    params(IdempotencyKey, Reason), request_body = OrderRequest,
    responses((status = 200, body = OrderAnswer)), security(("bearer" = [])))]
pub(crate) async fn revoke(
    admin: Admin,
    command: Command<OrderRequest>,
    now: Now,
    desk: Data<Wallets>,
) -> ApiResult<Answer<OrderAnswer>> {
    carry_out(OrderKind::Revoke, admin, command, now, desk).await
}

async fn carry_out(
    kind: OrderKind,
    admin: Admin,
    command: Command<OrderRequest>,
    now: Now,
    desk: Data<Wallets>,
) -> ApiResult<Answer<OrderAnswer>> {
    let Command { body, request } = command;
    let named = body.external_id.filter(|name| !name.trim().is_empty());
    let order = Order {
        kind,
        who: player_ref(body.user_id, named)?,
        asset: asset(&body.token_type)?,
        amount: body.amount,
        reason: reason(body.reason.as_deref())?,
        force: body.force,
    };
    let done = desk
        .carry_out(&admin.actor, &order, request.as_ref(), now.0)
        .await?;
    Ok(Answer::of(done))
}
