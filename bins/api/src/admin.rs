//! The admin API: its areas, each a crate under `crates/admin-api/areas/`, in the order of the document. One
//! guard stands before all of them ([`admin_guard`]).

use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use xmas_admin_bridge as bridge;
use xmas_admin_event as event;
use xmas_admin_features as features;
use xmas_admin_games as games;
use xmas_admin_insight as insight;
use xmas_admin_players as players;
use xmas_admin_rewards as rewards;
use xmas_admin_seasons as seasons;
use xmas_admin_wallets as wallets;
use xmas_http::{endpoint::Operations, middleware::admin_guard};

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
            event::operations(),
            games::external_ranking::operations(),
            features::feature_config::operations(),
            features::feature_schedule::operations(),
            wallets::lists::operations(),
            wallets::batch::operations(),
            wallets::order::operations(),
            wallets::payout::operations(),
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
    pub wallets: wallets::Services,
    pub rewards: rewards::Services,
    pub seasons: seasons::Services,
    pub games: games::Services,
    pub bridge: bridge::Services,
    pub event: event::Services,
    pub features: features::Services,
    pub insight: insight::Services,
}

/// Serves every path of operators, behind the guard.
pub fn configure(cfg: &mut ServiceConfig, services: &Services) {
    services.players.register(cfg);
    services.wallets.register(cfg);
    services.rewards.register(cfg);
    services.seasons.register(cfg);
    services.games.register(cfg);
    services.bridge.register(cfg);
    services.event.register(cfg);
    services.features.register(cfg);
    services.insight.register(cfg);
    admin_guard::serve("/admin/api", operations(), cfg);
}
