//! The event as one file.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

mod applying;
mod meanwhile;
mod random;
mod reading;
