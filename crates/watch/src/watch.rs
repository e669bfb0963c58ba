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
use xmas_games::{config::plan::refused_since, fairness::ObservedRecord};
use xmas_housekeeping::Record;
use xmas_kernel::db::DbError;
use xmas_migration::{Versions, versions};
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

/// Looks when it is told to, and keeps what this replica last saw.
pub struct Watch {
    server: DatabaseServer,
    settlement: Arc<Settlement>,
    lookout: Lookout,
    last_answer: Mutex<Option<Answer>>,
    last_seen: Mutex<Option<Seen>>,
    /// Whether the server answered the last time; nothing before the first.
    is_up: Mutex<Option<bool>>,
    /// How far the settlement was when it was last looked at.
    last_progress: Mutex<Option<(DateTime<Utc>, Option<Progress>)>>,
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

/// What the database server answered about itself.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) state: ServerState,
    pub(crate) versions: Versions,
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
    pub(crate) housekeeping: Record,
    pub(crate) odds_counted: ObservedRecord,
    /// Plans of games that could not take over in the last day.
    pub(crate) plans_refused: u64,
}

impl Seen {
    /// How long ago something in the database was, not less than 0.
    pub(crate) fn seconds_since(&self, then: DateTime<Utc>) -> f64 {
        let millis = (self.now - then).num_milliseconds().max(0);
        millis as f64 / 1_000.0
    }
}

impl Watch {
    /// One that has seen nothing yet.
    pub fn new(server: DatabaseServer, settlement: Arc<Settlement>) -> Self {
        Self {
            lookout: Lookout::new(server.db().clone()),
            server,
            settlement,
            last_answer: Mutex::default(),
            last_seen: Mutex::default(),
            is_up: Mutex::default(),
            last_progress: Mutex::default(),
        }
    }

    /// What was to be seen when it was last possible to look.
    pub(crate) fn last_seen(&self) -> Option<Seen> {
        lock(&self.last_seen).clone()
    }

    /// What the server said when it last answered.
    pub(crate) fn last_answer(&self) -> Option<Answer> {
        lock(&self.last_answer).clone()
    }

    /// Whether the server answered the last time; `None` before the first.
    pub(crate) fn is_up(&self) -> Option<bool> {
        *lock(&self.is_up)
    }

    /// Looks at everything; what fails leaves what was seen before.
    pub async fn look(&self, now: DateTime<Utc>) -> Result<(), WatchError> {
        let answer = match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(answer)) => answer,
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
        *lock(&self.last_answer) = Some(answer);
        let seen = timeout(PATIENCE, self.see(now)).await??;
        *lock(&self.last_seen) = Some(seen);
        Ok(())
    }

    async fn ask(&self) -> Result<Answer, DbError> {
        let state = self.server.state().await?;
        let db = self.server.db();
        let versions = versions(db.read()).await?;
        Ok(Answer { state, versions })
    }

    async fn see(&self, now: DateTime<Utc>) -> Result<Seen, WatchError> {
        let db = self.server.db();
        Ok(Seen {
            now,
            at: self.server.machine().now(),
            vitals: self.lookout.look().await?,
            is_season_running: is_running(db.read(), EventDay::of(now)).await?,
            settlement: self.progress(now).await?,
            audit: Audited::last(db).await?,
            housekeeping: Record::of(db).await?,
            odds_counted: ObservedRecord::of(db).await?,
            plans_refused: refused_since(db.read(), now - TimeDelta::days(1)).await?,
        })
    }

    /// Asked less often than the rest, since it goes through all players who hold keys.
    async fn progress(&self, now: DateTime<Utc>) -> Result<Option<Progress>, BridgeError> {
        if let Some((at, progress)) = *lock(&self.last_progress)
            && (at..at + SETTLEMENT_EVERY).contains(&now)
        {
            return Ok(progress);
        }
        let progress = self.settlement.progress(now).await?;
        *lock(&self.last_progress) = Some((now, progress));
        Ok(progress)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
