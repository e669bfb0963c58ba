//! What a replica regularly looks at: the event in the database, its schema, its clock, and what the last audit found.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;
use tokio::time::{error::Elapsed, timeout};
use xmas_event_bridge::{BridgeError, Progress, Settlement};
use xmas_kernel::db::DbError;
use xmas_migration::{SchemaState, Versions, versions};
use xmas_reporting::{Lookout, Vitals};
use xmas_season_pass::is_running;
use xmas_time::EventDay;

use crate::{
    audited::Audited,
    server::{DatabaseServer, ServerState},
};

/// How long a look waits for the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the settlement is looked at.
const SETTLEMENT_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What a watch looks at.
pub struct WatchOptions {
    pub server: DatabaseServer,
    pub settlement: Arc<Settlement>,
}

/// Looks when it is told to, and keeps what this replica last saw.
pub struct Watch {
    options: WatchOptions,
    lookout: Lookout,
    server: Mutex<Option<Server>>,
    latest: Mutex<Option<Seen>>,
    /// Whether the server answered the last time; nothing before the first.
    is_up: Mutex<Option<bool>>,
    /// How far the settlement was when it was last looked at.
    settlement: Mutex<Option<(DateTime<Utc>, Option<Progress>)>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Why a look came to nothing.
#[derive(Debug, Error)]
pub enum WatchError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Bridge(#[from] BridgeError),
    #[error("the database did not answer within {} s", PATIENCE.as_secs())]
    Slow(#[from] Elapsed),
}

/// What the database server said of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) versions: Versions,
    pub(crate) is_current: bool,
    /// How far this machine's clock is ahead of the server's.
    pub(crate) skew: TimeDelta,
}

/// What there was to see.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// On the event's clock, which everything in the database goes by.
    now: DateTime<Utc>,
    /// On this machine's.
    pub(crate) at: DateTime<Utc>,
    pub(crate) vitals: Vitals,
    pub(crate) is_season_running: bool,
    pub(crate) settlement: Option<Progress>,
    pub(crate) audit: Option<Audited>,
}

impl Seen {
    /// How long ago something in the database was, not less than 0.
    pub(crate) fn seconds_since(&self, then: DateTime<Utc>) -> f64 {
        let millis = (self.now - then).num_milliseconds().max(0);
        millis as f64 / 1_000.0
    }
}

impl Watch {
    pub fn new(options: WatchOptions) -> Self {
        Self {
            lookout: Lookout::new(options.server.db().clone()),
            options,
            server: Mutex::default(),
            latest: Mutex::default(),
            is_up: Mutex::default(),
            settlement: Mutex::default(),
        }
    }

    /// What was to be seen when it was last possible to look.
    pub(crate) fn latest(&self) -> Option<Seen> {
        lock(&self.latest).clone()
    }

    /// What the server said when it last answered.
    pub(crate) fn server(&self) -> Option<Server> {
        *lock(&self.server)
    }

    /// Whether the server answered the last time; `None` before the first.
    pub(crate) fn is_up(&self) -> Option<bool> {
        *lock(&self.is_up)
    }

    /// Looks at everything.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<(), WatchError> {
        let server = match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(server)) => server,
            // The server may be well: readiness says that it is.
            Ok(Err(error @ DbError::PoolExhausted(_))) => return Err(error.into()),
            Ok(Err(error)) => {
                *lock(&self.is_up) = Some(false);
                return Err(error.into());
            }
            Err(elapsed) => {
                *lock(&self.is_up) = Some(false);
                return Err(elapsed.into());
            }
        };
        *lock(&self.is_up) = Some(true);
        *lock(&self.server) = Some(server);
        let seen = timeout(PATIENCE, self.see(now)).await??;
        *lock(&self.latest) = Some(seen);
        Ok(())
    }

    async fn ask(&self) -> Result<Server, DbError> {
        let ServerState { schema, skew } = self.options.server.state().await?;
        let db = self.options.server.db();
        let versions = match versions(db.read()).await.map_err(DbError::from) {
            // Nobody has migrated it yet.
            Err(DbError::SchemaMismatch(_)) => Versions::of_nothing(),
            versions => versions?,
        };
        Ok(Server {
            versions,
            is_current: schema == SchemaState::Current,
            skew,
        })
    }

    async fn see(&self, now: DateTime<Utc>) -> Result<Seen, WatchError> {
        let db = self.options.server.db();
        Ok(Seen {
            now,
            at: self.options.server.machine().now(),
            vitals: self.lookout.look().await?,
            is_season_running: is_running(db.read(), EventDay::of(now)).await?,
            settlement: self.settlement(now).await?,
            audit: Audited::last(db).await?,
        })
    }

    /// Asked less often than the rest, since it goes through all players who hold keys.
    async fn settlement(&self, now: DateTime<Utc>) -> Result<Option<Progress>, BridgeError> {
        if let Some((at, progress)) = *lock(&self.settlement)
            && (at..at + SETTLEMENT_EVERY).contains(&now)
        {
            return Ok(progress);
        }
        let progress = self.options.settlement.progress(now).await?;
        *lock(&self.settlement) = Some((now, progress));
        Ok(progress)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
