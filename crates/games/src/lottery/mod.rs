//! The lottery: prizes, some of them limited, one ticket a play.

mod entity;
mod model;
pub mod rules;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{Asset, ConfigId, Feature, db::DbError};
use xmas_rewards::Reward;

use crate::{Game, SaveError, Table, odds::Entry};

pub use model::{NewLottery, NewPrize, Prize};

/// The rules of the lottery.
#[derive(Clone, Copy, Debug)]
pub struct Lottery;

#[async_trait]
impl Game for Lottery {
    const FEATURE: Feature = Feature::Lottery;
    const TOKEN: Asset = Asset::LotteryTicket;
    /// Every active prize, also those of which nothing is left.
    type Menu = Vec<Prize>;
    type Outcome = Prize;

    async fn active_table(conn: &DatabaseConnection) -> Result<Option<Table<Self>>, DbError> {
        store::active_table(conn).await
    }

    fn outcome(menu: &Vec<Prize>, entry: &Entry, _: u64) -> Prize {
        let prize = menu.iter().find(|prize| prize.id == entry.id);
        prize
            .expect("a lottery's odds are those of its prizes")
            .clone()
    }

    fn agrees(outcome: &Prize, entry: &Entry, _: u64) -> bool {
        let shown = (outcome.reward_type, outcome.reward_amount);
        outcome.id == entry.id
            && outcome.label == entry.label
            && shown == (entry.reward_type, entry.reward_amount)
    }

    async fn take_in_tx(tx: &DatabaseTransaction, entry: i64) -> Result<bool, DbError> {
        store::take_one(tx, entry).await
    }
}

impl Lottery {
    /// Checks a lottery and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        lottery: &NewLottery,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        let rewards = lottery.prizes.iter().map(|prize| prize.reward);
        let rewards: Vec<Reward> = rewards.collect();
        crate::check_save(tx, rules::check(lottery), "prizes.reward_item", &rewards).await?;
        Ok(store::insert_active(tx, lottery, now).await?)
    }
}
