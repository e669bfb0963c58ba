//! Statements that have ended, and what tracing hears of them. Where nobody listens, nothing is made.

use std::{future::Future, time::Duration};

use sea_orm::DbBackend;
use tokio::time::Instant;
use tracing::Level;

/// A statement that went to the database.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// With placeholders where its values were.
    pub sql: &'a str,
    pub elapsed: Duration,
    pub has_failed: bool,
}

impl<'a> Executed<'a> {
    pub(super) fn of(info: &'a sea_orm::metric::Info<'_>) -> Self {
        Self {
            sql: &info.statement.sql,
            elapsed: info.elapsed,
            has_failed: info.failed,
        }
    }
}

/// Under this target each statement is an event, once it has ended: `system`, `sql` with placeholders where its values
/// were, `nanos` and `has_failed`.
pub const STATEMENT_TARGET: &str = "xmas_traced::statement";

/// Tells of a statement that has ended.
pub(super) fn tell(backend: DbBackend, executed: Executed<'_>) {
    let Executed {
        sql,
        elapsed,
        has_failed,
    } = executed;
    tracing::trace!(
        target: STATEMENT_TARGET,
        system = system(backend),
        sql,
        nanos = nanos(elapsed),
        has_failed
    );
}

/// Tells of a statement that is no query: `BEGIN` or `COMMIT`.
pub(super) async fn told<T, E>(
    backend: DbBackend,
    sql: &'static str,
    statement: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    if !tracing::enabled!(target: STATEMENT_TARGET, Level::TRACE) {
        return statement.await;
    }
    let started = Instant::now();
    let outcome = statement.await;
    let executed = Executed {
        sql,
        elapsed: started.elapsed(),
        has_failed: outcome.is_err(),
    };
    tell(backend, executed);
    outcome
}

/// As OpenTelemetry calls it. MariaDB is spoken to as MySQL.
fn system(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "sqlite",
        _ => "mysql",
    }
}

fn nanos(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}
