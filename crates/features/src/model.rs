use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xmas_kernel::{
    Feature,
    version::{Seen, Version},
};
use xmas_time::EventDay;

/// What `feature_config.config_json` may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureSettings {
    /// Season XP that each play gives besides its prize.
    pub xp_per_play: u32,
    /// Whether the day's first play also collects the daily stamp.
    pub stamp_on_play: bool,
}

impl FeatureSettings {
    /// Their names in `config_json`.
    pub const NAMES: [&str; 2] = ["xp_per_play", "stamp_on_play"];
}

/// A feature as operators see it, whether or not its settings can be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureConfig {
    pub feature: Feature,
    pub title: String,
    pub page_path: String,
    pub is_enabled: bool,
    /// [`FeatureSettings`], and whatever clients keep beside them.
    pub config_json: Value,
}

impl FeatureConfig {
    /// Follows from everything that an operator can edit.
    pub fn version(&self) -> Version {
        Version::of(self)
    }
}

/// What an operator changes about a feature; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct FeatureEdit {
    pub title: Option<String>,
    pub page_path: Option<String>,
    pub is_enabled: Option<bool>,
    pub config_json: Option<Value>,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

/// A feature as an operator configures it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureRow {
    pub feature: Feature,
    pub title: String,
    pub page_path: String,
    pub is_enabled: bool,
    pub settings: FeatureSettings,
}

/// What is scheduled on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    pub day: EventDay,
    /// In the order of their names.
    pub features: Vec<ScheduledFeature>,
}

/// A feature on a day's schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduledFeature {
    pub feature: Feature,
    /// False keeps it on the schedule without letting it run.
    pub is_active: bool,
}

/// A value that clients read under its key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UiConfig {
    pub value: Value,
    #[serde(skip)]
    pub updated_at: DateTime<Utc>,
}

impl UiConfig {
    /// Follows from the value. A key that nothing was saved under has the version of `null`.
    pub fn version(config: Option<&Self>) -> Version {
        Version::of(&config.map(|config| &config.value))
    }
}
