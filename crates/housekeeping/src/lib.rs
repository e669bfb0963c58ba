//! What nobody needs any more goes: answers to requests, refresh tokens that have ended, and the addresses that
//! logins came from.
//!
//! Invariants:
//! - An answer stays until the seasons of its time are over, grace days included, whatever its age: whoever sends
//!   such a request again would have it done again.
//! - One process at a time does it, in small transactions. Each notes what it has done, so that a run that is
//!   killed is told of as any other.
//! - What went is a row in the operators' log and a metric; what stayed is in both as well.

mod record;
mod run;

pub use record::{Counts, Record};
pub use run::{EVERY, Housekeeping};
