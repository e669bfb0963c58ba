//! `/api/today-feature`: retired, 410 for whatever is asked.

use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    operation,
};
use xmas_kernel::ErrorCode;

pub(crate) fn operation() -> Operation {
    operation!(retired)
        .refuses(&[ErrorCode::FeatureRetired])
        .for_any_request()
}

/// Gone for good, whatever the method, and before any look at a token.
#[utoipa::path(get, path = "/api/today-feature", tag = "retired", responses())]
pub(crate) async fn retired() -> ApiResult<&'static str> {
    Err(ApiError::new(ErrorCode::FeatureRetired))
}
