use serde::{Deserialize, Serialize};
use xmas_rewards::{Reward, RewardType};

use crate::config::{Config, RewardConfig, RewardEdit};

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

/// What there is to win in a lottery, as operators see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrizeList {
    /// In the order of their ids.
    pub prizes: Vec<PrizeConfig>,
}

impl PrizeList {
    /// Where a prize that is saved stands.
    pub(super) fn place(&self, id: Option<i64>) -> Option<usize> {
        self.prizes.iter().position(|prize| prize.id == id)
    }
}

/// A prize as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrizeConfig {
    /// `None` before it is saved.
    pub id: Option<i64>,
    pub label: String,
    pub weight: i64,
    /// How many are left; `None` means no limit.
    pub stock: Option<i64>,
    /// How many the last edit of the stock left.
    #[serde(skip)]
    pub stock_at_edit: Option<i64>,
    /// How many there have been in all since it has a limit; `None` before it is saved.
    #[serde(skip)]
    pub stock_supplied: Option<i64>,
    #[serde(flatten)]
    pub reward: RewardConfig,
    pub is_active: bool,
}

/// What an operator changes about a prize. `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct PrizeEdit {
    /// Which prize is meant; without it, the one with this label.
    pub id: Option<i64>,
    pub label: Option<String>,
    pub weight: Option<i64>,
    /// `Some(None)` means no limit.
    pub stock: Option<Option<i64>>,
    pub reward: RewardEdit,
    pub is_active: Option<bool>,
}

impl NewLottery {
    pub(crate) fn to_active_config(&self) -> Config<PrizeList> {
        let prizes = self.prizes.iter().map(|prize| PrizeConfig {
            id: None,
            label: prize.label.clone(),
            weight: prize.weight,
            stock: prize.stock,
            stock_at_edit: None,
            stock_supplied: None,
            reward: prize.reward.into(),
            is_active: prize.is_active,
        });
        Config {
            name: self.name.clone(),
            is_active: true,
            max_daily: self.max_daily_plays,
            body: PrizeList {
                prizes: prizes.collect(),
            },
        }
    }
}
