//! `/api/season-pass/*`.

mod bridge;
pub(crate) mod claim;
pub(crate) mod internal_wins;
mod reward;
pub(crate) mod stamp;
pub(crate) mod status;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/season-pass/status",
        &Method::GET,
        web::to(status::status),
    ))
    .service(endpoint(
        "/api/season-pass/stamp",
        &Method::POST,
        web::to(stamp::stamp),
    ))
    .service(endpoint(
        "/api/season-pass/claim",
        &Method::POST,
        web::to(claim::claim),
    ))
    .service(endpoint(
        "/api/season-pass/internal-wins",
        &Method::GET,
        web::to(internal_wins::internal_wins),
    ));
}
