//! `POST /api/auth/token`.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_core_auth::{AuthError, AuthService, LoginCommand};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Body, Now, client_address},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_players::GivenId;

use crate::auth::session::SessionAnswer;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"external_id": "demo-01", "password": "demo-pass"}))]
pub(crate) struct LoginRequest {
    /// 1 to 100 characters; surrounding spaces do not count.
    external_id: String,
    #[validate(length(min = 1, max = 256))]
    password: String,
}

pub(crate) fn operation() -> Operation {
    operation!(token).hashes_a_password().fails::<AuthError>(&[
        ErrorCode::InvalidCredentials,
        ErrorCode::UserBlocked,
        ErrorCode::TooManyRequests,
    ])
}

/// Logs a player or an admin in.
#[utoipa::path(post, path = "/api/auth/token", tag = "auth", request_body = LoginRequest,
    responses((status = 200, body = SessionAnswer)))]
pub(crate) async fn token(
    body: Body<LoginRequest>,
    now: Now,
    request: HttpRequest,
    auth: Data<dyn AuthService>,
) -> ApiResult<Json<SessionAnswer>> {
    let Body(login) = body;
    let command = LoginCommand {
        external_id: GivenId::try_from(login.external_id.as_str())
            .map_err(|error| ApiError::field("external_id", error))?,
        password: login.password,
        address: client_address(&request),
    };
    let session = auth.login(&command, now.0).await?;
    Ok(Json(session.into()))
}
