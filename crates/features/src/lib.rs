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
mod named;
mod rules;
mod schedule;
mod service;
mod store;
mod ui;
pub mod ui_rules;

pub use error::{FeatureDeskError, FeatureError};
pub use model::{
    FeatureConfig, FeatureEdit, FeatureRow, FeatureSettings, Scheduled, ScheduledFeature, UiConfig,
};
pub use rules::check_feature;
pub use service::{FeatureService, Features};
pub use ui::UiConfigs;
