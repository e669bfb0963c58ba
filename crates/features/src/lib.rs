//! Which parts of the event are on: kill switches, and the gate that QA uses.
//!
//! Invariants:
//! - A switch acts within one second on every replica: copies live at most
//!   [`xmas_cache::Snapshot::LIFETIME`], and the process that writes drops its own at once.
//! - A feature without a row does not run (`NO_FEATURE_TODAY`); one that is switched off is
//!   `FEATURE_DISABLED`. Work that was let in completes.
//! - `feature_schedule` is looked at only behind `FEATURE_GATE_ENABLED`, which production refuses.
//!
//! Owns the tables `feature_config` and `feature_schedule`.

mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod rules;
mod service;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{Feature, audit::Actor, db::DbError};
use xmas_time::EventDay;

pub use error::{FeatureDeskError, FeatureError};
pub use model::{FeatureConfig, FeatureEdit, FeatureRow, FeatureSettings};
pub use service::Features;

/// Lets requests in, or says why not.
#[async_trait]
pub trait FeatureService: Send + Sync {
    /// The settings of `feature` if it runs on `today`.
    async fn require(
        &self,
        feature: Feature,
        today: EventDay,
    ) -> Result<FeatureSettings, FeatureError>;
}

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
}
