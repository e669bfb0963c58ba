//! What may be forgotten: short-lived copies of configuration, and counters for throttles.
//!
//! Invariants:
//! - Money is never kept here. Losing everything in a cache loses nothing but time.
//! - Lifetimes run on the machine's monotonic clock, not on the event's clock.
//!
//! [`Snapshot`] is always in-process. [`Cache`] is the port behind throttles, which replicas may
//! one day share.

mod memory;
mod snapshot;
mod throttle;

use std::time::Duration;

pub use memory::MemoryCache;
pub use snapshot::Snapshot;
pub use throttle::{Throttle, Throttled};

/// Where counters live.
#[async_trait::async_trait]
pub trait Cache: Send + Sync {
    /// Adds one to the counter `key` and says where it stands. A counter that does not exist
    /// starts at one and is forgotten `window` later.
    async fn count(&self, key: &str, window: Duration) -> Count;
}

/// Where a counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub hits: u64,
    /// Until the counter is forgotten.
    pub resets_in: Duration,
}
