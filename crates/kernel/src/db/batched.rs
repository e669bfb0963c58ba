//! Reads of one kind that go to the database together.

use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};

use sea_orm::DbErr;
use tokio::time::timeout;

use super::{
    DbError,
    gathered::{Ask, Gathered, while_any_waits},
};

/// How many keys one statement is asked for at most.
const MOST: usize = 64;
/// How long a statement may take, the wait for a connection included.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a statement has found: nothing for a key that is not there, and an error for what cannot be read.
pub type Found<K, V> = HashMap<K, Result<V, DbError>>;
type Answer<V> = Result<Option<V>, DbError>;

/// Reads what belongs to a key, of many keys in one statement.
///
/// Whoever asks while statements are under way goes with all others who do into the next ([`Gathered`]). It is sent after
/// everybody in it has asked, so each finds what was committed before, as with a statement of their own.
pub struct BatchedRead<G, K, V>(Arc<Gathered<G, K, Answer<V>>>);

impl<G, K, V> BatchedRead<G, K, V>
where
    G: Copy + Eq + Hash + Send + Sync + 'static,
    K: Copy + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// `read` gets from 1 to 64 keys, how many being a power of two so that few statements are prepared: the last one may
    /// be there several times.
    pub fn new<F>(read: impl Fn(G, Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Found<K, V>, DbError>> + Send + 'static,
    {
        let serve = move |group, asks: Vec<Ask<K, Answer<V>>>| {
            let (keys, mut callers): (Vec<_>, Vec<_>) =
                asks.into_iter().map(|ask| (ask.item, ask.caller)).unzip();
            let reading = timeout(PATIENCE, read(group, padded(keys.clone())));
            async move {
                let Some(found) = while_any_waits(&mut callers, reading).await else {
                    return;
                };
                let found = found.unwrap_or_else(|_| {
                    let why = format!("no answer within {} s", PATIENCE.as_secs());
                    Err(DbError::Unreachable(DbErr::Custom(why)))
                });
                for (key, caller) in keys.into_iter().zip(callers) {
                    let found = found.as_ref().map_err(Clone::clone);
                    caller.answer(found.and_then(|found| found.get(&key).cloned().transpose()));
                }
            }
        };
        Self(Gathered::new(MOST, serve))
    }

    /// What belongs to the key. The error of a statement is everybody's in it.
    pub async fn get(&self, group: G, key: K) -> Answer<V> {
        let lost = || Err(DbError::Corrupt("a read that never ended".to_owned()));
        self.0.ask(group, key).await.unwrap_or_else(lost)
    }
}

/// As many keys as a power of two, by repeating the last.
pub fn padded<K: Copy>(mut keys: Vec<K>) -> Vec<K> {
    if let Some(&last) = keys.last() {
        keys.resize(keys.len().next_power_of_two(), last);
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::{sync::Semaphore, time::Instant};

    use super::*;

    type Doubled = BatchedRead<&'static str, usize, usize>;

    /// A key whose statement is never answered.
    const STUCK: usize = 999;
    /// A key whose row cannot be read.
    const BROKEN: usize = 888;

    /// Doubles even numbers. Each statement waits for a permit, and tells how many keys it was asked for.
    struct Fake {
        permits: Arc<Semaphore>,
        asked: Arc<Mutex<Vec<usize>>>,
        reads: Arc<Doubled>,
    }

    impl Fake {
        fn new() -> Self {
            let permits = Arc::new(Semaphore::new(0));
            let asked = Arc::new(Mutex::new(Vec::new()));
            let (opened, told) = (permits.clone(), asked.clone());
            let read = move |group: &'static str, keys: Vec<usize>| {
                told.lock().unwrap().push(keys.len());
                let opened = opened.clone();
                async move {
                    if keys.contains(&STUCK) {
                        std::future::pending::<()>().await;
                    }
                    opened.acquire().await.unwrap().forget();
                    assert_ne!(group, "panics");
                    if group == "fails" {
                        return Err(DbError::Corrupt("it fails".to_owned()));
                    }
                    let even = keys.into_iter().filter(|key| key % 2 == 0);
                    let doubled = |key| match key {
                        BROKEN => Err(DbError::Corrupt("a row".to_owned())),
                        key => Ok(key * 2),
                    };
                    Ok(even.map(|key| (key, doubled(key))).collect())
                }
            };
            Self {
                permits,
                asked,
                reads: Arc::new(BatchedRead::new(read)),
            }
        }

        fn get(
            &self,
            group: &'static str,
            key: usize,
        ) -> tokio::task::JoinHandle<Result<Option<usize>, DbError>> {
            let reads = self.reads.clone();
            tokio::spawn(async move { reads.get(group, key).await })
        }

        /// Until all have asked who can.
        async fn settle(&self) {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }

        fn asked(&self) -> Vec<usize> {
            self.asked.lock().unwrap().clone()
        }

        fn is_idle(&self) -> bool {
            self.reads.0.is_idle()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_while_statements_are_under_way_goes_into_the_next() {
        let fake = Fake::new();
        let mut first = Vec::new();
        for key in [2, 4] {
            first.push(fake.get("a", key));
            fake.settle().await;
        }
        let later: Vec<_> = (3..8).map(|key| fake.get("a", key)).collect();
        // The same key twice, and another group.
        let (again, other) = (fake.get("a", 4), fake.get("b", 6));
        fake.settle().await;
        assert_eq!(
            fake.asked(),
            [1, 1, 1],
            "two of one group, and one of the other"
        );
        fake.permits.add_permits(4);
        for (key, found) in [2, 4].into_iter().zip(first) {
            assert_eq!(found.await.unwrap().unwrap(), Some(key * 2));
        }
        for (key, found) in (3..8).zip(later) {
            let expected = (key % 2 == 0).then_some(key * 2);
            assert_eq!(found.await.unwrap().unwrap(), expected);
        }
        assert_eq!(again.await.unwrap().unwrap(), Some(8));
        assert_eq!(other.await.unwrap().unwrap(), Some(12));
        assert_eq!(
            fake.asked(),
            [1, 1, 1, 8],
            "six, and as many as a power of two"
        );
        fake.settle().await;
        assert!(fake.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_is_asked_for_64_keys_at_most() {
        let fake = Fake::new();
        let all: Vec<_> = (0..140).map(|key| fake.get("a", key)).collect();
        fake.permits.add_permits(100);
        for (key, found) in all.into_iter().enumerate() {
            assert_eq!(
                found.await.unwrap().unwrap(),
                (key % 2 == 0).then_some(key * 2)
            );
        }
        assert!(
            fake.asked().iter().all(|keys| *keys <= MOST),
            "{:?}",
            fake.asked()
        );
        fake.settle().await;
        assert!(fake.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_of_those_who_were_in_the_statement() {
        let fake = Fake::new();
        let (first, second) = (fake.get("fails", 2), fake.get("fails", 4));
        fake.permits.add_permits(2);
        for found in [first, second] {
            assert!(
                matches!(found.await.unwrap(), Err(DbError::Corrupt(why)) if why == "it fails")
            );
        }
        fake.settle().await;
        assert!(fake.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_cannot_be_read_is_its_own_askers_trouble() {
        let fake = Fake::new();
        let asked = [fake.get("a", 2), fake.get("a", BROKEN), fake.get("a", 4)];
        fake.permits.add_permits(1);
        let [before, broken, after] = asked;
        assert_eq!(before.await.unwrap().unwrap(), Some(4));
        assert!(matches!(broken.await.unwrap(), Err(DbError::Corrupt(_))));
        assert_eq!(after.await.unwrap().unwrap(), Some(8));
        assert_eq!(fake.asked(), [4], "one statement");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_one_who_hung_up_or_for_a_read_that_panicked() {
        let fake = Fake::new();
        let (first, second) = (fake.get("a", 2), fake.get("a", 4));
        fake.settle().await;
        first.abort();
        fake.permits.add_permits(2);
        assert_eq!(second.await.unwrap().unwrap(), Some(8));
        let lost = fake.get("panics", 2);
        fake.permits.add_permits(1);
        assert!(lost.await.unwrap().is_err());
        fake.settle().await;
        assert!(fake.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn a_statement_without_an_answer_ends_and_holds_nobody_else_up() {
        let fake = Fake::new();
        let stuck = fake.get("a", STUCK);
        fake.settle().await;
        fake.permits.add_permits(1_000);
        let started = Instant::now();
        for key in 0..100 {
            fake.get("a", key).await.unwrap().unwrap();
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        let error = stuck.await.unwrap().unwrap_err();
        assert!(matches!(error, DbError::Unreachable(_)), "{error}");
        assert_eq!(started.elapsed(), PATIENCE);
        fake.settle().await;
        assert!(fake.is_idle());
    }

    /// What is found was read after it was asked for, however many ask at once on however many threads.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn what_is_found_was_there_when_it_was_asked_for() {
        let counter = Arc::new(AtomicUsize::new(0));
        let counted = counter.clone();
        let reads = Arc::new(BatchedRead::new(move |(): (), keys: Vec<usize>| {
            let counted = counted.clone();
            async move {
                let seen = counted.load(Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(keys.into_iter().map(|key| (key, Ok(seen))).collect())
            }
        }));
        let askers = (0..8).map(|key| {
            let (reads, counter) = (reads.clone(), counter.clone());
            tokio::spawn(async move {
                for _ in 0..2_000 {
                    let written = counter.fetch_add(1, Ordering::SeqCst) + 1;
                    let seen = reads.get((), key).await.unwrap().unwrap();
                    assert!(seen >= written, "{seen} of {written}");
                }
            })
        });
        for asker in askers.collect::<Vec<_>>() {
            asker.await.unwrap();
        }
        assert!(reads.0.is_idle());
    }
}
