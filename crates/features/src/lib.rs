//! Which parts of the event are on: kill switches, and the gate that QA uses; and the texts that
//! operators have clients show.
//!
//! Invariants:
//! - A switch acts within one second on every replica: copies live at most
//!   [`xmas_cache::Snapshot::LIFETIME`], and the process that writes drops its own at once.
//! - A feature without a row does not run (`NO_FEATURE_TODAY`); one that is switched off is
//!   `FEATURE_DISABLED`. Work that was let in completes.
//! - `feature_schedule` is looked at only behind `FEATURE_GATE_ENABLED`, which production refuses.
//!
//! - What clients are told to show is checked before it is saved: no markup, no script, no surprise.
//!
//! Owns the tables `feature_config`, `feature_schedule` and `app_ui_config`.

mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod rules;
mod schedule;
mod service;
mod store;
mod ui;
pub mod ui_rules;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;
use xmas_kernel::{Feature, audit::Actor, db::DbError, version::Seen};
use xmas_time::EventDay;

pub use error::{FeatureDeskError, FeatureError};
pub use model::{
    FeatureConfig, FeatureEdit, FeatureRow, FeatureSettings, Scheduled, ScheduledFeature, UiConfig,
};
pub use service::{FeatureService, Features};
pub use ui::UiConfigs;

/// The switches for operators. Every edit leaves a row in the audit log.
#[async_trait]
pub trait FeatureDesk: Send + Sync {
    /// Every feature that is configured, in the order of their names.
    async fn features(&self) -> Result<Vec<FeatureConfig>, DbError>;

    /// Changes a feature. It takes effect here at once, and within a second everywhere.
    async fn edit(
        &self,
        actor: &Actor,
        feature: Feature,
        edit: &FeatureEdit,
        now: DateTime<Utc>,
    ) -> Result<FeatureConfig, FeatureDeskError>;

    /// What QA has scheduled from `first` to `last`, in the order of the days.
    async fn schedule(
        &self,
        first: EventDay,
        last: EventDay,
    ) -> Result<Vec<Scheduled>, FeatureDeskError>;

    /// Makes `features` the whole schedule of a day.
    async fn set_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        features: &[ScheduledFeature],
        now: DateTime<Utc>,
    ) -> Result<Scheduled, FeatureDeskError>;

    /// Clears the schedule of a day.
    async fn clear_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureDeskError>;
}

/// What clients are told to show.
#[async_trait]
pub trait UiConfigService: Send + Sync {
    /// What is saved under a key, at most [`xmas_cache::Snapshot::LIFETIME`] old.
    async fn find(&self, key: &str) -> Result<Option<Arc<UiConfig>>, DbError>;

    /// Saves a value under a key, if [`ui_rules::check_ui`] lets it. `seen` is what the operator
    /// has seen.
    async fn put(
        &self,
        actor: &Actor,
        key: &str,
        value: &Value,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<UiConfig, FeatureDeskError>;
}
