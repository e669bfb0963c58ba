//! What threads share. `tests/interleavings.rs` builds some files of this crate with another module in the place of
//! this one, which decides who goes on at each use of it.

#[cfg(feature = "redis")]
pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
}
