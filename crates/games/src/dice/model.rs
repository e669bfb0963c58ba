use serde::{Deserialize, Serialize};
use xmas_rewards::{Reward, RewardType};

use crate::config::{Config, RewardConfig, RewardEdit};

/// A dice game to be saved. [`super::rules::check`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDice {
    pub name: String,
    /// 0 means no limit.
    pub max_daily_plays: i64,
    pub win: Reward,
    pub draw: Reward,
    pub lose: Reward,
}

/// How a throw ends for the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum DiceOutcome {
    Win,
    Draw,
    Lose,
}

impl DiceOutcome {
    pub const ALL: [DiceOutcome; 3] = [DiceOutcome::Win, DiceOutcome::Draw, DiceOutcome::Lose];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Its entry in every dice game's odds.
    pub fn entry_id(self) -> i64 {
        match self {
            DiceOutcome::Win => 1,
            DiceOutcome::Draw => 2,
            DiceOutcome::Lose => 3,
        }
    }
}

/// Four dice on the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throw {
    /// 1 to 6 each.
    pub user_dice: [u8; 2],
    pub dealer_dice: [u8; 2],
    pub user_sum: u8,
    pub dealer_sum: u8,
    pub outcome: DiceOutcome,
}

/// One game and what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiceGame {
    #[serde(flatten)]
    pub throw: Throw,
    pub reward_type: RewardType,
    pub reward_amount: i64,
}

/// What there is to win at dice, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiceRewards {
    pub win: RewardConfig,
    pub draw: RewardConfig,
    pub lose: RewardConfig,
}

/// What an operator changes about the rewards.
#[derive(Clone, Debug, Default)]
pub struct DiceEdit {
    pub win: RewardEdit,
    pub draw: RewardEdit,
    pub lose: RewardEdit,
}

impl NewDice {
    pub(crate) fn to_active_config(&self) -> Config<DiceRewards> {
        Config {
            name: self.name.clone(),
            is_active: true,
            max_daily: self.max_daily_plays,
            body: DiceRewards {
                win: self.win.into(),
                draw: self.draw.into(),
                lose: self.lose.into(),
            },
        }
    }
}
