use std::{fmt::Display, future::Future, marker::PhantomData, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::Cache;

/// Short-lived copies of what many read, for all replicas of an event.
///
/// Without a cache that they share, each read loads. A [`crate::Snapshot`] in front of it spares a
/// process its way to the cache; a copy is then out of date for at most both lifetimes. Nobody drops a
/// copy, so this is for what may be that old: nothing that moves value, and no switch.
pub struct Shared<V> {
    cache: Option<Arc<dyn Cache>>,
    name: &'static str,
    lifetime: Duration,
    values: PhantomData<fn() -> V>,
}

impl<V: Serialize + DeserializeOwned> Shared<V> {
    /// Copies under `read:<name>:…`, each for a lifetime in whole seconds.
    pub fn new(cache: Arc<dyn Cache>, name: &'static str, lifetime: Duration) -> Self {
        Self {
            cache: Some(cache).filter(|cache| cache.is_shared()),
            name,
            lifetime,
            values: PhantomData,
        }
    }

    /// The copy, or what `load` returns. A failed load is not kept, nor is what would be too large; a copy
    /// that another version has made, and that does not read as a `V`, is none.
    pub async fn get_or_load<E>(
        &self,
        key: impl Display,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let Some(cache) = &self.cache else {
            return load.await;
        };
        let key = format!("read:{}:{key}", self.name);
        let kept = cache.get(&key).await;
        if let Some(value) = kept.and_then(|json| serde_json::from_slice(&json).ok()) {
            return Ok(value);
        }
        let value = load.await?;
        if let Ok(json) = serde_json::to_vec(&value) {
            cache.put(&key, json, self.lifetime).await;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryCache, fake::FakeCache};

    const TTL: Duration = Duration::from_secs(60);

    async fn read(shared: &Shared<u32>, key: u32, loaded: u32) -> u32 {
        let load = async { Ok::<_, ()>(loaded) };
        shared.get_or_load(key, load).await.unwrap()
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
        let failed = shared.get_or_load(7, async { Err("down") }).await;
        assert_eq!(failed, Err("down"));
        assert_eq!(read(&shared, 7, 1).await, 1);
        cache.put("read:a:7", b"{}".to_vec(), TTL).await;
        assert_eq!(read(&shared, 7, 2).await, 2);
        assert_eq!(read(&shared, 7, 3).await, 2);
    }

    #[tokio::test]
    async fn what_is_in_this_process_only_is_loaded_each_time() {
        let shared = Shared::new(Arc::new(MemoryCache::default()), "a", TTL);
        assert_eq!(read(&shared, 7, 1).await, 1);
        assert_eq!(read(&shared, 7, 2).await, 2);
    }
}
