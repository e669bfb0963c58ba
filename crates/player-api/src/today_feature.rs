//! `/api/today-feature`: retired.

use actix_web::web::{self, ServiceConfig};
use xmas_http::error::{ApiError, ApiResult};
use xmas_kernel::ErrorCode;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/api/today-feature").to(retired));
}

pub(crate) const ERRORS: &[ErrorCode] = &[ErrorCode::FeatureRetired];

/// Gone for good, whatever the method, and before any look at a token.
#[utoipa::path(get, path = "/api/today-feature", tag = "retired", responses())]
pub(crate) async fn retired() -> ApiResult<&'static str> {
    Err(ApiError::new(ErrorCode::FeatureRetired))
}
