//! `/admin/api/logs/*`: what players did, and what operators did.

mod audit;
mod events;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use utoipa::OpenApi;
use xmas_http::endpoint;
use xmas_kernel::ErrorCode;

#[derive(OpenApi)]
#[openapi(paths(events::list, events::export, audit::list, audit::export))]
pub(crate) struct Docs;

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint::admin(
        "/logs/events",
        [(Method::GET, web::to(events::list))],
    ))
    .service(endpoint::admin(
        "/logs/events.csv",
        [(Method::GET, web::to(events::export))],
    ))
    .service(endpoint::admin(
        "/logs/audit",
        [(Method::GET, web::to(audit::list))],
    ))
    .service(endpoint::admin(
        "/logs/audit.csv",
        [(Method::GET, web::to(audit::export))],
    ));
}

const PARAMETERS: &[ErrorCode] = &[ErrorCode::ValidationError];

pub(crate) const ERRORS: &[(&str, &[ErrorCode])] = &[
    ("GET /admin/api/logs/events", PARAMETERS),
    ("GET /admin/api/logs/events.csv", PARAMETERS),
    ("GET /admin/api/logs/audit", PARAMETERS),
    ("GET /admin/api/logs/audit.csv", PARAMETERS),
];
