//! `POST /api/auth/refresh`.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_core_auth::{AuthError, AuthService, RefreshCommand};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Body, Now, client_address},
    operation,
};
use xmas_kernel::ErrorCode;

use crate::auth::session::SessionAnswer;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "q3p0u1R7dZkVb2mXo9yTnw5LsEaHcFgJiKx8Wv6MQYc"}))]
pub(crate) struct RefreshRequest {
    #[validate(length(min = 1, max = 256))]
    refresh_token: String,
}

pub(crate) fn operation() -> Operation {
    operation!(refresh).fails::<AuthError>(&[
        ErrorCode::TokenInvalid,
        ErrorCode::TokenExpired,
        ErrorCode::UserBlocked,
        ErrorCode::TooManyRequests,
    ])
}

/// Trades a refresh token for a new session. A used token that comes back after more than 30
/// seconds ends the whole session.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, body = SessionAnswer)))]
pub(crate) async fn refresh(
    body: Body<RefreshRequest>,
    now: Now,
    request: HttpRequest,
    auth: Data<dyn AuthService>,
) -> ApiResult<Json<SessionAnswer>> {
    let command = RefreshCommand {
        refresh_token: body.0.refresh_token,
        address: client_address(&request),
    };
    let session = auth.refresh(&command, now.0).await?;
    Ok(Json(session.into()))
}
