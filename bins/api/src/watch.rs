//! What a replica regularly looks at: the event in the database, its schema, its clock, and what the last audit found.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use xmas_event_bridge::Progress;
use xmas_kernel::{
    db::{Db, DbError},
    lease::{JobResult, Lease},
};
use xmas_migration::{SchemaState, Versions, versions};
use xmas_reporting::{AuditReport, Lookout, Vitals};
use xmas_season_pass::is_running;
use xmas_time::EventDay;

use crate::wiring::App;

/// How long a look waits for the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the settlement is looked at.
const SETTLEMENT_EVERY: TimeDelta = TimeDelta::minutes(1);

/// What this replica last saw.
#[derive(Debug)]
pub struct Watch {
    lookout: Lookout,
    server: Mutex<Option<Server>>,
    latest: Mutex<Option<Seen>>,
    /// Whether the server answered the last time; nothing before the first.
    is_up: Mutex<Option<bool>>,
    /// How far the settlement was when it was last looked at.
    settlement: Mutex<Option<(DateTime<Utc>, Option<Progress>)>>,
}

/// What the database server says of itself, whatever is in its tables.
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
    pub fn new(db: &Db) -> Self {
        Self {
            lookout: Lookout::new(db.clone()),
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
    pub async fn look(&self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let server = match timeout(PATIENCE, ask(app)).await {
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
        let seen = timeout(PATIENCE, self.see(app, now)).await??;
        *lock(&self.latest) = Some(seen);
        Ok(())
    }

    async fn see(&self, app: &App, now: DateTime<Utc>) -> anyhow::Result<Seen> {
        let db = app.db();
        Ok(Seen {
            now,
            at: app.readiness().machine.now(),
            vitals: self.lookout.look().await?,
            is_season_running: is_running(db.read(), EventDay::of(now)).await?,
            settlement: self.settlement(app, now).await?,
            audit: Audited::last(db).await?,
        })
    }

    /// Asked less often than the rest, since it goes through all players who hold keys.
    async fn settlement(&self, app: &App, now: DateTime<Utc>) -> anyhow::Result<Option<Progress>> {
        if let Some((at, progress)) = *lock(&self.settlement)
            && (at..at + SETTLEMENT_EVERY).contains(&now)
        {
            return Ok(progress);
        }
        let progress = app.settlement().progress(now).await?;
        *lock(&self.settlement) = Some((now, progress));
        Ok(progress)
    }
}

async fn ask(app: &App) -> Result<Server, DbError> {
    let readiness = app.readiness();
    let is_current = readiness.schema().await? == SchemaState::Current;
    let versions = match versions(app.db().read()).await.map_err(DbError::from) {
        // Nobody has migrated it yet.
        Err(DbError::SchemaMismatch(_)) => Versions::of_nothing(),
        versions => versions?,
    };
    Ok(Server {
        versions,
        is_current,
        // SQLite has no clock but this machine's.
        skew: readiness.skew().await?.unwrap_or_default(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an audit found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Audited {
    pub(crate) violations: u64,
    pub(crate) finished_at: DateTime<Utc>,
    age: Duration,
}

/// The job's name among leases and results.
const AUDIT: &str = "audit";

/// A result, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    violations: u64,
    /// What is violated, and how often.
    checks: Vec<(String, u64)>,
}

impl Audited {
    async fn last(db: &Db) -> Result<Option<Self>, DbError> {
        let Some(last) = JobResult::of(db, AUDIT).await? else {
            return Ok(None);
        };
        let kept: Kept = serde_json::from_str(&last.result)
            .map_err(|error| DbError::Corrupt(format!("the result of the audit: {error}")))?;
        Ok(Some(Self {
            violations: kept.violations,
            finished_at: last.finished_at,
            age: last.age,
        }))
    }
}

/// Keeps what an audit has found, for all replicas to show.
pub(crate) async fn keep(db: &Db, report: &AuditReport) -> Result<(), DbError> {
    let violated = report.checks.iter().filter(|check| check.violations > 0);
    let kept = Kept {
        violations: report.violations(),
        checks: violated
            .map(|check| (check.name.to_owned(), check.violations))
            .collect(),
    };
    let kept = serde_json::to_string(&kept)
        .map_err(|error| DbError::Corrupt(format!("the result of the audit: {error}")))?;
    JobResult::keep(db, AUDIT, &kept).await
}

/// Checks every invariant if nobody has for `every`, and keeps what was found for all replicas to show.
pub async fn audit_if_due(app: &App, every: Duration, lease: Duration) -> anyhow::Result<()> {
    let db = app.db();
    let is_recent = |last: Option<Audited>| last.is_some_and(|last| last.age < every);
    if is_recent(Audited::last(db).await?) {
        return Ok(());
    }
    let Some(lease) = Lease::take(db, AUDIT, app.process(), lease).await? else {
        return Ok(());
    };
    // Another replica may just have ended.
    if !is_recent(Audited::last(db).await?) {
        let report = app.audit().run().await?;
        let violations = report.violations();
        if violations > 0 {
            tracing::error!(
                violations,
                "the audit finds {violations} violations; look at `xmas-api audit`"
            );
        }
        keep(db, &report).await?;
    }
    // One that fails keeps its lease: the whole database would be read over and over.
    Ok(lease.give_back(db).await?)
}
