use serde::{Deserialize, Serialize};
use xmas_kernel::Feature;

/// What `feature_config.config_json` may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeatureSettings {
    /// Season XP that each play gives besides its prize.
    pub xp_per_play: u32,
    /// Whether the day's first play also collects the daily stamp.
    pub stamp_on_play: bool,
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
