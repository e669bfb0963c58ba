//! One file per endpoint, found from its URL. A handler extracts, calls one service and answers.
//!
//! To add an endpoint: a file with its handler, its DTOs and the `ERRORS` of its own; a line in the
//! module's `configure`; and both in [`crate::openapi`].

pub(crate) mod activity;
pub(crate) mod admin;
mod answer;
pub(crate) mod auth;
pub(crate) mod dice;
mod endpoint;
pub(crate) mod export;
pub(crate) mod fairness;
pub(crate) mod health;
pub(crate) mod lottery;
pub(crate) mod me;
pub(crate) mod odds;
mod play;
pub(crate) mod ranking;
pub(crate) mod roulette;
pub(crate) mod season_pass;
pub(crate) mod today_feature;
pub(crate) mod ui_config;
pub(crate) mod wallet;

use actix_web::web::ServiceConfig;

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    health::configure(cfg);
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
    admin::configure(cfg);
    today_feature::configure(cfg);
    ui_config::configure(cfg);
}
