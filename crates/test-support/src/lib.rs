//! What tests share: a fresh database per test, on SQLite or on the server in
//! `DATABASE_TEST_URL`, and (feature `app`) the running application on a free port.

#[cfg(feature = "app")]
mod app;
mod database;

#[cfg(feature = "app")]
pub use app::{Answer, AppBuilder, Client, TestApp, document};
pub use database::TestDb;
