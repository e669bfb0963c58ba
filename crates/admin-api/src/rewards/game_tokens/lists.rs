//! `/admin/api/game-tokens/wallets`, `/play-logs` and `/ledger`: what players have, played and got.

use actix_web::{
    http::Method,
    web::{self, ServiceConfig},
};
use utoipa::OpenApi;
use xmas_http::endpoint;
use xmas_kernel::ErrorCode;

use crate::rewards::game_tokens::{ledger, play_logs, wallets};

#[derive(OpenApi)]
#[openapi(paths(
    wallets::list,
    wallets::export,
    play_logs::list,
    play_logs::export,
    ledger::list,
    ledger::export,
))]
pub(crate) struct Docs;

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(endpoint::admin(
        "/game-tokens/wallets",
        [(Method::GET, web::to(wallets::list))],
    ))
    .service(endpoint::admin(
        "/game-tokens/wallets.csv",
        [(Method::GET, web::to(wallets::export))],
    ))
    .service(endpoint::admin(
        "/game-tokens/play-logs",
        [(Method::GET, web::to(play_logs::list))],
    ))
    .service(endpoint::admin(
        "/game-tokens/play-logs.csv",
        [(Method::GET, web::to(play_logs::export))],
    ))
    .service(endpoint::admin(
        "/game-tokens/ledger",
        [(Method::GET, web::to(ledger::list))],
    ))
    .service(endpoint::admin(
        "/game-tokens/ledger.csv",
        [(Method::GET, web::to(ledger::export))],
    ));
}

const PARAMETERS: &[ErrorCode] = &[ErrorCode::ValidationError];

pub(crate) const ERRORS: &[(&str, &[ErrorCode])] = &[
    ("GET /admin/api/game-tokens/wallets", PARAMETERS),
    ("GET /admin/api/game-tokens/wallets.csv", PARAMETERS),
    ("GET /admin/api/game-tokens/play-logs", PARAMETERS),
    ("GET /admin/api/game-tokens/play-logs.csv", PARAMETERS),
    ("GET /admin/api/game-tokens/ledger", PARAMETERS),
    ("GET /admin/api/game-tokens/ledger.csv", PARAMETERS),
];
