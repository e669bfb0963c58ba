//! What tests share: a fresh database per test, on SQLite or on the server in
//! `DATABASE_TEST_URL`, a Redis server and an nginx of their own, and (feature `app`) the running application on a
//! free port.

#[cfg(feature = "app")]
mod app;
mod database;
mod nginx;
mod port;
mod redis;

#[cfg(feature = "app")]
pub use app::{Answer, AppBuilder, Client, JWT_SECRET, TestApp, document};
pub use database::TestDb;
pub use nginx::{Nginx, Site};
pub use port::free_port;
pub use redis::RedisServer;
