use std::{future::Future, hash::Hash, time::Duration};

use moka::future::Cache as Moka;

/// A short-lived copy of configuration that seldom changes.
///
/// However many requests ask at once, one of them loads. A process that writes the configuration
/// drops its own copy; the others follow within [`Snapshot::LIFETIME`].
pub struct Snapshot<K, V> {
    entries: Moka<K, V>,
}

impl<K, V> Snapshot<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// The longest that a copy may be out of date (architecture.md §2), well within the second in
    /// which a kill switch must act.
    pub const LIFETIME: Duration = Duration::from_millis(400);
    const CAPACITY: u64 = 10_000;

    pub fn new() -> Self {
        Self::lasting(Self::LIFETIME)
    }

    /// For what may be out of date for longer, such as a report.
    pub fn lasting(lifetime: Duration) -> Self {
        Self {
            entries: Moka::builder()
                .max_capacity(Self::CAPACITY)
                .time_to_live(lifetime)
                .build(),
        }
    }

    /// The copy, or what `load` returns. A failed load is not kept; all who waited for it get its
    /// error.
    pub async fn get_or_load<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E>
    where
        E: Clone + Send + Sync + 'static,
    {
        let loaded = self.entries.try_get_with(key, load).await;
        loaded.map_err(|shared| E::clone(&shared))
    }

    /// Forgets every copy, after the configuration was written.
    pub fn drop_all(&self) {
        self.entries.invalidate_all();
    }
}

impl<K, V> Default for Snapshot<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test]
    async fn many_readers_load_once_and_a_drop_loads_again() {
        let snapshot = Arc::new(Snapshot::<&str, u32>::new());
        let loads = Arc::new(AtomicU32::new(0));
        let read = || {
            let (snapshot, loads) = (snapshot.clone(), loads.clone());
            tokio::spawn(async move {
                let load = async { Ok::<_, ()>(loads.fetch_add(1, Ordering::SeqCst)) };
                snapshot.get_or_load("season", load).await
            })
        };
        let readers: Vec<_> = (0..20).map(|_| read()).collect();
        for reader in readers {
            assert_eq!(reader.await.unwrap(), Ok(0));
        }
        snapshot.drop_all();
        assert_eq!(read().await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn a_failed_load_is_not_kept() {
        let snapshot = Snapshot::<&str, u32>::new();
        let failed = snapshot.get_or_load("season", async { Err("down") }).await;
        assert_eq!(failed, Err("down"));
        assert_eq!(
            snapshot
                .get_or_load("season", async { Ok::<_, &str>(1) })
                .await,
            Ok(1)
        );
    }
}
