use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError, sqlx};

use super::{
    Constraint,
    constraint::Violation,
    refusal,
    tally::{Trouble, note_error},
};

/// What went wrong in the database, sorted by what a caller can do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// Deadlock, lock timeout, a busy file, or a cluster whose other node was faster. The whole use case may be
    /// tried again.
    #[error("a lock could not be had")]
    Contention(#[source] DbErr),
    /// What was read has been changed by somebody else before it could be written: a lock holds on one node of a
    /// cluster only. The whole use case may be tried again.
    #[error("somebody else was faster: {0}")]
    Overtaken(String),
    /// A row like it is there already. Callers ask with [`DbError::violates`] what that means. Where it means
    /// nothing to them, another node wrote it since they looked, and the whole use case may be tried again.
    #[error("the constraint {0} is violated")]
    Violated(Violation, #[source] DbErr),
    /// All connections of the pool are in use.
    #[error("no connection came free in time")]
    PoolExhausted(#[source] DbErr),
    /// The server cannot be reached, the connection broke before COMMIT, or a node does not belong to its cluster now.
    #[error("the database cannot be reached")]
    Unreachable(#[source] DbErr),
    /// The server takes no writes: it was demoted, say, or SQLite's disk is full. Nothing of the use case is left, and the
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

    /// Whether the database's user has no right to what was asked.
    pub fn is_forbidden(&self) -> bool {
        let (DbError::Other(error) | DbError::SchemaMismatch(error)) = self else {
            return false;
        };
        is_forbidden(error)
    }

    /// What an error of COMMIT means. Where the database says that it does not commit, nothing of the transaction is
    /// left; whatever else goes wrong, it may have been committed.
    pub(super) fn of_commit(error: DbErr) -> Self {
        if sqlx_error(&error).is_some_and(refuses_commit) {
            return error.into();
        }
        note_error(Trouble::Commit);
        DbError::CommitOutcomeUnknown(error)
    }

    /// Whether a connection of the pool was found dead. Asked again, the pool gives another one.
    pub(super) fn is_dead_connection(&self) -> bool {
        let DbError::Unreachable(error) = self else {
            return false;
        };
        // A node that is not ready is no better over another connection.
        sqlx_error(error).and_then(mysql_number) != Some(NODE_NOT_READY)
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
            Some(Sort::NotReady) => {
                refusal::note();
                DbError::Unreachable(error)
            }
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
            DbError::Contention(_) | DbError::Overtaken(_) => note_error(Trouble::Lock),
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
    // For a database, a command on a table, a column, a routine, or anything of the server's.
    let number = sqlx_error(error).and_then(mysql_number);
    matches!(number, Some(1044 | 1142 | 1143 | 1227 | 1370))
}

/// Whether there is no savepoint of this name.
pub(super) fn is_no_savepoint(error: &DbErr) -> bool {
    sqlx_error(error).and_then(mysql_number) == Some(1305)
}

enum Sort {
    Contention,
    Violated(Violation),
    Unreachable,
    /// A node of a cluster that may not answer. Its connections are good for nothing.
    NotReady,
    ReadOnly,
    SchemaMismatch,
    PoolExhausted,
    Other,
}

/// What Galera says at COMMIT too, when another node's transaction has changed the same rows.
const DEADLOCK: u16 = 1213;
/// Group Replication's word for it.
const ROLLED_BACK_BY_GROUP: u16 = 3101;
/// A node that has lost its cluster. It refuses COMMIT as it refuses everything, before it does any of it.
const NODE_NOT_READY: u16 = 1047;
/// `--read-only`.
const READ_ONLY: u16 = 1290;

const SQLITE_BUSY: u32 = 5;
/// The disk is full.
const SQLITE_FULL: u32 = 13;

/// The number of an error of MySQL's or MariaDB's.
pub(super) fn mysql_number(error: &SqlxError) -> Option<u16> {
    let SqlxError::Database(database) = error else {
        return None;
    };
    let mysql = database.try_downcast_ref::<sea_orm::SqlxMySqlError>();
    mysql.map(sea_orm::SqlxMySqlError::number)
}

/// SQLite's primary code of an error, of which it reports extended ones.
fn sqlite_code(error: &SqlxError) -> Option<u32> {
    let SqlxError::Database(database) = error else {
        return None;
    };
    database.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code = database.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// Whether an error of COMMIT says that the transaction was rolled back, or is still open: another node's transaction
/// won, the node has no quorum, the server takes no writes; a busy file, a full disk.
fn refuses_commit(error: &SqlxError) -> bool {
    let by_server = matches!(
        mysql_number(error),
        Some(DEADLOCK | ROLLED_BACK_BY_GROUP | NODE_NOT_READY | READ_ONLY | 1792 | 1836)
    );
    by_server || matches!(sqlite_code(error), Some(SQLITE_BUSY | SQLITE_FULL))
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
    if let Some(number) = mysql_number(error) {
        return match number {
            // A row that changed since it was read (MariaDB), lock timeout.
            DEADLOCK | ROLLED_BACK_BY_GROUP | 1020 | 1205 => Sort::Contention,
            // Unknown column, no such table.
            1054 | 1146 => Sort::SchemaMismatch,
            // Too many connections, shutdown in progress, connection killed, offline mode, closed for
            // being idle.
            1040 | 1053 | 1927 | 3032 | 4031 => Sort::Unreachable,
            NODE_NOT_READY => Sort::NotReady,
            // A read-only transaction, InnoDB in read-only mode twice.
            READ_ONLY | 1792 | 1836 | 1874 => Sort::ReadOnly,
            _ => Sort::Other,
        };
    }
    match sqlite_code(error) {
        // Locked by another connection of this process.
        Some(SQLITE_BUSY | 6) => Sort::Contention,
        // A file that may not be written.
        Some(8 | SQLITE_FULL) => Sort::ReadOnly,
        // The file or the disk fails; it cannot be opened.
        Some(10 | 14) => Sort::Unreachable,
        _ if database.message().starts_with("no such ") => Sort::SchemaMismatch,
        _ => Sort::Other,
    }
}
