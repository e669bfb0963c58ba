//! `/api/activity/*`.

pub(crate) mod record;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/activity/record",
        &Method::POST,
        web::to(record::record),
    ));
}
