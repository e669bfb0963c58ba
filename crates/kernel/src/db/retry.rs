use std::{error::Error, future::Future, time::Duration};

use tokio::time::Instant;

use super::{
    DbError,
    tally::{Passing, note_given_up, note_retry},
};
use crate::entropy::{Entropy, OsEntropy};

/// How often a use case is tried in all when it cannot get a lock, or another node of a cluster is faster.
const ATTEMPTS: u32 = 16;
/// How often a use case is tried in all when the server takes no writes: a new connection may lead to
/// another server, but a third one hardly.
const READ_ONLY_ATTEMPTS: u32 = 3;
/// After this much time it is not tried again. It is longer than a cluster takes to go on without a node (4.3 s seen),
/// and a lock that is waited for once more then, for 3 s, is still answered before the existing clients give up (15 s).
const PATIENCE: Duration = Duration::from_secs(8);
/// The pause after the first failure is random up to this; it doubles with further ones.
const FIRST_PAUSE_MS: u64 = 20;
/// How often it doubles.
const DOUBLINGS: u32 = 4;
/// After how many failures it doubles when connections break: each attempt may meet another dead one of the pool's, and
/// uses it up.
const DEAD_IN_A_ROW: u32 = 8;

/// Runs a whole use case again, from its `begin`, when the database turned it away for a lock, its
/// connection broke, or another node of the cluster was faster.
///
/// What is tried again is an error, anywhere in the chain, after which nothing of the use case is left:
/// [`DbError::Contention`], [`DbError::Overtaken`], a [`DbError::Violated`] that the use case made nothing of,
/// [`DbError::Unreachable`] and [`DbError::ReadOnly`]. A COMMIT of which nobody knows whether it was done is not among
/// them. When time or attempts are used up the last error is returned, and the client sees `LOCK_NOT_ACQUIRED` or
/// `NOT_READY`.
pub async fn retry<T, E, F>(use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    run(use_case, Again::default()).await
}

/// [`retry`], for what may be done twice without doing more: because its first answer is found by an idempotency key,
/// or by its nature. So it is also tried again after a COMMIT of which nobody knows whether it was done.
pub async fn retry_repeatable<T, E, F>(use_case: impl FnMut() -> F) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let again = Again {
        after_unknown: true,
        ..Again::default()
    };
    run(use_case, again).await
}

/// [`retry_repeatable`], for what looks its first answer up before it decides. If others may write at another server the
/// same request may be done there after that look, and what it did be the reason for a refusal. A refusal commits
/// nothing that the cluster could turn away, so it is looked up once more.
pub(crate) async fn retry_answered<T, E, F>(
    use_case: impl FnMut() -> F,
    has_other_writers: bool,
) -> Result<T, E>
where
    E: Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let again = Again {
        after_unknown: true,
        after_refusal: has_other_writers,
    };
    run(use_case, again).await
}

/// When a use case is tried again, besides after an error that leaves nothing of it.
#[derive(Clone, Copy, Default)]
struct Again {
    /// A COMMIT of which nobody knows whether it was done.
    after_unknown: bool,
    /// Once, after something else than the database has refused it.
    after_refusal: bool,
}

async fn run<T, E, F>(mut use_case: impl FnMut() -> F, mut again: Again) -> Result<T, E>
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
        let passing = match cause(&error) {
            None if std::mem::take(&mut again.after_refusal) => continue,
            cause => cause.and_then(|cause| passing(cause, again.after_unknown)),
        };
        let Some(passing) = passing else {
            return Err(error);
        };
        let is_in_time = started.elapsed() < PATIENCE;
        let (failures, most, in_a_row) = match passing {
            Passing::Lock => (&mut locks, ATTEMPTS, 1),
            Passing::Connection => (&mut connections, u32::MAX, DEAD_IN_A_ROW),
            Passing::Server => (&mut servers, READ_ONLY_ATTEMPTS, READ_ONLY_ATTEMPTS),
        };
        let doublings = *failures / in_a_row;
        *failures += 1;
        if !is_in_time || *failures >= most {
            note_given_up(passing);
            return Err(error);
        }
        note_retry(passing);
        // Two that collided must not come back in step.
        let longest = FIRST_PAUSE_MS << doublings.min(DOUBLINGS);
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

/// What the database said, anywhere in the chain.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e DbError> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}

/// What may be different the next time.
fn passing(error: &DbError, after_unknown: bool) -> Option<Passing> {
    match error {
        DbError::Contention(_) | DbError::Overtaken(_) | DbError::Violated(..) => {
            Some(Passing::Lock)
        }
        DbError::Unreachable(_) => Some(Passing::Connection),
        DbError::CommitOutcomeUnknown(_) if after_unknown => Some(Passing::Connection),
        DbError::ReadOnly(_) => Some(Passing::Server),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use sea_orm::DbErr;

    use super::{super::Violation, *};

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
        let started = Instant::now();
        let tries = Cell::new(0);
        let broken = || Nested(DbError::Unreachable(DbErr::Custom("gone".into())));
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(broken())
        })
        .await;
        assert!(outcome.is_err());
        // As many as a large pool has, in their first second.
        assert!(tries.get() > 60, "{}", tries.get());
        assert!(started.elapsed() < PATIENCE + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_was_overtaken_looks_again() {
        let overtaken = || Nested(DbError::Overtaken("a balance".to_owned()));
        let violated = || {
            let violation = Violation::in_message("UNIQUE constraint failed: a.b").unwrap();
            Nested(DbError::Violated(violation, DbErr::Custom("twice".into())))
        };
        for error in [&overtaken as &dyn Fn() -> Nested, &violated] {
            let tries = Cell::new(0);
            let outcome = retry(async || {
                tries.set(tries.get() + 1);
                if tries.get() < 3 {
                    Err(error())
                } else {
                    Ok(())
                }
            })
            .await;
            assert!(outcome.is_ok());
        }
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
        assert_eq!(tries.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn where_others_write_whoever_is_refused_looks_for_an_answer_once_more() {
        #[derive(Debug, thiserror::Error)]
        #[error("there are no tokens")]
        struct Refused;
        for (has_other_writers, expected) in [(false, 1), (true, 2)] {
            let tries = Cell::new(0);
            let refuse = async || {
                tries.set(tries.get() + 1);
                Err(Refused)
            };
            let outcome: Result<(), _> = retry_answered(refuse, has_other_writers).await;
            assert!(outcome.is_err());
            assert_eq!(tries.get(), expected);
        }
        let tries = Cell::new(0);
        let corrupt = async || {
            tries.set(tries.get() + 1);
            Err(Nested(DbError::Corrupt("a row".to_owned())))
        };
        let outcome: Result<(), _> = retry_answered(corrupt, true).await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_that_may_have_been_done_is_tried_again_only_if_it_may_be_done_twice() {
        let unknown = || Nested(DbError::CommitOutcomeUnknown(DbErr::Custom("gone".into())));
        let tries = Cell::new(0);
        let outcome: Result<(), Nested> = retry(async || {
            tries.set(tries.get() + 1);
            Err(unknown())
        })
        .await;
        assert!(outcome.is_err());
        assert_eq!(tries.get(), 1);
        let outcome = retry_repeatable(async || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 {
                Err(unknown())
            } else {
                Ok(())
            }
        })
        .await;
        assert!(outcome.is_ok());
    }
}
