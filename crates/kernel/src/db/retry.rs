use std::{error::Error, future::Future, time::Duration};

use tokio::time::Instant;

use super::DbError;
use crate::entropy::{Entropy, OsEntropy};

/// How often a use case is tried in all.
const ATTEMPTS: u32 = 5;
/// After this much time it is not tried again: a lock that was waited for in vain may be waited for
/// once more, and the client still hears of it before its request is ended.
const PATIENCE: Duration = Duration::from_secs(4);
/// The pause after the first failure is random up to this; it doubles with each further one.
const FIRST_PAUSE_MS: u64 = 20;

/// Runs a whole use case again, from its `begin`, when the database turned it away for a lock or its
/// connection broke.
///
/// Only [`DbError::Contention`] and [`DbError::Unreachable`] anywhere in the error's chain are tried
/// again: after both, nothing of the use case is left. A failed COMMIT is an error of its own and is
/// not tried again. When the attempts are used up the last error is returned, and the client sees
/// `LOCK_NOT_ACQUIRED`.
pub async fn retry<T, E, F>(mut use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let started = Instant::now();
    let mut attempt = 1;
    loop {
        match use_case().await {
            Err(error)
                if attempt < ATTEMPTS && started.elapsed() < PATIENCE && is_passing(&error) =>
            {
                let longest = FIRST_PAUSE_MS << (attempt - 1);
                // Two that collided must not come back in step.
                let pause = Duration::from_millis(1 + OsEntropy.next_u64() % longest);
                tracing::debug!(
                    attempt,
                    ?pause,
                    "a use case lost a lock or its connection and is tried again"
                );
                tokio::time::sleep(pause).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

fn is_passing(error: &(dyn Error + 'static)) -> bool {
    let mut link = Some(error);
    while let Some(error) = link {
        if let Some(error) = error.downcast_ref::<DbError>() {
            return matches!(error, DbError::Contention(_) | DbError::Unreachable(_));
        }
        link = error.source();
    }
    false
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
