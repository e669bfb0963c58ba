//! `/api/ranking/*`.

pub(crate) mod today;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/ranking/today",
        &Method::GET,
        web::to(today::today),
    ));
}
