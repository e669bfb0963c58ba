use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use moka::{Expiry, future::Cache as Moka};
use tokio::time::Instant;

use crate::{Cache, Count};

/// Counters in this process. Bounded: the least used are forgotten first.
#[derive(Debug)]
pub struct MemoryCache {
    counters: Moka<String, Arc<Counter>>,
}

#[derive(Debug)]
struct Counter {
    hits: AtomicU64,
    started: Instant,
    window: Duration,
}

/// Drops a counter when its own window is over.
struct AfterWindow;

impl Expiry<String, Arc<Counter>> for AfterWindow {
    fn expire_after_create(
        &self,
        _key: &String,
        counter: &Arc<Counter>,
        _created_at: std::time::Instant,
    ) -> Option<Duration> {
        Some(counter.window)
    }
}

impl MemoryCache {
    const CAPACITY: u64 = 100_000;
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self {
            counters: Moka::builder()
                .max_capacity(Self::CAPACITY)
                .expire_after(AfterWindow)
                .build(),
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
}
