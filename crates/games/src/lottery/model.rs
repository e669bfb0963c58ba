use serde::{Deserialize, Serialize};
use xmas_rewards::{Reward, RewardType};

/// A prize to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrize {
    pub label: String,
    /// How likely it is, relative to the others; 0 never comes up.
    pub weight: i64,
    /// How many there are; `None` means no limit.
    pub stock: Option<i64>,
    pub reward: Reward,
    /// Whether it takes part.
    pub is_active: bool,
}

/// A lottery to be saved. [`super::rules::check`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLottery {
    pub name: String,
    /// 0 means no limit.
    pub max_daily_plays: i64,
    pub prizes: Vec<NewPrize>,
}

/// A prize as players see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prize {
    pub id: i64,
    pub label: String,
    pub reward_type: RewardType,
    pub reward_amount: i64,
    /// How many were left when the table was looked up; `None` means no limit.
    pub stock: Option<i64>,
    pub is_active: bool,
}
