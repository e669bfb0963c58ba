//! `/admin/api/*`: what operators do, in folders by area. One guard stands before all of it
//! ([`xmas_http::middleware::admin_guard`]); a handler asks for [`xmas_http::extract::Admin`] only to know who
//! acts.
//!
//! To add a path: a file with its handlers and DTOs, and a line in its module's `operations`.

pub mod bridge;
pub mod features;
pub mod games;
pub mod insight;
mod paging;
mod params;
pub mod players;
mod records;
pub mod rewards;
pub mod seasons;
mod two_names;

use std::sync::LazyLock;

use actix_web::{
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use xmas_http::{endpoint::Operations, middleware::admin_guard::admin_guard};

/// Every path of operators.
pub fn operations() -> &'static Operations {
    static ALL: LazyLock<Operations> = LazyLock::new(|| {
        Operations::from([
            rewards::bundles::operations(),
            rewards::coupons::codes::operations(),
            rewards::coupons::kinds::operations(),
            rewards::coupons::withheld::operations(),
            insight::dashboard::operations(),
            games::operations(),
            bridge::operations(),
            games::external_ranking::operations(),
            features::feature_config::operations(),
            features::feature_schedule::operations(),
            rewards::game_tokens::lists::operations(),
            rewards::game_tokens::batch::operations(),
            rewards::game_tokens::order::operations(),
            rewards::game_tokens::payout::operations(),
            insight::logs::operations(),
            games::odds::operations(),
            games::ranking::operations(),
            rewards::review::operations(),
            seasons::operations(),
            players::timeline::operations(),
            features::ui_config::operations(),
            players::operations(),
        ])
    });
    &ALL
}

/// What all of them work with.
#[derive(Clone)]
pub struct Services {
    pub players: players::Services,
    pub rewards: rewards::Services,
    pub seasons: seasons::Services,
    pub games: games::Services,
    pub bridge: bridge::Services,
    pub features: features::Services,
    pub insight: insight::Services,
}

/// Serves every path of operators, behind the guard.
pub fn configure(cfg: &mut ServiceConfig, services: &Services) {
    services.players.register(cfg);
    services.rewards.register(cfg);
    services.seasons.register(cfg);
    services.games.register(cfg);
    services.bridge.register(cfg);
    services.features.register(cfg);
    services.insight.register(cfg);
    const SCOPE: &str = "/admin/api";
    let scope = web::scope(SCOPE).configure(|cfg| operations().serve_in_scope(SCOPE, cfg));
    cfg.service(scope.wrap(from_fn(admin_guard)));
}
