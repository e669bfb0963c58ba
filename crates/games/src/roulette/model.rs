use serde::{Deserialize, Serialize};
use xmas_rewards::{Reward, RewardType};

use crate::config::{Config, RewardConfig, RewardEdit};

/// A segment to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSegment {
    /// 0 to 5.
    pub slot_index: i64,
    pub label: String,
    /// How likely it is, relative to the others; 0 never comes up.
    pub weight: i64,
    pub reward: Reward,
    pub is_jackpot: bool,
}

/// A wheel to be saved. [`super::rules::check`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWheel {
    pub name: String,
    /// 0 means no limit.
    pub max_daily_spins: i64,
    pub segments: Vec<NewSegment>,
}

/// A segment as players see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub id: i64,
    pub label: String,
    pub reward_type: RewardType,
    pub reward_amount: i64,
    pub slot_index: i64,
    pub is_jackpot: bool,
}

/// What there is to win at a wheel, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    /// By slot.
    pub segments: Vec<SegmentConfig>,
}

/// A segment as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentConfig {
    /// `None` before it is saved.
    pub id: Option<i64>,
    pub slot_index: i64,
    pub label: String,
    pub weight: i64,
    #[serde(flatten)]
    pub reward: RewardConfig,
    pub is_jackpot: bool,
}

/// What an operator changes about a segment. `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct SegmentEdit {
    /// The id that the operator knows the slot's segment by; it is never changed.
    pub id: Option<i64>,
    /// Which slot is meant; without it, its place in the list.
    pub slot_index: Option<i64>,
    pub label: Option<String>,
    pub weight: Option<i64>,
    pub reward: RewardEdit,
    pub is_jackpot: Option<bool>,
}

impl Segments {
    /// The segment in a slot, if there is one.
    pub fn at(&self, slot_index: i64) -> Option<&SegmentConfig> {
        let mut segments = self.segments.iter();
        segments.find(|segment| segment.slot_index == slot_index)
    }
}

impl NewWheel {
    pub(crate) fn to_active_config(&self) -> Config<Segments> {
        let segments = self.segments.iter().map(|segment| SegmentConfig {
            id: None,
            slot_index: segment.slot_index,
            label: segment.label.clone(),
            weight: segment.weight,
            reward: segment.reward.into(),
            is_jackpot: segment.is_jackpot,
        });
        Config {
            name: self.name.clone(),
            is_active: true,
            max_daily: self.max_daily_spins,
            body: Segments {
                segments: segments.collect(),
            },
        }
    }
}
