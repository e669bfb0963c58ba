//! What a plan is.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{ConfigId, OddsId, PlanId, version::Seen};

use crate::config::{Config, ConfigEditor, SavedBy};

/// How long before its instant a plan is announced at least, and how far two of a game are apart. As long as a copy of
/// what is in force is trusted at most, so that every replica knows of a plan in time.
pub const LEAD: TimeDelta = TimeDelta::minutes(1);
/// How long before its instant a plan is announced at most.
pub(super) const MAX_AHEAD: TimeDelta = TimeDelta::days(366);
/// How many plans of a game there are at a time.
pub const MAX_PLANS: usize = 20;
/// How late a play may be drawn. A request ends long before.
pub(crate) const MOST_LATE: TimeDelta = TimeDelta::minutes(10);

/// What has become of a plan.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PlanState {
    /// It will take over.
    Planned,
    TakenOver,
    Withdrawn,
    /// It could not be saved when its instant came.
    Refused,
}

impl PlanState {
    pub const ALL: [Self; 4] = [
        Self::Planned,
        Self::TakenOver,
        Self::Withdrawn,
        Self::Refused,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A configuration that is announced, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<B> {
    pub id: PlanId,
    pub config_id: ConfigId,
    pub state: PlanState,
    pub effective_from: DateTime<Utc>,
    /// Under which its odds are published, as they are while everything is there.
    pub odds_id: OddsId,
    pub content_hash: String,
    pub announced_at: DateTime<Utc>,
    /// When it took over, was withdrawn or was refused.
    pub ended_at: Option<DateTime<Utc>>,
    /// `None` if this release cannot read it.
    pub config: Option<Config<B>>,
    /// Who announced it, and why.
    pub planned: Option<SavedBy>,
    /// Who withdrew it, and why.
    pub withdrawn: Option<SavedBy>,
    /// The fields for which it was refused.
    pub refused_for: Vec<String>,
}

/// What is to take over.
pub enum PlanSource<'a, B, E> {
    /// The configuration after an edit. What is left out stays as it is, or as the plan before has it.
    Edit(&'a ConfigEditor<'a, B, E>),
    /// The configuration as it was in a version.
    Version(i64),
}

/// A plan to be announced.
pub struct NewPlan<'a, B, E> {
    pub effective_from: DateTime<Utc>,
    pub source: PlanSource<'a, B, E>,
    /// Which version of the configuration the operator has seen.
    pub seen: Option<Seen>,
}

/// A plan without its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brief {
    pub(crate) id: PlanId,
    pub(crate) config_id: ConfigId,
    pub(crate) state: PlanState,
    pub(crate) effective_from: DateTime<Utc>,
    pub(crate) odds_id: OddsId,
    pub(crate) announced_at: DateTime<Utc>,
}

/// What was in force before a plan took over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replaced<B> {
    pub(super) config_id: ConfigId,
    pub(super) config: Config<B>,
}
