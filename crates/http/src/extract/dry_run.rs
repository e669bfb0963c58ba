use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_texts::{field, quoted};

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
        let Some(text) = self.dry_run.as_deref().filter(|text| !text.is_empty()) else {
            return said(None);
        };
        let unreadable = |_| ApiError::field("dry_run", field::dry_run_unreadable(quoted(text)));
        text.parse().map_err(unreadable)
    }
}

/// What was said, wherever it was.
pub fn said(dry_run: Option<bool>) -> ApiResult<bool> {
    dry_run.ok_or_else(|| ApiError::field("dry_run", field::dry_run_unsaid()))
}
