//! The application over real HTTP: one module per route, and one per thing that must hold for all
//! of them.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
// Starting an application is a deep nest of futures, and each test nests it once more.
#![recursion_limit = "256"]

mod activity;
mod admin;
mod auth;
mod bad_input;
mod bridge_week;
mod browsers;
mod check;
mod command_line;
mod data_key;
mod dice;
mod fairness;
mod health;
mod keys;
mod lottery;
mod me;
mod nothing_ignored;
mod odds;
mod old_database;
mod openapi;
mod play_day;
mod races;
mod ranking;
mod read_only;
mod roulette;
mod season_pass;
mod secrets;
mod settle;
mod structure;
mod tables;
mod today_feature;
mod ui_config;
mod wallet;
mod zero;
