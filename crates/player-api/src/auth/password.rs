//! `POST /api/auth/password`.

use actix_web::web::{Data, Json};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;
use xmas_core_auth::{AuthError, AuthService, PasswordCommand};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Bearer, Body, Now},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_players::Password;

use crate::auth::session::SessionAnswer;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current_password": "demo-pass", "new_password": "a longer one"}))]
pub(crate) struct PasswordRequest {
    #[validate(length(min = 1, max = 256))]
    current_password: String,
    /// 8 to 256 characters.
    new_password: String,
}

pub(crate) fn operation() -> Operation {
    operation!(password)
        .hashes_a_password()
        .fails::<AuthError>(&[ErrorCode::TooManyRequests])
}

/// Replaces the password and ends every other session. A wrong current password is a
/// `VALIDATION_ERROR`, since a 401 would log the player out.
#[utoipa::path(post, path = "/api/auth/password", tag = "auth", request_body = PasswordRequest,
    responses((status = 200, body = SessionAnswer)), security(("bearer" = [])))]
pub(crate) async fn password(
    bearer: Bearer,
    body: Body<PasswordRequest>,
    now: Now,
    auth: Data<dyn AuthService>,
) -> ApiResult<Json<SessionAnswer>> {
    let command = PasswordCommand {
        identity: bearer.0.identity,
        current: body.0.current_password,
        new: Password::try_from(body.0.new_password.as_str())
            .map_err(|unfit| ApiError::field("new_password", unfit))?,
    };
    let session = auth.change_password(&command, now.0).await?;
    Ok(Json(session.into()))
}
