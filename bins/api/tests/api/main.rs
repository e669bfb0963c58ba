//! The application as a whole, over real HTTP and from the command line: one module per thing that must hold.
//! Tests of single paths stand beside these: in `crates/player-api` and `crates/admin-api`.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
// Starting an application is a deep nest of futures, and each test nests it once more.
#![recursion_limit = "256"]

mod audit;
mod bad_input;
mod bridge_week;
mod browsers;
mod check;
mod circles;
mod cluster;
mod command_line;
mod connections;
mod data_key;
mod drain;
mod dropped;
mod event_verbs;
mod health;
mod home;
mod idempotency;
mod keys;
mod lunar_week;
mod metrics;
mod migrate;
mod nginx;
mod nothing_ignored;
mod old_database;
mod openapi;
mod overload;
mod problems;
mod races;
mod read_only;
mod redis;
mod rotation;
mod runtimes;
mod secrets;
mod security;
mod settle;
mod shared_reads;
mod start_up;
mod structure;
mod tables;
mod telemetry;
mod zero;
