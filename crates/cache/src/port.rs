use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Where counters and short-lived copies live.
///
/// Keys begin with the area that they belong to (`throttle:…`). Nothing here fails: what cannot be
/// read is a miss, and what cannot be kept is not kept.
#[async_trait::async_trait]
pub trait Cache: Send + Sync {
    /// Adds one to the counter `key` and says where it stands. A counter that does not exist
    /// starts at one and is forgotten `window` later.
    async fn count(&self, key: &str, window: Duration) -> Count;

    /// What was put under `key`, byte for byte, if it is still there.
    async fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps a value for `ttl`, counted in whole seconds of which there is at least one. A value of
    /// more than [`MAX_VALUE_BYTES`] is not kept.
    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration);

    /// Whether other processes see what is put here.
    fn is_shared(&self) -> bool;

    /// Whether it is asked at all: one that has failed is left alone for a while.
    fn is_available(&self) -> bool {
        true
    }

    /// How well it has served since the process started.
    fn stats(&self) -> Stats;
}

/// The largest value that is kept.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;

/// Where a counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub hits: u64,
    /// Until the counter is forgotten.
    pub resets_in: Duration,
}

/// What became of the reads of a cache, and how often it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads that found something.
    pub hits: u64,
    /// Reads that found nothing, also because the cache failed or was not asked.
    pub misses: u64,
    /// Reads, writes and counts that did not reach the cache or came back with nothing usable.
    pub failures: u64,
}

impl Stats {
    /// What was counted since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            hits: self.hits.saturating_sub(earlier.hits),
            misses: self.misses.saturating_sub(earlier.misses),
            failures: self.failures.saturating_sub(earlier.failures),
        }
    }

    /// The share of reads that found something, 0 to 1; 0 before the first read.
    pub fn hit_ratio(&self) -> f64 {
        let reads = self.hits + self.misses;
        if reads == 0 {
            return 0.0;
        }
        self.hits as f64 / reads as f64
    }
}

/// [`Stats`] as they are counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    failures: AtomicU64,
}

impl Tally {
    /// Counts a read by what it found, and hands that on.
    pub(crate) fn read<T>(&self, found: Option<T>) -> Option<T> {
        let counter = match found {
            Some(_) => &self.hits,
            None => &self.misses,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    #[cfg(feature = "redis")]
    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}

/// A lifetime in whole seconds, of which there is at least one.
pub(crate) fn whole_seconds(ttl: Duration) -> u64 {
    ttl.as_secs().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_told_by_itself() {
        let stats = |hits, misses, failures| Stats {
            hits,
            misses,
            failures,
        };
        let minute = stats(13, 5, 2).since(&stats(10, 4, 2));
        assert_eq!(minute, stats(3, 1, 0));
        assert_eq!(minute.hit_ratio(), 0.75);
        assert_eq!(stats(0, 0, 7).hit_ratio(), 0.0);
    }
}
