use std::{sync::Arc, time::Duration};

use moka::{Expiry, future::Cache as Moka};
use tokio::time::Instant;

use crate::{
    Cache, Count, MAX_VALUE_BYTES, Stats,
    port::{Tally, whole_seconds},
    sync::atomic::{AtomicU64, Ordering},
};

/// Counters and copies in this process. Bounded: the least used are forgotten first.
#[derive(Debug)]
pub struct MemoryCache {
    counters: Moka<String, Arc<Counter>>,
    values: Moka<String, Arc<Kept>>,
    tally: Tally,
}

#[derive(Debug)]
struct Counter {
    hits: AtomicU64,
    started: Instant,
    window: Duration,
}

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    ttl: Duration,
}

/// Drops an entry when its own time is over.
struct AfterItsTime;

impl Expiry<String, Arc<Counter>> for AfterItsTime {
    fn expire_after_create(
        &self,
        _key: &String,
        counter: &Arc<Counter>,
        _created_at: std::time::Instant,
    ) -> Option<Duration> {
        Some(counter.window)
    }
}

impl Expiry<String, Arc<Kept>> for AfterItsTime {
    fn expire_after_create(
        &self,
        _key: &String,
        kept: &Arc<Kept>,
        _created_at: std::time::Instant,
    ) -> Option<Duration> {
        Some(kept.ttl)
    }

    fn expire_after_update(
        &self,
        _key: &String,
        kept: &Arc<Kept>,
        _updated_at: std::time::Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.ttl)
    }
}

impl MemoryCache {
    const COUNTERS: u64 = 100_000;
    /// For all values together.
    const VALUE_BYTES: u64 = 32 * 1024 * 1024;

    /// How far a counter has got.
    #[cfg(feature = "redis")]
    pub(crate) async fn counted(&self, key: &str) -> u64 {
        let counter = self.counters.get(key).await;
        counter.map_or(0, |counter| counter.hits.load(Ordering::Relaxed))
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        let weight = |key: &String, kept: &Arc<Kept>| {
            u32::try_from(key.len() + kept.value.len()).unwrap_or(u32::MAX)
        };
        Self {
            counters: Moka::builder()
                .max_capacity(Self::COUNTERS)
                .expire_after(AfterItsTime)
                .build(),
            values: Moka::builder()
                .max_capacity(Self::VALUE_BYTES)
                .weigher(weight)
                .expire_after(AfterItsTime)
                .build(),
            tally: Tally::default(),
        }
    }
}

#[async_trait::async_trait]
impl Cache for MemoryCache {
    async fn count(&self, key: &str, window: Duration) -> Count {
        let fresh = async {
            Arc::new(Counter {
                hits: AtomicU64::new(0),
                started: Instant::now(),
                window,
            })
        };
        let counter = self.counters.get_with_by_ref(key, fresh).await;
        Count {
            hits: counter.hits.fetch_add(1, Ordering::Relaxed) + 1,
            resets_in: window.saturating_sub(counter.started.elapsed()),
        }
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let kept = self.values.get(key).await;
        self.tally.read(kept.map(|kept| kept.value.clone()))
    }

    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration) {
        if value.len() > MAX_VALUE_BYTES {
            return;
        }
        let ttl = Duration::from_secs(whole_seconds(ttl));
        let kept = Arc::new(Kept { value, ttl });
        self.values.insert(key.to_owned(), kept).await;
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn stats(&self) -> Stats {
        self.tally.stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_is_found_and_too_much_is_not_kept() {
        let cache = MemoryCache::default();
        let ttl = Duration::from_secs(60);
        assert_eq!(cache.get("a").await, None);
        cache.put("a", b"one".to_vec(), ttl).await;
        cache.put("b", vec![0; MAX_VALUE_BYTES + 1], ttl).await;
        assert_eq!(cache.get("a").await, Some(b"one".to_vec()));
        assert_eq!(cache.get("b").await, None);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.failures), (1, 2, 0));
    }
}
