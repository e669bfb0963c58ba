//! A [`Cache`] that a test can look into.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{Cache, Count, MemoryCache, Stats, port::Tally};

/// A cache that looks shared, and in which nothing runs out.
#[derive(Debug, Default)]
pub struct FakeCache {
    counters: MemoryCache,
    values: Mutex<BTreeMap<String, Vec<u8>>>,
    is_lost: AtomicBool,
    tally: Tally,
}

impl FakeCache {
    /// What was put there under keys that begin like this, as text, by key.
    pub fn values(&self, beginning: &str) -> Vec<(String, String)> {
        let values = self.lock();
        let values = values.iter().filter(|(key, _)| key.starts_with(beginning));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        values
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    }

    /// Whether nothing that was put there is found.
    pub fn lose(&self, is_lost: bool) {
        self.is_lost.store(is_lost, Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Cache for FakeCache {
    async fn count(&self, key: &str, window: Duration) -> Count {
        self.counters.count(key, window).await
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let kept = self.lock().get(key).cloned();
        let is_lost = self.is_lost.load(Ordering::SeqCst);
        self.tally.read(kept.filter(|_| !is_lost))
    }

    async fn put(&self, key: &str, value: Vec<u8>, _ttl: Duration) {
        self.lock().insert(key.to_owned(), value);
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn stats(&self) -> Stats {
        self.tally.stats()
    }
}
