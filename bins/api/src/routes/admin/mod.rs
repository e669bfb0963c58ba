//! `/admin/api/*`: what operators do. One guard stands before all of it
//! ([`crate::middleware::admin_guard`]); a handler asks for [`crate::extract::Admin`] only to know who
//! acts.
//!
//! To add a path: a file with its handlers and DTOs; a line in its module's `configure`, `Docs` and
//! `ERRORS`.

pub(crate) mod dashboard;
pub(crate) mod feature_config;
pub(crate) mod game_token_lists;
pub(crate) mod logs;
mod paging;
pub(crate) mod timeline;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use utoipa::{IntoParams, OpenApi, openapi::OpenApi as Document};
use xmas_kernel::ErrorCode;

use crate::middleware::admin_guard::admin_guard;

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    let scope = web::scope("/admin/api")
        .configure(feature_config::configure)
        .configure(dashboard::configure)
        .configure(game_token_lists::configure)
        .configure(logs::configure)
        .configure(timeline::configure);
    cfg.service(scope.wrap(from_fn(admin_guard)));
}

/// What each of these paths can answer with of its own, by method and path.
pub(crate) const ERRORS: &[&[(&str, &[ErrorCode])]] = &[
    feature_config::ERRORS,
    dashboard::ERRORS,
    game_token_lists::ERRORS,
    logs::ERRORS,
    timeline::ERRORS,
];

/// The paths' part of the OpenAPI document.
pub(crate) fn documents() -> Vec<Document> {
    vec![
        feature_config::Docs::openapi(),
        dashboard::Docs::openapi(),
        game_token_lists::Docs::openapi(),
        logs::Docs::openapi(),
        timeline::Docs::openapi(),
    ]
}

/// How the OpenAPI document shows the header that comes with a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct Reason {
    /// Why, for the audit log: percent-encoded UTF-8 of up to 500 characters.
    #[param(rename = "x-reason")]
    reason: Option<String>,
}

/// How the OpenAPI document shows the header that keeps two admins from overwriting each other.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct IfMatch {
    /// The `version` that the client has loaded; `version` in the body does the same.
    #[param(rename = "if-match")]
    version: Option<String>,
}
