//! `/api/roulette/*`.

pub(crate) mod play;
mod segment;
pub(crate) mod status;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/roulette/status",
        &Method::GET,
        web::to(status::status),
    ))
    .service(endpoint(
        "/api/roulette/play",
        &Method::POST,
        web::to(play::play),
    ));
}
