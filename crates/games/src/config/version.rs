//! Earlier states of configurations. They are read from the audit log, which has each of them whole.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use xmas_kernel::{PlanId, audit::LoggedChange};

use super::model::{Config, Saved};

/// A state in which a configuration was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigVersion<B> {
    /// The row of the audit log; [`ConfigVersion::FIRST`] for what was there before the log began.
    pub id: i64,
    pub since: DateTime<Utc>,
    /// `None` while it is as it is now.
    pub until: Option<DateTime<Utc>>,
    /// Who saved it, how, and why; `None` for what was there before the log began.
    pub saved: Option<SavedBy>,
    /// The version that was put back by it.
    pub restored_from: Option<i64>,
    /// The plan by which it took over.
    pub plan: Option<PlanId>,
    /// `None` if this release cannot read it.
    pub config: Option<Config<B>>,
}

/// A version that is to be put back.
#[derive(Clone, Debug)]
pub struct Past<B> {
    pub config: Config<B>,
    /// When it was like this.
    pub at: DateTime<Utc>,
    /// What it was before and after each change since, oldest first; `None` for one that this release
    /// cannot read.
    pub edits: Vec<Option<(Config<B>, Config<B>)>>,
}

/// How a version came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedBy {
    pub actor: String,
    pub action: String,
    pub reason: Option<String>,
    pub request_id: String,
}

/// A configuration after a version of it was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored<B> {
    pub saved: Saved<B>,
    pub stock_kept: Vec<StockKept>,
}

/// A prize of which another number is left than a version had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockKept {
    pub prize_id: i64,
    pub label: String,
    /// How many are left; `None` means no limit.
    pub stock: Option<i64>,
    /// How many the version had.
    pub stock_then: Option<i64>,
}

/// Under which name the log says which version was put back.
pub(super) const RESTORED_FROM: &str = "restored_from";
/// Under which name the log says by which plan it came.
pub(super) const PLAN: &str = "plan";

impl From<LoggedChange> for SavedBy {
    fn from(change: LoggedChange) -> Self {
        Self {
            actor: change.actor,
            action: change.action,
            reason: change.reason,
            request_id: change.request_id,
        }
    }
}

impl<B: DeserializeOwned> ConfigVersion<B> {
    /// What was there before the log began.
    pub const FIRST: i64 = 0;

    /// The version that a change has made; `None` if it has removed the configuration.
    pub(super) fn made_by(mut change: LoggedChange, until: Option<DateTime<Utc>>) -> Option<Self> {
        let after = change.after.take()?;
        let number = |name| after.get(name).and_then(Value::as_i64);
        Some(Self {
            id: change.id,
            since: change.at,
            until,
            restored_from: number(RESTORED_FROM),
            plan: number(PLAN).map(PlanId),
            saved: Some(change.into()),
            config: read_config(after),
        })
    }
}

/// A configuration as the log has it, if this release can read it.
pub(super) fn read_config<B: DeserializeOwned>(state: Value) -> Option<Config<B>> {
    serde_json::from_value(state).ok()
}
