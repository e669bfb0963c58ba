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

mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod rules;
mod service;
mod store;

use async_trait::async_trait;
use xmas_kernel::Feature;
use xmas_time::EventDay;

pub use error::FeatureError;
pub use model::{FeatureRow, FeatureSettings};
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
