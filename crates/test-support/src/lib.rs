//! What tests share: a fresh database per test, on SQLite or on the server in
//! `DATABASE_TEST_URL`.

mod database;

pub use database::TestDb;
