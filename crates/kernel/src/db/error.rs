use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};

use super::{
    Constraint,
    constraint::Violation,
    refusal,
    tally::{Trouble, note_error},
};

/// What went wrong in the database, sorted by what a caller can do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// Deadlock, lock timeout or a busy file. The whole use case may be tried again.
    #[error("a lock could not be had")]
    Contention(#[source] DbErr),
    /// A row like it is there already. Callers ask with [`DbError::violates`] what that means.
    #[error("the constraint {0} is violated")]
    Violated(Violation, #[source] DbErr),
    /// All connections of the pool are in use.
    #[error("no connection came free in time")]
    PoolExhausted(#[source] DbErr),
    /// The server cannot be reached, or the connection broke before COMMIT.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
    /// The server takes no writes: it was demoted, say. Nothing of the use case is left, and the
    /// connections that led there are used no more.
    #[error("the database takes no writes")]
    ReadOnly(#[source] DbErr),
    /// A table or column is missing.
    #[error("the database schema does not fit this program")]
    SchemaMismatch(#[source] DbErr),
    /// COMMIT failed: the effect may or may not be there.
    #[error("the outcome of a commit is unknown")]
    CommitOutcomeUnknown(#[source] DbErr),
    /// A stored value, or a number of rows, that no code of ours writes.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
    #[error("a statement failed")]
    Other(#[source] DbErr),
}

impl DbError {
    /// Whether this constraint was violated.
    pub fn violates(&self, constraint: &Constraint) -> bool {
        matches!(self, DbError::Violated(violation, _) if violation.is_of(constraint))
    }

    /// What an error of COMMIT means, whichever it is.
    pub(super) fn of_commit(error: DbErr) -> Self {
        if let Some(Sort::ReadOnly) = sqlx_error(&error).map(sort) {
            refusal::note();
        }
        note_error(Trouble::Commit);
        DbError::CommitOutcomeUnknown(error)
    }

    fn sorted(error: DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => {
                return DbError::PoolExhausted(error);
            }
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => {
                return DbError::Unreachable(error);
            }
            _ => {}
        }
        match sqlx_error(&error).map(sort) {
            Some(Sort::Contention) => DbError::Contention(error),
            Some(Sort::Violated(violation)) => DbError::Violated(violation, error),
            Some(Sort::Unreachable) => DbError::Unreachable(error),
            Some(Sort::ReadOnly) => {
                refusal::note();
                DbError::ReadOnly(error)
            }
            Some(Sort::SchemaMismatch) => DbError::SchemaMismatch(error),
            Some(Sort::PoolExhausted) => DbError::PoolExhausted(error),
            Some(Sort::Other) | None => DbError::Other(error),
        }
    }
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        let error = Self::sorted(error);
        match &error {
            DbError::Contention(_) => note_error(Trouble::Lock),
            DbError::Unreachable(_) => note_error(Trouble::Connection),
            DbError::ReadOnly(_) => note_error(Trouble::ReadOnly),
            DbError::PoolExhausted(_) => note_error(Trouble::Pool),
            DbError::SchemaMismatch(_) => note_error(Trouble::Schema),
            DbError::CommitOutcomeUnknown(_) => note_error(Trouble::Commit),
            DbError::Corrupt(_) | DbError::Other(_) => note_error(Trouble::Other),
            DbError::Violated(..) => {}
        }
        error
    }
}

/// Whether the database's user has no right to a statement.
pub(super) fn is_forbidden(error: &DbErr) -> bool {
    let Some(SqlxError::Database(database)) = sqlx_error(error) else {
        return false;
    };
    let mysql = database.try_downcast_ref::<sea_orm::SqlxMySqlError>();
    // Denied for a table, for a column.
    mysql.is_some_and(|mysql| matches!(mysql.number(), 1142 | 1143))
}

enum Sort {
    Contention,
    Violated(Violation),
    Unreachable,
    ReadOnly,
    SchemaMismatch,
    PoolExhausted,
    Other,
}

fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn sort(error: &SqlxError) -> Sort {
    let database = match error {
        SqlxError::Database(database) => database,
        SqlxError::PoolTimedOut => return Sort::PoolExhausted,
        SqlxError::Io(_) | SqlxError::PoolClosed | SqlxError::WorkerCrashed => {
            return Sort::Unreachable;
        }
        _ => return Sort::Other,
    };
    if database.is_unique_violation() {
        return Violation::in_message(database.message()).map_or(Sort::Other, Sort::Violated);
    }
    if let Some(mysql) = database.try_downcast_ref::<sea_orm::SqlxMySqlError>() {
        return match mysql.number() {
            1205 | 1213 => Sort::Contention,
            // Unknown column, no such table.
            1054 | 1146 => Sort::SchemaMismatch,
            // Too many connections, shutdown in progress, connection killed, offline mode, closed for
            // being idle.
            1040 | 1053 | 1927 | 3032 | 4031 => Sort::Unreachable,
            // A cluster's node that is not ready, --read-only, a read-only transaction, InnoDB in
            // read-only mode twice.
            1047 | 1290 | 1792 | 1836 | 1874 => Sort::ReadOnly,
            _ => Sort::Other,
        };
    }
    // SQLite reports extended codes; their low byte is the primary one.
    let code = database.code().and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Sort::Contention,
        Some(8) => Sort::ReadOnly,
        Some(14) => Sort::Unreachable,
        _ if database.message().starts_with("no such ") => Sort::SchemaMismatch,
        _ => Sort::Other,
    }
}
