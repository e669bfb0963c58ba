//! Wallets, rewards and batches on a real database.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod batches;
mod rotation;
mod wallets;
