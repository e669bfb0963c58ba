//! Operators over real HTTP, against the whole application: one module per path, and one per thing that must
//! hold for several of them.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]
// Starting an application is a deep nest of futures, and each test nests it once more.
#![recursion_limit = "256"]

mod bridge;
mod event;
mod features;
mod games;
mod insight;
mod named;
mod players;
mod rewards;
mod season_and_bridge;
mod seasons;
