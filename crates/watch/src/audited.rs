//! The audit that runs by itself, and what the last one found.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    db::{Db, DbError},
    lease::{JobResult, Lease},
};
use xmas_reporting::{Audit, AuditReport};

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
    pub(crate) async fn last(db: &Db) -> Result<Option<Self>, DbError> {
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
pub async fn keep_audit(db: &Db, report: &AuditReport) -> Result<(), DbError> {
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
///
/// `process` names this one among all that work on the database; `lease` is how long one of them has it to itself,
/// and after a failure keeps all from trying again at once.
pub async fn audit_if_due(
    db: &Db,
    process: &str,
    every: Duration,
    lease: Duration,
) -> Result<(), DbError> {
    let is_recent = |last: Option<Audited>| last.is_some_and(|last| last.age < every);
    if is_recent(Audited::last(db).await?) {
        return Ok(());
    }
    let Some(lease) = Lease::take(db, AUDIT, process, lease).await? else {
        return Ok(());
    };
    // Another replica may just have ended.
    if !is_recent(Audited::last(db).await?) {
        let report = Audit::new(db.clone()).run().await?;
        let violations = report.violations();
        if violations > 0 {
            tracing::error!(
                violations,
                "the audit finds {violations} violations; look at `xmas-api audit`"
            );
        }
        keep_audit(db, &report).await?;
    }
    // One that fails keeps its lease: the whole database would be read over and over.
    lease.give_back(db).await
}
