//! `/admin/api/*`: what operators do, in folders by area. One guard stands before all of it
//! ([`xmas_http::middleware::admin_guard`]); a handler asks for [`xmas_http::extract::Admin`] only to know who
//! acts.
//!
//! To add a path: a file with its handlers and DTOs; a line in its module's `configure`, `Docs` and
//! `ERRORS`.

mod bridge;
mod features;
mod games;
mod insight;
mod paging;
mod params;
mod players;
mod records;
mod rewards;
mod seasons;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use utoipa::{OpenApi, openapi::OpenApi as Document};
use xmas_http::middleware::admin_guard::admin_guard;
use xmas_kernel::ErrorCode;

/// Registers every path of operators with a worker.
pub fn configure(cfg: &mut ServiceConfig) {
    let scope = web::scope("/admin/api")
        .configure(rewards::bundles::configure)
        .configure(rewards::coupons::kinds::configure)
        .configure(insight::dashboard::configure)
        .configure(games::dice_config::configure)
        .configure(bridge::configure)
        .configure(games::external_ranking::configure)
        .configure(features::feature_config::configure)
        .configure(features::feature_schedule::configure)
        .configure(rewards::game_tokens::configure)
        .configure(insight::logs::configure)
        .configure(games::lottery_config::configure)
        .configure(games::odds::configure)
        .configure(games::ranking::configure)
        .configure(rewards::review::configure)
        .configure(games::roulette_config::configure)
        .configure(seasons::configure)
        .configure(features::ui_config::configure)
        .configure(players::configure);
    cfg.service(scope.wrap(from_fn(admin_guard)));
}

/// What each of these paths can answer with of its own, by method and path.
pub const ERRORS: &[&[(&str, &[ErrorCode])]] = &[
    rewards::bundles::ERRORS,
    rewards::coupons::codes::ERRORS,
    rewards::coupons::kinds::ERRORS,
    rewards::coupons::withheld::ERRORS,
    insight::dashboard::ERRORS,
    games::dice_config::ERRORS,
    bridge::ERRORS,
    games::external_ranking::ERRORS,
    features::feature_config::ERRORS,
    features::feature_schedule::ERRORS,
    rewards::game_tokens::lists::ERRORS,
    rewards::game_tokens::batch::ERRORS,
    rewards::game_tokens::order::ERRORS,
    rewards::game_tokens::payout::ERRORS,
    insight::logs::ERRORS,
    games::lottery_config::ERRORS,
    games::odds::ERRORS,
    games::ranking::ERRORS,
    rewards::review::ERRORS,
    games::roulette_config::ERRORS,
    seasons::ERRORS,
    players::timeline::ERRORS,
    features::ui_config::ERRORS,
    players::ERRORS,
];

/// The paths' part of the OpenAPI document.
pub fn documents() -> Vec<Document> {
    vec![
        rewards::bundles::Docs::openapi(),
        rewards::coupons::codes::Docs::openapi(),
        rewards::coupons::kinds::Docs::openapi(),
        rewards::coupons::withheld::Docs::openapi(),
        insight::dashboard::Docs::openapi(),
        games::dice_config::Docs::openapi(),
        bridge::Docs::openapi(),
        games::external_ranking::Docs::openapi(),
        features::feature_config::Docs::openapi(),
        features::feature_schedule::Docs::openapi(),
        rewards::game_tokens::lists::Docs::openapi(),
        rewards::game_tokens::batch::Docs::openapi(),
        rewards::game_tokens::order::Docs::openapi(),
        rewards::game_tokens::payout::Docs::openapi(),
        insight::logs::Docs::openapi(),
        games::lottery_config::Docs::openapi(),
        games::odds::Docs::openapi(),
        games::ranking::Docs::openapi(),
        rewards::review::Docs::openapi(),
        games::roulette_config::Docs::openapi(),
        seasons::Docs::openapi(),
        players::timeline::Docs::openapi(),
        features::ui_config::Docs::openapi(),
        players::Docs::openapi(),
    ]
}
