use std::{error::Error, future::Future, time::Duration};

use tokio::time::Instant;

use super::{
    DbError,
    tally::{Passing, note_given_up, note_retry},
};
use crate::entropy::{Entropy, OsEntropy};

/// How often a use case is tried in all when it cannot get a lock.
const ATTEMPTS: u32 = 5;
/// How often a use case is tried in all when connections break: each attempt may meet another dead
/// one of the pool's, and uses it up.
const CONNECTION_ATTEMPTS: u32 = 40;
/// How often a use case is tried in all when the server takes no writes: a new connection may lead to
/// another server, but a third one hardly.
const READ_ONLY_ATTEMPTS: u32 = 3;
/// After this much time it is not tried again: a lock that was waited for in vain may be waited for
/// once more, and the client still hears of it before its request is ended.
const PATIENCE: Duration = Duration::from_secs(4);
/// The pause after the first failure is random up to this; it doubles with each further one.
const FIRST_PAUSE_MS: u64 = 20;

/// Runs a whole use case again, from its `begin`, when the database turned it away for a lock or its
/// connection broke.
///
/// Only [`DbError::Contention`], [`DbError::Unreachable`] and [`DbError::ReadOnly`] anywhere in the
/// error's chain are tried again: after each, nothing of the use case is left. A failed COMMIT is an
/// error of its own and is not tried again. When the attempts are used up the last error is returned,
/// and the client sees `LOCK_NOT_ACQUIRED` or `NOT_READY`.
pub async fn retry<T, E, F>(mut use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    let (mut locks, mut connections, mut servers) = (0, 0, 0);
    loop {
        let error = match use_case().await {
            Err(error) => error,
            done => return done,
        };
        let Some(passing) = passing(&error) else {
            return Err(error);
        };
        let is_in_time = started.elapsed() < PATIENCE;
        let longest = match passing {
            Passing::Lock if is_in_time && locks + 1 < ATTEMPTS => {
                locks += 1;
                FIRST_PAUSE_MS << (locks - 1)
            }
            Passing::Connection if is_in_time && connections + 1 < CONNECTION_ATTEMPTS => {
                connections += 1;
                FIRST_PAUSE_MS
            }
            Passing::Server if is_in_time && servers + 1 < READ_ONLY_ATTEMPTS => {
                servers += 1;
                FIRST_PAUSE_MS
            }
            _ => {
                note_given_up(passing);
                return Err(error);
            }
        };
        note_retry(passing);
        // Two that collided must not come back in step.
        let pause = Duration::from_millis(1 + OsEntropy.next_u64() % longest);
        tracing::debug!(
            locks,
            connections,
            servers,
            ?pause,
            "a use case lost a lock, its connection or its server and is tried again"
        );
        tokio::time::sleep(pause).await;
    }
}

/// What may be different the next time.
fn passing(error: &(dyn Error + 'static)) -> Option<Passing> {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(error) = error.downcast_ref::<DbError>() {
            return match error {
                DbError::Contention(_) => Some(Passing::Lock),
                DbError::Unreachable(_) => Some(Passing::Connection),
                DbError::ReadOnly(_) => Some(Passing::Server),
                _ => None,
            };
        }
        link = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use sea_orm::DbErr;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a use case failed")]
    struct Nested(#[from] DbError);

    fn contention() -> Nested {
        Nested(DbError::Contention(DbErr::Custom("deadlock".into())))
    }

    #[tokio::test(start_paused = true)]
    async fn contention_is_tried_again_until_it_works() {
        let tries = Cell::new(0);
        let outcome = retry(async || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 {
                Err(contention())
            } else {
                Ok(tries.get())
            }
        })
        .await;
        assert_eq!(outcome.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded() {
        let tries = Cell::new(0);
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(contention())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), ATTEMPTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pool_full_of_dead_connections_is_used_up() {
        let tries = Cell::new(0);
        let broken = || Nested(DbError::Unreachable(DbErr::Custom("gone".into())));
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(broken())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), CONNECTION_ATTEMPTS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_takes_no_writes_is_left_alone_soon() {
        let tries = Cell::new(0);
        let refused = || Nested(DbError::ReadOnly(DbErr::Custom("read-only".into())));
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(refused())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), READ_ONLY_ATTEMPTS);
    }

    #[tokio::test(start_paused = true)]
    async fn time_is_bounded_too() {
        let tries = Cell::new(0);
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            tokio::time::sleep(Duration::from_secs(3)).await;
            Err(contention())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_commit_is_not_tried_again() {
        let tries = Cell::new(0);
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(DbError::CommitOutcomeUnknown(DbErr::Custom("deadlock".into())).into())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), 1);
    }
}
