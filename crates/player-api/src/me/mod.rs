//! `/api/me/*`.

pub(crate) mod draw;
pub(crate) mod history;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/me/history",
        &Method::GET,
        web::to(history::history),
    ))
    .service(endpoint(
        "/api/me/plays/{play_id}/draw",
        &Method::GET,
        web::to(draw::draw),
    ));
}
