//! The database: pools, transactions, retries and what its errors mean.

mod batched;
mod cluster;
mod constraint;
mod error;
mod event;
mod executed;
mod gathered;
mod pools;
mod portions;
mod reach;
mod refusal;
mod retry;
mod sum;
pub mod tally;
mod timestamp;
mod url;

use std::{future::ready, ops::Deref, path::Path, time::Duration};

use chrono::{DateTime, Utc};
use log::LevelFilter;
use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, Database, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, SqlxError, Statement,
    TransactionOptions, TransactionTrait,
    sqlx::{self, Connection},
};

use tokio::time::timeout;

pub use batched::{BatchedRead, Found, padded};
use cluster::Cluster;
pub use constraint::{Constraint, Violation};
pub use error::DbError;
use event::LastSeen;
pub use event::{EVENT_AREA, EventSeen};
pub use executed::{Executed, STATEMENT_TARGET};
use executed::{tell, told};
pub use gathered::{Ask, Caller, Gathered, while_all_wait, while_any_waits};
use pools::Pools;
pub use portions::portions;
pub use reach::reach;
pub(crate) use retry::retry_answered;
pub use retry::{retry, retry_repeatable};
pub use sum::sum;
pub use timestamp::Timestamp;
use url::Place;
pub use url::{DbUrl, DbUrlError};

/// Where the database is and how many connections may be open to it.
#[derive(Clone, Debug)]
pub struct DbOptions {
    pub url: DbUrl,
    /// Upper bound of each of the two pools; SQLite always writes through one connection.
    pub max_connections: u32,
    /// How many runtimes use a server: each has its part of the connections, at least one. Those of an SQLite file are
    /// everybody's.
    pub runtimes: usize,
    /// How long a request waits for a free connection before it is turned away.
    pub acquire_timeout: Duration,
    /// How long a change of the schema waits for a table that is in use, in whole seconds. Meanwhile everybody
    /// else waits behind it. `None` is the server's own bound, which may be a day.
    pub table_wait: Option<Duration>,
    /// Whether what is read on one node of a cluster waits for what was committed on others before.
    pub causal_reads: bool,
}

impl DbOptions {
    pub fn new(url: DbUrl) -> Self {
        Self {
            url,
            max_connections: 16,
            runtimes: 1,
            acquire_timeout: Duration::from_secs(5),
            table_wait: None,
            causal_reads: false,
        }
    }

    /// How many connections to a server each runtime may open.
    fn connections_each(&self) -> u32 {
        let runtimes = u32::try_from(self.runtimes).unwrap_or(u32::MAX).max(1);
        (self.max_connections / runtimes).max(1)
    }

    /// How many that makes in all.
    fn connections(&self) -> u32 {
        let runtimes = u32::try_from(self.runtimes).unwrap_or(u32::MAX).max(1);
        self.connections_each().saturating_mul(runtimes)
    }
}

/// Two pools onto one database: one for transactions, one for plain reads, so that neither can
/// starve the other. On SQLite the first is a single connection, and its pool's queue is what
/// puts writers in line.
#[derive(Clone, Debug)]
pub struct Db {
    options: DbOptions,
    cluster: Cluster,
    write: Pools,
    read: Pools,
    event: LastSeen,
}

/// The connections of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// What it is for: `write` or `read`.
    pub name: &'static str,
    /// In use.
    pub used: u32,
    /// Open, and waiting to be used.
    pub idle: u32,
    /// How many it may open.
    pub max: u32,
}

/// At which level a pool logs how long each connection was waited for, under [`ACQUIRE_TARGET`].
const ACQUIRE_LEVEL: LevelFilter = LevelFilter::Trace;
/// Where a pool logs, in the field `acquired_after_secs`, how long a connection was waited for.
pub const ACQUIRE_TARGET: &str = "sqlx::pool::acquire";

/// How many dead connections a transaction steps over before it gives up.
const BEGIN_ATTEMPTS: u32 = 64;

/// What every MySQL and MariaDB session is set to, once per connection: why UTC, ADR 4; how often a lock is
/// waited for, docs/ARCHITECTURE.md, "Rules that must not break".
const MYSQL_SESSION: &str = "SET SESSION \
    transaction_isolation = 'READ-COMMITTED', \
    time_zone = '+00:00', \
    sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    innodb_lock_wait_timeout = 3, \
    group_concat_max_len = 65536";

/// MariaDB before 11.1 knows the isolation level under its older name only.
const MARIADB_SESSION: &str = "SET SESSION \
    tx_isolation = 'READ-COMMITTED', \
    time_zone = '+00:00', \
    sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
    innodb_lock_wait_timeout = 3, \
    group_concat_max_len = 65536";

/// How long a connection may take to roll back what was given up on it: more than a statement may wait for a row.
const RECOVERY: Duration = Duration::from_secs(5);

/// Galera waits before BEGIN and before what is read outside of a transaction.
const GALERA_CAUSAL: &str = "SET SESSION wsrep_sync_wait = 1";
/// Group Replication.
const GROUP_CAUSAL: &str = "SET SESSION group_replication_consistency = 'BEFORE'";

impl Db {
    pub async fn connect(options: &DbOptions) -> Result<Self, DbError> {
        let cluster = Cluster::default();
        let connect = |max_connections, runtimes, is_for_reads| {
            let options = connect_options(options, &cluster, max_connections, is_for_reads);
            Pools::connect(options, runtimes)
        };
        if let Some(file) = options.url.file() {
            if !options.url.is_read_only() {
                create_private(file);
            }
            // The writer comes first: it creates the file that a reader only opens.
            let write = connect(1, 1, false).await?;
            let read = connect(options.max_connections, 1, true).await?;
            return Ok(Self::of_pools(options, cluster, write, read));
        }
        let (each, runtimes) = (options.connections_each(), options.runtimes);
        let write = connect(each, runtimes, false).await?;
        let read = connect(each, runtimes, true).await?;
        Ok(Self::of_pools(options, cluster, write, read))
    }

    fn of_pools(options: &DbOptions, cluster: Cluster, write: Pools, read: Pools) -> Self {
        Self {
            options: options.clone(),
            cluster,
            write,
            read,
            event: LastSeen::default(),
        }
    }

    /// Opens a transaction. Dropping it rolls it back.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        let options = TransactionOptions {
            // A deferred transaction that turns into a writer half-way fails instead of waiting.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let mut attempt = 1;
        loop {
            let begun = self.write().begin_with_options(options);
            match told(self.backend(), "BEGIN", begun)
                .await
                .map_err(DbError::from)
            {
                // Nothing has been done on it, and each attempt uses one up.
                Err(error) if error.is_dead_connection() && attempt < BEGIN_ATTEMPTS => {
                    attempt += 1;
                }
                outcome => return Tx::begun(outcome?, &self.cluster).await,
            }
        }
    }

    /// The event that was last seen here, by whoever has loaded a part of it ([`Db::load_of_event`]).
    pub fn event(&self) -> EventSeen {
        self.event.get()
    }

    /// What `look` finds in copies of several parts, all of one event, and which one that is.
    pub async fn look_at_event<T, F>(&self, look: impl Fn() -> F) -> Result<(EventSeen, T), DbError>
    where
        F: Future<Output = T>,
    {
        self.event.look(look).await
    }

    /// A part of the event as it is now, which `load` reads through `conn` in any number of statements.
    pub async fn load_of_event<T, E, F>(
        &self,
        conn: &impl ConnectionTrait,
        load: impl Fn() -> F,
    ) -> Result<T, E>
    where
        E: From<DbError>,
        F: Future<Output = Result<T, E>>,
    {
        self.event.load(conn, load).await
    }

    /// The pool for reads that belong to no transaction, in the calling runtime.
    pub fn read(&self) -> &DatabaseConnection {
        self.read.here()
    }

    /// The pool that transactions come from, for schema work such as migrations.
    pub fn write(&self) -> &DatabaseConnection {
        self.write.here()
    }

    pub fn backend(&self) -> DbBackend {
        self.write.backend()
    }

    /// Whether others may write to the same database at another server. What they have committed arrives here between
    /// two statements of a transaction, whatever it has locked.
    pub(crate) fn has_other_writers(&self) -> bool {
        self.cluster.is_there() || self.options.causal_reads
    }

    /// Whether the database takes writes, by one that changes nothing. Asks on the pool that
    /// transactions come from, so that connections to a server that was demoted are found and
    /// dropped.
    ///
    /// That all of the pool's connections are busy is no failure. Where none comes free within
    /// `patience`, a connection of its own tells a busy pool from a server that cannot be reached,
    /// and is waited for as long again.
    pub async fn check_writable(&self, patience: Duration) -> Result<(), DbError> {
        match timeout(patience, retry(|| write_nothing(self.write()))).await {
            Ok(Err(DbError::PoolExhausted(_))) | Err(_) => {}
            Ok(outcome) => return outcome,
        }
        if self.backend() == DbBackend::Sqlite {
            // Its one writer is at work.
            return Ok(());
        }
        let options = DbOptions {
            acquire_timeout: patience,
            ..self.options.clone()
        };
        let own = async {
            let own = connect_options(&options, &self.cluster, 1, false);
            let own = Database::connect(own).await?;
            let outcome = write_nothing(&own).await;
            own.close().await?;
            outcome
        };
        match timeout(patience, own).await {
            // Nobody else uses its pool.
            Ok(Err(DbError::PoolExhausted(error))) => Err(DbError::Unreachable(error)),
            Ok(outcome) => outcome,
            Err(_) => Err(DbError::Unreachable(DbErr::ConnectionAcquire(
                ConnAcquireErr::Timeout,
            ))),
        }
    }

    /// Whether the user that the database was reached as may change or delete rows of a table.
    /// Nothing is: what is tried has no rows, and is rolled back. SQLite has no users.
    pub async fn may_rewrite(&self, table: &str) -> Result<bool, DbError> {
        let tx = self.begin().await?;
        for sql in [
            format!("UPDATE {table} SET id = id WHERE 1 = 0"),
            format!("DELETE FROM {table} WHERE 1 = 0"),
        ] {
            match tx.execute_unprepared(&sql).await {
                Ok(_) => return Ok(true),
                Err(error) if error::is_forbidden(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Calls `observe` with every statement that goes through this handle and its later clones, and tells tracing of it.
    pub fn observe_statements(
        &mut self,
        observe: impl Fn(Executed<'_>) + Clone + Send + Sync + 'static,
    ) {
        let backend = self.backend();
        let observe = move |info: &sea_orm::metric::Info<'_>| {
            let executed = Executed::of(info);
            tell(backend, executed);
            observe(executed);
        };
        self.write.observe(observe.clone());
        self.read.observe(observe);
    }

    /// How much of the two pools is in use.
    pub fn pools(&self) -> [Pool; 2] {
        let counted = |of: &DatabaseConnection| match self.backend() {
            DbBackend::Sqlite => {
                let pool = of.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
            _ => {
                let pool = of.get_mysql_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        let pool = |name, of: &Pools, max| {
            let (open, idle): (Vec<u32>, Vec<usize>) = of.opened().map(counted).unzip();
            let open: u32 = open.into_iter().sum();
            let idle = u32::try_from(idle.into_iter().sum::<usize>()).unwrap_or(u32::MAX);
            Pool {
                name,
                used: open.saturating_sub(idle),
                idle,
                max,
            }
        };
        let max = match self.backend() {
            DbBackend::Sqlite => self.options.max_connections,
            _ => self.options.connections(),
        };
        let writers = match self.backend() {
            DbBackend::Sqlite => 1,
            _ => max,
        };
        [
            pool("write", &self.write, writers),
            pool("read", &self.read, max),
        ]
    }

    /// What the server's clock shows, to the microsecond; `None` on SQLite, which has no clock but this machine's.
    pub async fn server_time(&self) -> Result<Option<DateTime<Utc>>, DbError> {
        if self.backend() == DbBackend::Sqlite {
            return Ok(None);
        }
        let ask = Statement::from_string(self.backend(), "SELECT UTC_TIMESTAMP(6)");
        let row = self.read().query_one_raw(ask).await?;
        let row = row.ok_or_else(|| DbError::Corrupt("no time".to_owned()))?;
        let Timestamp(time) = row.try_get_by(0)?;
        Ok(Some(time))
    }

    /// Closes both pools once their connections are back.
    pub async fn close(&self) -> Result<(), DbError> {
        for pool in self.read.opened().chain(self.write.opened()) {
            pool.close_by_ref().await?;
        }
        Ok(())
    }
}

/// A statement that any server refuses which takes no writes, and that finds no row: no job has this
/// name.
async fn write_nothing(pool: &DatabaseConnection) -> Result<(), DbError> {
    let update = "UPDATE job_lease SET holder = holder WHERE name = ''";
    pool.execute_unprepared(update).await?;
    Ok(())
}

/// `is_for_reads` is what the pool is for; SQLite's readers only open the file.
fn connect_options(
    options: &DbOptions,
    cluster: &Cluster,
    max_connections: u32,
    is_for_reads: bool,
) -> ConnectOptions {
    let (table_wait, causal_reads) = (options.table_wait, options.causal_reads);
    let (found, left) = (cluster.clone(), cluster.clone());
    // What SeaORM reads has neither user nor password, since it may quote it.
    let mut connect = match &options.url.0 {
        Place::MySql {
            server,
            user,
            password,
        } => {
            let (user, password) = (user.clone(), password.clone());
            let mut connect = ConnectOptions::new(server.as_str());
            connect.map_sqlx_mysql_opts(move |mysql| {
                url::with_login(mysql, user.as_deref(), password.as_deref())
                    .charset("utf8mb4")
                    // The session's own settings below replace what the driver would set.
                    .set_names(true)
                    .pipes_as_concat(false)
                    .no_engine_substitution(false)
            });
            connect
        }
        Place::Sqlite { file, parameters } => {
            let file = file.clone();
            let parameters = parameters.as_deref().unwrap_or_default();
            let mut connect = ConnectOptions::new(format!("sqlite://file?{parameters}"));
            connect.map_sqlx_sqlite_opts(move |sqlite| {
                sqlite
                    .filename(&file)
                    .create_if_missing(!is_for_reads)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(Duration::from_secs(3))
            });
            connect
        }
    };
    connect
        .max_connections(max_connections)
        .acquire_timeout(options.acquire_timeout)
        .connect_timeout(options.acquire_timeout)
        .sqlx_logging(false)
        // A ping before every use would double the round trips; a connection that has been idle
        // may have been closed by the server.
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(1))
        .map_sqlx_mysql_before_acquire(move |_, connection| {
            Box::pin(ready(Ok(!refusal::outdates(connection.age, is_for_reads))))
        })
        .map_sqlx_sqlite_before_acquire(move |connection, metadata| {
            // SQLite ends a transaction by itself when the disk is full, say. The driver does not hear of it, its
            // ROLLBACK fails, and it would take every transaction after it for a part of that one, which nobody ends.
            let is_usable = !connection.is_in_transaction();
            let is_current = !refusal::outdates(metadata.age, is_for_reads);
            Box::pin(ready(Ok(is_usable && is_current)))
        })
        .map_sqlx_sqlite_pool_opts(move |pool| {
            let pool = pool.acquire_time_level(ACQUIRE_LEVEL);
            pool.after_release(move |_, connection| {
                Box::pin(ready(Ok(!refusal::outdates(connection.age, is_for_reads))))
            })
        })
        .map_sqlx_mysql_pool_opts(move |pool| {
            let pool = pool.acquire_time_level(ACQUIRE_LEVEL);
            let left = left.clone();
            let pool = pool.after_release(move |connection, metadata| {
                let left = left.clone();
                Box::pin(async move {
                    recover(connection).await?;
                    if !is_for_reads {
                        left.leave(connection).await?;
                    }
                    Ok(!refusal::outdates(metadata.age, is_for_reads))
                })
            });
            let found = found.clone();
            pool.after_connect(move |connection, _| {
                let found = found.clone();
                Box::pin(async move {
                    use sqlx::{Executor, Row};
                    let version: String =
                        connection.fetch_one("SELECT VERSION()").await?.try_get(0)?;
                    let (session, causal) = match version.contains("MariaDB") {
                        true => (MARIADB_SESSION, GALERA_CAUSAL),
                        false => (MYSQL_SESSION, GROUP_CAUSAL),
                    };
                    connection.execute(session).await?;
                    if causal_reads {
                        connection.execute(causal).await?;
                    }
                    if version.contains("MariaDB") {
                        found.look(connection).await?;
                    }
                    if let Some(wait) = table_wait {
                        let seconds = wait.as_secs().max(1);
                        let wait = format!("SET SESSION lock_wait_timeout = {seconds}");
                        connection.execute(sqlx::AssertSqlSafe(wait)).await?;
                    }
                    Ok(())
                })
            })
        });
    connect
}

/// Brings a connection in order on which a transaction was given up: its ROLLBACK has not been sent yet. Who drops a
/// statement while it is prepared makes the driver wait for answers that never come, and without an end to it the pool
/// would miss the connection for good.
async fn recover(connection: &mut sqlx::MySqlConnection) -> Result<(), SqlxError> {
    if !connection.should_flush() {
        return Ok(());
    }
    let recovered = timeout(RECOVERY, connection.ping()).await;
    recovered.unwrap_or_else(|late| Err(SqlxError::Io(late.into())))
}

/// Makes an SQLite file that only its owner reads, if it is not there; the files that SQLite puts
/// beside it take their mode from it.
fn create_private(file: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    // One that is there stays as it is, and what cannot be made is told by whoever opens it.
    drop(options.open(file));
}

/// An open transaction. It derefs to what participants borrow; only its owner can commit.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    /// Whether it is asked before COMMIT whether it is still there.
    is_watched: bool,
}

impl Tx {
    async fn begun(inner: DatabaseTransaction, cluster: &Cluster) -> Result<Self, DbError> {
        let is_watched = cluster.is_there();
        if is_watched {
            cluster::watch(&inner).await?;
        }
        Ok(Self { inner, is_watched })
    }

    /// Makes everything done in this transaction last.
    ///
    /// # Errors
    /// [`DbError::CommitOutcomeUnknown`]: nobody knows whether it was done, and only an `Idempotency-Key` makes
    /// asking again safe. After every other one the transaction was rolled back for certain: a cluster's nodes find
    /// out at COMMIT whose transaction was first.
    pub async fn commit(self) -> Result<(), DbError> {
        if self.is_watched {
            cluster::expect_there(&self.inner).await?;
        }
        let backend = self.inner.get_database_backend();
        let committed = told(backend, "COMMIT", self.inner.commit()).await;
        committed.map_err(DbError::of_commit)
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}
