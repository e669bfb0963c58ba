//! `/api/auth/*`.

pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refresh;
mod session;
pub(crate) mod token;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use xmas_http::endpoint::endpoint;

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint(
        "/api/auth/token",
        &Method::POST,
        web::to(token::token),
    ))
    .service(endpoint(
        "/api/auth/refresh",
        &Method::POST,
        web::to(refresh::refresh),
    ))
    .service(endpoint(
        "/api/auth/logout",
        &Method::POST,
        web::to(logout::logout),
    ))
    .service(endpoint(
        "/api/auth/password",
        &Method::POST,
        web::to(password::password),
    ));
}
