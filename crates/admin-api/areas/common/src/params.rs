//! What many paths have in common in their parameters.

use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;
use xmas_http::error::{ApiError, ApiResult};
use xmas_kernel::UserId;
use xmas_players::{GivenId, PlayerRef};

/// How the OpenAPI document shows the part of a path that names an account ([`xmas_http::extract::AccountPart`]).
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub struct AccountPath {
    /// Its number, or `external_id:` and the percent-encoded id that the player logs in with:
    /// `42`, `external_id:santa`.
    id: String,
}

/// The same under the name that the boards have for it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only its description is used")]
pub struct UserPath {
    /// The player's number, or `external_id:` and the percent-encoded id that the player logs in with:
    /// `42`, `external_id:santa`.
    user_id: String,
}

/// How the OpenAPI document shows the header that comes with a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct Reason {
    /// Why, for the audit log: percent-encoded UTF-8 of up to 500 characters.
    #[param(rename = "x-reason")]
    reason: Option<String>,
}

/// How the OpenAPI document shows the header that keeps two admins from overwriting each other.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub struct IfMatch {
    /// The `version` that the client has loaded, or a list of versions of which any will do, in quotes; `*` for
    /// any at all. `version` in the body goes before it.
    #[param(rename = "if-match")]
    version: Option<String>,
}

/// The player whom a request names.
pub fn player_ref(user_id: Option<i64>, external_id: Option<String>) -> ApiResult<PlayerRef> {
    let external_id = external_id.as_deref().map(GivenId::try_from).transpose();
    Ok(PlayerRef {
        user_id: user_id.map(UserId),
        external_id: external_id.map_err(|error| ApiError::field("external_id", error))?,
    })
}

/// Tells a field that was sent as null from one that was left out, which stays `None`.
pub fn sent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
