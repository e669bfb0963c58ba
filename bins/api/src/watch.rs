//! What a replica regularly looks at: the event in the database, its schema, its clock, and what the last audit found.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use xmas_event_bridge::Progress;
use xmas_kernel::{
    db::{Db, DbError},
    lease::{JobResult, Lease},
};
use xmas_migration::{SchemaState, Versions, versions};
use xmas_reporting::{Lookout, Vitals};
use xmas_season_pass::is_running;
use xmas_time::EventDay;

use crate::wiring::App;

/// What this replica last saw.
#[derive(Debug)]
pub struct Watch {
    lookout: Lookout,
    latest: Mutex<Option<Seen>>,
    is_up: AtomicBool,
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
    /// How far this machine's clock is ahead of the database's, if that has one of its own.
    pub(crate) skew: Option<TimeDelta>,
    pub(crate) versions: Versions,
    pub(crate) is_current: bool,
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
            latest: Mutex::default(),
            is_up: AtomicBool::new(true),
        }
    }

    pub(crate) fn latest(&self) -> Option<Seen> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    /// Whether the last look succeeded.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    /// Looks at everything.
    pub async fn look(&self, app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
        let seen = self.see(app, now).await;
        self.is_up.store(seen.is_ok(), Ordering::Relaxed);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(seen?);
        Ok(())
    }

    async fn see(&self, app: &App, now: DateTime<Utc>) -> anyhow::Result<Seen> {
        let db = app.db();
        let readiness = app.readiness();
        let skew = readiness.skew().await?;
        Ok(Seen {
            now,
            at: readiness.machine.now(),
            vitals: self.lookout.look().await?,
            is_season_running: is_running(db.read(), EventDay::of(now)).await?,
            settlement: app.settlement().progress(now).await?,
            audit: Audited::last(db).await?,
            skew,
            versions: versions(db.read()).await?,
            is_current: readiness.schema().await? == SchemaState::Current,
        })
    }
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
    let done = async {
        // Another replica may just have ended.
        if is_recent(Audited::last(db).await?) {
            return anyhow::Ok(());
        }
        let report = app.audit().run().await?;
        let violated = report.checks.iter().filter(|check| check.violations > 0);
        let kept = Kept {
            violations: report.violations(),
            checks: violated
                .map(|check| (check.name.to_owned(), check.violations))
                .collect(),
        };
        if kept.violations > 0 {
            let violations = kept.violations;
            let checks = &kept.checks;
            tracing::error!(
                violations,
                ?checks,
                "the audit finds {violations} violations; look at `xmas-api audit`"
            );
        }
        JobResult::keep(db, AUDIT, &serde_json::to_string(&kept)?).await?;
        Ok(())
    };
    let done = done.await;
    let given_back = lease.give_back(db).await;
    done?;
    Ok(given_back?)
}
