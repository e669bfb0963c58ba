//! What may be forgotten: short-lived copies of configuration, and counters for throttles.
//!
//! Invariants:
//! - Money is never kept here. Losing everything in a cache loses nothing but time.
//! - Lifetimes run on the machine's monotonic clock, not on the event's clock.
//!
//! [`Snapshot`] is always in-process. [`Cache`] is the port behind throttles, which replicas may
//! one day share.

mod counter;
mod memory;
mod snapshot;
mod throttle;

pub use counter::{Cache, Count};
pub use memory::MemoryCache;
pub use snapshot::Snapshot;
pub use throttle::{Throttle, Throttled};
