//! `/api/*`: what players do. One file per endpoint, found from its URL. A handler extracts, calls one service
//! and answers.
//!
//! To add an endpoint: a file with its handler, its DTOs and the `ERRORS` of its own; and a line in the
//! module's `configure`.

mod activity;
mod auth;
mod dice;
mod fairness;
mod lottery;
mod me;
mod odds;
mod play;
mod ranking;
mod roulette;
mod season_pass;
mod today_feature;
mod ui_config;
mod wallet;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;
use xmas_kernel::ErrorCode;

/// Registers every path of players with a worker.
pub fn configure(cfg: &mut ServiceConfig) {
    auth::configure(cfg);
    season_pass::configure(cfg);
    roulette::configure(cfg);
    dice::configure(cfg);
    lottery::configure(cfg);
    ranking::configure(cfg);
    wallet::configure(cfg);
    me::configure(cfg);
    odds::configure(cfg);
    fairness::configure(cfg);
    activity::configure(cfg);
    today_feature::configure(cfg);
    ui_config::configure(cfg);
}

#[derive(OpenApi)]
#[openapi(paths(
    auth::token::token,
    auth::refresh::refresh,
    auth::logout::logout,
    auth::password::password,
    season_pass::status::status,
    season_pass::stamp::stamp,
    season_pass::claim::claim,
    season_pass::internal_wins::internal_wins,
    roulette::status::status,
    roulette::play::play,
    dice::status::status,
    dice::play::play,
    lottery::status::status,
    lottery::play::play,
    ranking::today::today,
    wallet::wallet,
    me::history::history,
    me::draw::draw,
    odds::odds,
    fairness::fairness,
    activity::record::record,
    ui_config::ui_config,
    ui_config::ticket_zero,
    today_feature::retired,
))]
struct Docs;

/// The paths' part of the OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    Docs::openapi()
}

/// Which errors each path can answer of its own; what follows from its token, its body and its
/// idempotency key is added below.
pub const ERRORS: [(&str, &[ErrorCode]); 19] = [
    ("/api/auth/token", auth::token::ERRORS),
    ("/api/auth/refresh", auth::refresh::ERRORS),
    ("/api/auth/password", auth::password::ERRORS),
    ("/api/season-pass/status", season_pass::status::ERRORS),
    ("/api/season-pass/stamp", season_pass::stamp::ERRORS),
    ("/api/season-pass/claim", season_pass::claim::ERRORS),
    (
        "/api/season-pass/internal-wins",
        season_pass::internal_wins::ERRORS,
    ),
    ("/api/roulette/status", roulette::status::ERRORS),
    ("/api/roulette/play", roulette::play::ERRORS),
    ("/api/dice/status", dice::status::ERRORS),
    ("/api/dice/play", dice::play::ERRORS),
    ("/api/lottery/status", lottery::status::ERRORS),
    ("/api/lottery/play", lottery::play::ERRORS),
    ("/api/ranking/today", ranking::today::ERRORS),
    ("/api/me/history", me::history::ERRORS),
    ("/api/me/plays/{play_id}/draw", me::draw::ERRORS),
    ("/api/odds/{feature}", odds::ERRORS),
    ("/api/fairness/{day}", fairness::ERRORS),
    ("/api/today-feature", today_feature::ERRORS),
];
