//! `/api/*`: what players do. One file per endpoint, found from its URL. A handler extracts, calls one service
//! and answers.
//!
//! To add an endpoint: a file with its handler, its DTOs and its `operation`; and a word in the module's
//! `operations`.

mod activity;
mod auth;
mod fairness;
pub mod games;
mod me;
mod odds;
mod ranking;
mod season_pass;
mod services;
mod today_feature;
mod ui_config;
mod wallet;

use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use xmas_http::endpoint::Operations;

pub use services::Services;

/// Every path of players.
pub fn operations() -> &'static Operations {
    static ALL: LazyLock<Operations> = LazyLock::new(|| {
        Operations::from([
            auth::operations(),
            season_pass::operations(),
            games::operations(),
            ranking::operations(),
            vec![wallet::operation()],
            me::operations(),
            odds::operations(),
            vec![fairness::operation()],
            activity::operations(),
            ui_config::operations(),
            vec![today_feature::operation()],
        ])
    });
    &ALL
}

/// Serves them.
pub fn configure(cfg: &mut ServiceConfig, services: &Services) {
    services.register(cfg);
    operations().serve(cfg);
}
