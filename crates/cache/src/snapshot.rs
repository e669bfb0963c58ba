use std::{
    any::{Any, type_name},
    fmt::Debug,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use moka::future::Cache as Moka;

use crate::sync::atomic::{AtomicU64, Ordering};

/// A short-lived copy of configuration that seldom changes.
///
/// However many requests ask at once, one of them loads. A process that writes the configuration
/// drops its own copy; the others follow within [`Snapshot::LIFETIME`].
pub struct Snapshot<K, V> {
    // The library is built once for all kinds of copies: for each of its own it would take 200 KB of the program.
    entries: Moka<String, Erased>,
    /// How often all copies were dropped. What was asked for before a drop and is loaded only after it is found by
    /// nobody who asks later: it may be what was there before.
    drops: AtomicU64,
    of: PhantomData<fn(K) -> V>,
}

/// A copy, or the error of who would have loaded it.
type Erased = Arc<dyn Any + Send + Sync>;
type Load<'a> = Pin<Box<dyn Future<Output = Result<Erased, Erased>> + Send + 'a>>;

impl<K, V> Snapshot<K, V>
where
    K: Debug,
    V: Clone + Send + Sync + 'static,
{
    /// The longest that a copy may be out of date (docs/ARCHITECTURE.md, "Caches"), well within the
    /// second in which a kill switch must act.
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
            drops: AtomicU64::new(0),
            of: PhantomData,
        }
    }

    /// The copy, or what `load` returns. A failed load is not kept; all who waited for it get its
    /// error. Keys are told apart by how they are printed for debugging.
    pub async fn get_or_load<E>(
        &self,
        key: K,
        load: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<V, E>
    where
        E: Clone + Send + Sync + 'static,
    {
        let load: Load<'_> = Box::pin(async {
            match load.await {
                Ok(value) => Ok(Arc::new(value) as Erased),
                Err(error) => Err(Arc::new(error) as Erased),
            }
        });
        // Whoever waits for a load gets its error, so those who would fail with another one do not wait for it.
        let drops = self.drops.load(Ordering::SeqCst);
        let key = format!("{drops}: {key:?} or {}", type_name::<E>());
        match find(&self.entries, key, load).await {
            Ok(value) => Ok(owned(&value)),
            Err(error) => Err(owned(&error)),
        }
    }

    /// Forgets every copy, after the configuration was written, and those that are being loaded.
    pub fn drop_all(&self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        self.entries.invalidate_all();
    }
}

async fn find(
    entries: &Moka<String, Erased>,
    key: String,
    load: Load<'_>,
) -> Result<Erased, Erased> {
    let loaded = entries.try_get_with(key, load).await;
    loaded.map_err(|shared| (*shared).clone())
}

fn owned<T: Clone + 'static>(erased: &Erased) -> T {
    let known: Option<&T> = erased.downcast_ref();
    known.expect("a snapshot holds values of one type").clone()
}

impl<K, V> Default for Snapshot<K, V>
where
    K: Debug,
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

    /// As two callers that share a copy may have them.
    #[derive(Clone, Debug, PartialEq)]
    struct Other;

    #[tokio::test]
    async fn keys_have_a_copy_each_and_nobody_gets_an_error_of_another_kind() {
        let snapshot = Snapshot::<String, u32>::new();
        let load = |key: &str, value| {
            snapshot.get_or_load(key.to_owned(), async move { Ok::<_, String>(value) })
        };
        assert_eq!(load("a", 1).await, Ok(1));
        assert_eq!(load("b", 2).await, Ok(2));
        assert_eq!(load("a", 3).await, Ok(1));
        let (gate, opened) = tokio::sync::oneshot::channel::<()>();
        let first = snapshot.get_or_load("c".to_owned(), async {
            opened.await.unwrap();
            Err::<u32, String>("no".to_owned())
        });
        let second = snapshot.get_or_load("c".to_owned(), async {
            gate.send(()).unwrap();
            Err::<u32, Other>(Other)
        });
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first, Err("no".to_owned()));
        assert_eq!(second, Err(Other));
    }

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
