use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use xmas_activity::{count_logins, forget_addresses_in_tx};
use xmas_core_auth::{count_tokens, remove_expired_in_tx};
use xmas_kernel::{
    audit::{Actor, Change, write_in_tx},
    db::{Db, DbError, Tx, retry},
    idempotency,
    lease::{JobResult, Lease},
};
use xmas_players::caretaker;
use xmas_season_pass::{rules::answers_needless_before, season_spans};

use crate::record::{Counts, JOB, Record};

/// How often it is done.
pub const EVERY: TimeDelta = TimeDelta::hours(1);
/// How many rows one transaction changes: players who write meanwhile wait for none of them for long.
const AT_ONCE: u64 = 200;
/// How many transactions a run has at most, so that it ends. What is left is done by the next, which comes at once.
const STEPS: u32 = 500;
/// How long a process has it to itself after each step.
const LEASE: Duration = Duration::from_secs(120);
/// How long a refresh token is kept after its end: a client that comes late is told why.
const TOKENS_KEPT: TimeDelta = TimeDelta::days(1);

/// Removes what nobody needs any more.
#[derive(Clone, Debug)]
pub struct Housekeeping {
    db: Db,
    /// How long it is known where a login came from.
    addresses_kept: TimeDelta,
}

/// Before when each kind goes.
struct Limits {
    /// Nothing goes if there is none.
    answers: Option<DateTime<Utc>>,
    refresh_tokens: DateTime<Utc>,
    login_addresses: DateTime<Utc>,
}

impl Housekeeping {
    pub fn new(db: Db, addresses_kept: TimeDelta) -> Self {
        Self { db, addresses_kept }
    }

    /// Does it, unless another process does or has within the hour. `process` names this one among all that work on
    /// the database.
    pub async fn run_if_due(&self, process: &str, now: DateTime<Utc>) -> Result<(), DbError> {
        if !self.is_due(now).await? {
            return Ok(());
        }
        let Some(lease) = Lease::take(&self.db, JOB, process, LEASE).await? else {
            return Ok(());
        };
        // Another replica may just have ended.
        let done = match self.is_due(now).await {
            Ok(true) => self.run(process, now).await,
            other => other.map(|_| ()),
        };
        let given_back = lease.give_back(&self.db).await;
        done?;
        given_back
    }

    async fn is_due(&self, now: DateTime<Utc>) -> Result<bool, DbError> {
        let last = Record::of(&self.db).await?.finished_at;
        // A clock that was set back is no reason to wait.
        Ok(last.is_none_or(|last| !(last..last + EVERY).contains(&now)))
    }

    async fn run(&self, process: &str, now: DateTime<Utc>) -> Result<(), DbError> {
        let seasons = season_spans(self.db.read()).await?;
        let limits = Limits {
            answers: answers_needless_before(&seasons, now),
            refresh_tokens: now - TOKENS_KEPT,
            login_addresses: now - self.addresses_kept,
        };
        for _ in 0..STEPS {
            let deleted = retry(|| self.step(&limits)).await?;
            if deleted.is_zero() {
                return retry(|| self.finish(&limits, now)).await;
            }
            // It may have taken long, and another process waits for its end.
            if Lease::take(&self.db, JOB, process, LEASE).await?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Removes a few of each kind, and notes how many.
    async fn step(&self, limits: &Limits) -> Result<Counts, DbError> {
        let tx = self.db.begin().await?;
        let mut record = lock(&tx).await?;
        let mut deleted = Counts::default();
        if let Some(until) = limits.answers {
            deleted.answers = idempotency::purge_in_tx(&tx, until, AT_ONCE).await?;
        }
        deleted.refresh_tokens = remove_expired_in_tx(&tx, limits.refresh_tokens, AT_ONCE).await?;
        let from = record.addresses_gone_before.unwrap_or(DateTime::UNIX_EPOCH);
        let (addresses, last) =
            forget_addresses_in_tx(&tx, from..limits.login_addresses, AT_ONCE).await?;
        deleted.login_addresses = addresses;
        record.addresses_gone_before = last.or(record.addresses_gone_before);
        record.deleted += deleted;
        record.untold += deleted;
        if !deleted.is_zero() {
            JobResult::put_in_tx(&tx, JOB, &record.written()?).await?;
            tx.commit().await?;
        }
        Ok(deleted)
    }

    /// Counts what is left, and tells the operators' log what went.
    async fn finish(&self, limits: &Limits, now: DateTime<Utc>) -> Result<(), DbError> {
        let read = self.db.read();
        let kept = Counts {
            answers: idempotency::count(read).await?,
            refresh_tokens: count_tokens(read).await?,
            login_addresses: count_logins(read, limits.login_addresses).await?,
        };
        let actor = caretaker(read).await?.map(|user_id| Actor {
            user_id,
            name: "xmas-api housekeeping".to_owned(),
            reason: None,
            request_id: JOB.to_owned(),
        });
        let tx = self.db.begin().await?;
        let mut record = lock(&tx).await?;
        let deleted = std::mem::take(&mut record.untold);
        record.kept = kept;
        record.addresses_gone_before = record
            .addresses_gone_before
            .max(Some(limits.login_addresses));
        record.finished_at = Some(now);
        JobResult::put_in_tx(&tx, JOB, &record.written()?).await?;
        if let Some(actor) = actor.filter(|_| !deleted.is_zero()) {
            let change = Change {
                action: "HOUSEKEEPING",
                resource: JOB,
                before: Value::Null,
                after: json!({ "deleted": deleted, "kept": kept }),
            };
            write_in_tx(&tx, &actor, change, now).await?;
            tracing::info!(
                ?deleted,
                ?kept,
                "housekeeping removed what nobody needs any more"
            );
        }
        tx.commit().await
    }
}

/// The record, which nobody else changes until the transaction ends.
async fn lock(tx: &Tx) -> Result<Record, DbError> {
    let text = JobResult::lock_in_tx(tx, JOB).await?;
    text.map_or(Ok(Record::default()), |text| Record::read(&text))
}
