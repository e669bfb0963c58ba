//! The one binary of XMAS 1Week: command line, configuration, HTTP.
//!
//! A request goes to a handler of `player-api` or `admin-api` (extract, one service call, answer) → a domain crate's service →
//! its rules and store. [`wiring`] is the only place where concrete services meet `dyn` traits.
//! Nothing here knows a business rule, and nothing in the domain crates knows HTTP.
//!
//! Owns the table `demo_state`.

mod admin;
pub mod cli;
mod health;
mod home;
pub mod jobs;
pub mod openapi;
pub mod readiness;
pub mod schema;
pub mod seed;
mod telemetry;
mod version;
pub mod wiring;
