use serde::{Deserialize, Serialize};
use xmas_rewards::{Reward, RewardType};

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
