//! What a game is: its table, what players see of it, and what a draw brings.

use std::{collections::BTreeMap, fmt::Debug};

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use xmas_kernel::{Asset, ConfigId, Feature, OddsId, PlayId, db::DbError};
use xmas_rewards::{Reward, RewardState, RewardType};
use xmas_season_pass::StampResult;
use xmas_time::EventDay;

use crate::odds::{Entry, Odds};

/// The rules of one game of chance. Everything else is the house's: see [`crate::House`].
#[async_trait]
pub trait Game: Send + Sync + Sized + 'static {
    const FEATURE: Feature;
    /// What a play costs one of.
    const TOKEN: Asset;
    /// What players see of the configuration.
    type Menu: Clone + Debug + Send + Sync;
    /// What a draw brings, as players see it and as the log keeps it.
    type Outcome: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;

    /// The active table; `None` if there is none that can be played. Whether bundles and coupons
    /// that it promises exist is for the house to find out.
    async fn active_table(conn: &DatabaseConnection) -> Result<Option<Table<Self>>, DbError>;

    /// The entry that a number below the sum of the weights means.
    fn entry_at(odds: &Odds, number: u64) -> &Entry {
        odds.entry_at(number)
    }

    /// What is shown of an entry of the menu's table that a number has brought.
    fn outcome(menu: &Self::Menu, entry: &Entry, number: u64) -> Self::Outcome;

    /// Whether an outcome shows what this entry and number bring: the offline check of a receipt.
    fn agrees(outcome: &Self::Outcome, entry: &Entry, number: u64) -> bool;

    /// Whether a play that brought this entry is won.
    fn is_win(_: &Entry, reward: Reward) -> bool {
        reward.is_win()
    }

    /// Takes one of an entry's stock; `false` if nothing is left. The last statement before commit,
    /// since its lock lasts until then; only for entries that [`Table::stock`] names.
    async fn take_in_tx(_: &DatabaseTransaction, entry: i64) -> Result<bool, DbError> {
        Err(DbError::Corrupt(format!("entry {entry} has no stock")))
    }
}

/// A game's table that is good to play.
#[derive(Clone, Debug)]
pub struct Table<G: Game> {
    pub config_id: ConfigId,
    pub name: String,
    /// 0 means no limit.
    pub max_daily: i64,
    pub menu: G::Menu,
    pub odds: Odds,
    /// What is left of the entries that are limited, by their id.
    pub stock: BTreeMap<i64, i64>,
    /// Entries that would be drawn if anything were left of them.
    pub sold_out: Vec<Entry>,
}

/// What a player can do at a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<M> {
    pub config_id: ConfigId,
    pub name: String,
    /// 0 means no limit.
    pub max_daily: i64,
    pub today_plays: i64,
    /// 0 means no limit, -1 none left.
    pub remaining: i64,
    pub token_balance: i64,
    pub menu: M,
}

/// One play and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play<O> {
    pub outcome: O,
    pub season_pass: Option<StampResult>,
    pub token_balance: i64,
    pub receipt: Receipt,
}

/// By what a player can name their play and check its draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub play_id: PlayId,
    pub reward_type: RewardType,
    pub reward_state: RewardState,
    /// The table that the play was drawn from.
    pub odds_id: OddsId,
    pub day: EventDay,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
    /// 0, and one more for each draw whose prize had run out.
    pub attempt: i64,
    /// The whole code of a coupon that was won. Never stored with an answer.
    #[serde(skip)]
    pub coupon_code: Option<String>,
}

/// Plays left today as clients read it: 0 means no limit, -1 that none is left.
pub fn remaining(max_daily: i64, played: i64) -> i64 {
    match max_daily {
        0 => 0,
        max if played < max => max - played,
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_left_and_no_limit_are_different_numbers() {
        assert_eq!(remaining(0, 1_000), 0);
        assert_eq!(remaining(3, 0), 3);
        assert_eq!(remaining(3, 2), 1);
        assert_eq!(remaining(3, 3), -1);
        // The limit was lowered below what has been played.
        assert_eq!(remaining(3, 10), -1);
    }

    proptest! {
        #[test]
        fn a_limit_is_never_0(max in 1i64..1_000, played in 0i64..2_000) {
            prop_assert!(remaining(max, played) != 0);
            prop_assert_eq!(remaining(max, played) > 0, played < max);
        }
    }
}
