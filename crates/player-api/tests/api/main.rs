//! Players over real HTTP, against the whole application: one module per path.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
// Starting an application is a deep nest of futures, and each test nests it once more.
#![recursion_limit = "256"]

mod activity;
mod auth;
mod dice;
mod fairness;
mod finished;
mod lottery;
mod me;
mod odds;
mod play_day;
mod ranking;
mod roulette;
mod season_pass;
mod statements;
mod today_feature;
mod ui_config;
mod wallet;
