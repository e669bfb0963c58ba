use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    db::{Db, DbError},
    lease::JobResult,
};

/// The job's name among leases and results.
pub(crate) const JOB: &str = "housekeeping";

/// How many of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Answers to requests with an `Idempotency-Key`.
    pub answers: u64,
    pub refresh_tokens: u64,
    /// Logins whose address is known.
    pub login_addresses: u64,
}

impl Counts {
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Each with its name, as metrics label it.
    pub fn by_name(&self) -> [(&'static str, u64); 3] {
        [
            ("answers", self.answers),
            ("refresh_tokens", self.refresh_tokens),
            ("login_addresses", self.login_addresses),
        ]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.answers += other.answers;
        self.refresh_tokens += other.refresh_tokens;
        self.login_addresses += other.login_addresses;
    }
}

/// What was done in all, kept in the database. Instants are on the event's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Since there is housekeeping.
    pub deleted: Counts,
    /// What of it the operators' log does not tell yet.
    pub(crate) untold: Counts,
    /// What there was at the end of the last run.
    pub kept: Counts,
    /// Logins before have no address any more.
    pub(crate) addresses_gone_before: Option<DateTime<Utc>>,
    /// When a run last came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Record {
    /// Of a database; that of one without any is empty.
    pub async fn of(db: &Db) -> Result<Self, DbError> {
        let last = JobResult::of(db, JOB).await?;
        last.map_or(Ok(Self::default()), |last| Self::read(&last.result))
    }

    pub(crate) fn read(text: &str) -> Result<Self, DbError> {
        serde_json::from_str(text).map_err(corrupt)
    }

    pub(crate) fn written(&self) -> Result<String, DbError> {
        serde_json::to_string(self).map_err(corrupt)
    }
}

fn corrupt(error: serde_json::Error) -> DbError {
    DbError::Corrupt(format!("the record of housekeeping: {error}"))
}
