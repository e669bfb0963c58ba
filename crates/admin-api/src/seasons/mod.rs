//! `/admin/api/seasons/`.

pub(crate) mod levels;
pub(crate) mod season;

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use utoipa::OpenApi;
use xmas_http::endpoint;
use xmas_kernel::ErrorCode;

#[derive(OpenApi)]
#[openapi(paths(
    season::list,
    season::post,
    season::get,
    season::put,
    levels::get,
    levels::put
))]
pub(crate) struct Docs;

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint::admin(
        "/seasons",
        [
            (Method::GET, web::to(season::list)),
            (Method::POST, web::to(season::post)),
        ],
    ))
    .service(endpoint::admin(
        "/seasons/{id}",
        [
            (Method::GET, web::to(season::get)),
            (Method::PUT, web::to(season::put)),
        ],
    ))
    .service(endpoint::admin(
        "/seasons/{id}/levels",
        [
            (Method::GET, web::to(levels::get)),
            (Method::PUT, web::to(levels::put)),
        ],
    ));
}

const CHANGE: [ErrorCode; 4] = [
    ErrorCode::SeasonNotFound,
    ErrorCode::InvalidSeasonDates,
    ErrorCode::ActiveSeasonConflict,
    ErrorCode::VersionConflict,
];

pub(crate) const ERRORS: &[(&str, &[ErrorCode])] = &[
    ("GET /admin/api/seasons/", &[ErrorCode::ValidationError]),
    (
        "POST /admin/api/seasons/",
        &[
            ErrorCode::InvalidSeasonDates,
            ErrorCode::ActiveSeasonConflict,
        ],
    ),
    ("GET /admin/api/seasons/{id}", &[ErrorCode::SeasonNotFound]),
    ("PUT /admin/api/seasons/{id}", &CHANGE),
    (
        "GET /admin/api/seasons/{id}/levels",
        &[ErrorCode::SeasonNotFound],
    ),
    ("PUT /admin/api/seasons/{id}/levels", &CHANGE),
];
