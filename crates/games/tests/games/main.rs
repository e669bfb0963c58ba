//! The games on a database: the contract of every game, held by the fake and by the real service,
//! what plays do to the tables, stock under contention, and draws that anybody can check.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod desk;
mod fairness;
mod hot_stock;
mod model;
mod plans;
mod plays;
mod refusals;
mod together;
mod world;
