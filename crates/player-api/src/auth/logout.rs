//! `POST /api/auth/logout`.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_core_auth::{AuthService, LogoutCommand};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Bearer, Now, OptionalBody},
    operation,
};

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"everywhere": true}))]
pub(crate) struct LogoutRequest {
    /// Ends every session of the account and makes every token minted so far worthless. Otherwise
    /// this session can no longer be refreshed, and its access token lives out its time.
    #[serde(default)]
    everywhere: bool,
}

pub(crate) fn operation() -> Operation {
    operation!(logout)
}

/// Ends this session, or all of them.
#[utoipa::path(post, path = "/api/auth/logout", tag = "auth", request_body = Option<LogoutRequest>,
    responses((status = 204, description = "Logged out.")), security(("bearer" = [])))]
pub(crate) async fn logout(
    bearer: Bearer,
    body: OptionalBody<LogoutRequest>,
    now: Now,
    auth: Data<dyn AuthService>,
) -> ApiResult<HttpResponse> {
    let command = LogoutCommand {
        identity: bearer.0.identity,
        session_id: bearer.0.session_id,
        everywhere: body.0.everywhere,
    };
    auth.logout(&command, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
