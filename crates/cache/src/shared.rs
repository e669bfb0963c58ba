use std::{
    fmt::Display,
    future::Future,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::Cache;

/// Short-lived copies of what many read, for all replicas of an event.
///
/// Without a cache that they share, each read loads. A [`crate::Snapshot`] in front of it spares a
/// process its way to the cache; a copy is then out of date for at most both lifetimes. This is for
/// what may be that old: nothing that moves value, and no switch.
pub struct Shared<V> {
    cache: Option<Arc<dyn Cache>>,
    name: &'static str,
    lifetime: Duration,
    /// Until when copies may be from before something that this process has written.
    passed_over_until: Mutex<Option<Instant>>,
    values: PhantomData<fn() -> V>,
}

/// A value and when it was loaded, by the event's clock.
#[derive(Serialize, Deserialize)]
struct Copy<V> {
    loaded_at: DateTime<Utc>,
    value: V,
}

impl<V: Serialize + DeserializeOwned> Shared<V> {
    /// Copies under `read:<name>:…`, each for a lifetime in whole seconds.
    pub fn new(cache: Arc<dyn Cache>, name: &'static str, lifetime: Duration) -> Self {
        Self {
            cache: Some(cache).filter(|cache| cache.is_shared()),
            name,
            lifetime,
            passed_over_until: Mutex::new(None),
            values: PhantomData,
        }
    }

    /// The copy, or what `load` returns. A failed load is not kept, nor is what would be too large. A copy
    /// that another version has made, and that does not read as a `V`, is none, nor is one that says that it
    /// is older than its lifetime: a server that was frozen may keep late what it was sent before.
    pub async fn get_or_load<E>(
        &self,
        key: impl Display,
        now: DateTime<Utc>,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let Some(cache) = &self.cache else {
            return load.await;
        };
        let key = format!("read:{}:{key}", self.name);
        if !self.passes_over()
            && let Some(json) = cache.get(&key).await
            && let Ok(copy) = serde_json::from_slice::<Copy<V>>(&json)
            && (now - copy.loaded_at).abs()
                <= TimeDelta::from_std(self.lifetime).unwrap_or_default()
        {
            return Ok(copy.value);
        }
        let copy = Copy {
            loaded_at: now,
            value: load.await?,
        };
        if let Ok(json) = serde_json::to_vec(&copy) {
            cache.put(&key, json, self.lifetime).await;
        }
        Ok(copy.value)
    }

    /// To be called after something was written: for as long as a copy from before may be there, this process
    /// loads, and puts what it has loaded in its place.
    pub fn pass_over(&self) {
        *self.lock() = Some(Instant::now() + self.lifetime);
    }

    fn passes_over(&self) -> bool {
        self.lock().is_some_and(|until| Instant::now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        let until = self.passed_over_until.lock();
        until.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryCache, fake::FakeCache};

    const TTL: Duration = Duration::from_secs(60);
    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    async fn read_at(shared: &Shared<u32>, key: u32, now: DateTime<Utc>, loaded: u32) -> u32 {
        let load = async { Ok::<_, ()>(loaded) };
        shared.get_or_load(key, now, load).await.unwrap()
    }

    async fn read(shared: &Shared<u32>, key: u32, loaded: u32) -> u32 {
        read_at(shared, key, NOW, loaded).await
    }

    #[tokio::test]
    async fn what_one_replica_has_loaded_all_of_them_read() {
        let cache = Arc::new(FakeCache::default());
        let [one, other] = [(); 2].map(|()| Shared::new(cache.clone(), "a", TTL));
        assert_eq!(read(&one, 7, 1).await, 1);
        assert_eq!(read(&other, 7, 2).await, 1);
        assert_eq!(read(&other, 8, 3).await, 3);
        let named_otherwise = Shared::new(cache, "b", TTL);
        assert_eq!(read(&named_otherwise, 7, 4).await, 4);
    }

    #[tokio::test]
    async fn a_failed_load_is_not_kept_and_nonsense_is_none() {
        let cache = Arc::new(FakeCache::default());
        let shared = Shared::new(cache.clone(), "a", TTL);
        let failed = shared.get_or_load(7, NOW, async { Err("down") }).await;
        assert_eq!(failed, Err("down"));
        assert_eq!(read(&shared, 7, 1).await, 1);
        cache.put("read:a:7", b"{}".to_vec(), TTL).await;
        assert_eq!(read(&shared, 7, 2).await, 2);
        assert_eq!(read(&shared, 7, 3).await, 2);
    }

    /// Whatever the cache thinks of it.
    #[tokio::test]
    async fn a_copy_that_is_older_than_its_lifetime_is_none() {
        let shared = Shared::new(Arc::new(FakeCache::default()), "a", TTL);
        let minute = TimeDelta::seconds(60);
        let (just, over) = (NOW + minute, NOW + minute + TimeDelta::microseconds(1));
        assert_eq!(read(&shared, 7, 1).await, 1);
        assert_eq!(read_at(&shared, 7, just, 2).await, 1);
        assert_eq!(read_at(&shared, 7, over, 3).await, 3);
        // Nor is one that comes from the future.
        assert_eq!(read(&shared, 7, 4).await, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_writes_puts_what_is_new_in_the_place_of_what_was() {
        let cache = Arc::new(FakeCache::default());
        let [one, other] = [(); 2].map(|()| Shared::new(cache.clone(), "a", TTL));
        assert_eq!(read(&other, 7, 1).await, 1);
        one.pass_over();
        assert_eq!(read(&other, 7, 2).await, 1);
        assert_eq!(read(&one, 7, 2).await, 2);
        assert_eq!(read(&other, 7, 3).await, 2);
        assert_eq!(read(&one, 7, 3).await, 3);
        tokio::time::advance(TTL).await;
        assert_eq!(read(&one, 7, 4).await, 3);
    }

    #[tokio::test]
    async fn what_is_in_this_process_only_is_loaded_each_time() {
        let shared = Shared::new(Arc::new(MemoryCache::default()), "a", TTL);
        assert_eq!(read(&shared, 7, 1).await, 1);
        assert_eq!(read(&shared, 7, 2).await, 2);
    }
}
