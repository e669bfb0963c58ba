//! What may be forgotten: short-lived copies of what is in the database, and counters for throttles.
//!
//! Invariants:
//! - Money is never kept here. Losing everything in a cache loses nothing but time.
//! - Lifetimes run on the machine's monotonic clock, not on the event's clock.
//! - A cache never fails a request, and delays it by some milliseconds at most.
//!
//! [`Snapshot`] is always in-process. [`Cache`] is the port behind [`Throttle`] and behind copies that
//! replicas share ([`Shared`]): [`MemoryCache`] is this process's; with the feature `redis`, `RedisCache` is
//! for all of them.

#[cfg(feature = "redis")]
mod breaker;
#[cfg(feature = "redis")]
mod envelope;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod memory;
mod port;
#[cfg(feature = "redis")]
mod redis_cache;
#[cfg(feature = "redis")]
mod redis_url;
mod shared;
mod snapshot;
mod sync;
mod throttle;

pub use memory::MemoryCache;
pub use port::{Cache, Count, MAX_VALUE_BYTES, Stats};
#[cfg(feature = "redis")]
pub use redis_cache::{RedisCache, RedisOptions, RedisSetupError};
#[cfg(feature = "redis")]
pub use redis_url::{RedisUrl, RedisUrlError};
pub use shared::Shared;
pub use snapshot::Snapshot;
pub use throttle::{Throttle, Throttled};
