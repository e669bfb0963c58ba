use serde::{Deserialize, Serialize};
use xmas_kernel::ConfigId;
use xmas_rewards::{Reward, RewardType};
use xmas_season_pass::StampResult;

use super::rules::Wheel;
use crate::Receipt;

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

/// A wheel that is good to spin.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) config_id: ConfigId,
    pub(crate) name: String,
    pub(crate) max_daily_spins: i64,
    pub(crate) wheel: Wheel,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouletteStatus {
    pub config_id: ConfigId,
    pub name: String,
    /// 0 means no limit.
    pub max_daily_spins: i64,
    pub today_spins: i64,
    /// 0 means no limit, -1 none left.
    pub remaining_spins: i64,
    pub token_balance: i64,
    pub segments: Vec<Segment>,
}

/// One spin and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoulettePlay {
    pub segment: Segment,
    pub season_pass: Option<StampResult>,
    pub token_balance: i64,
    pub receipt: Receipt,
}
