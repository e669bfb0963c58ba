use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use crate::error::{ApiError, ApiResult};

/// Whether to do work on many players, or only to look. There is no usual answer: either of them would
/// some day be given by mistake.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct DryRun {
    /// True to look, false to do it: it must be said.
    #[param(required = true, value_type = bool)]
    dry_run: Option<String>,
}

impl DryRun {
    pub fn said(&self) -> ApiResult<bool> {
        said(self.dry_run.as_deref().and_then(|text| text.parse().ok()))
    }
}

/// What was said, wherever it was.
pub fn said(dry_run: Option<bool>) -> ApiResult<bool> {
    let problem = "must be said: true to look, false to do it";
    dry_run.ok_or_else(|| ApiError::field("dry_run", problem))
}
