//! The dice game: two dice each, the higher sum wins, one token a play.

mod entity;
mod model;
pub mod rules;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{Asset, ConfigId, Feature, db::DbError};
use xmas_rewards::Reward;

use crate::{
    Game, SaveError, Table,
    odds::{Entry, Odds},
};

pub use model::{DiceGame, DiceOutcome, NewDice, Throw};

/// The rules of the dice game.
#[derive(Clone, Copy, Debug)]
pub struct Dice;

#[async_trait]
impl Game for Dice {
    const FEATURE: Feature = Feature::Dice;
    const TOKEN: Asset = Asset::DiceToken;
    /// Everybody knows what dice look like.
    type Menu = ();
    type Outcome = DiceGame;

    async fn active_table(conn: &DatabaseConnection) -> Result<Option<Table<Self>>, DbError> {
        store::active_table(conn).await
    }

    /// The number is the throw, and the throw decides.
    fn entry_at(odds: &Odds, number: u64) -> &Entry {
        let outcome = rules::throw(number).outcome;
        let entry = odds.entry(outcome.entry_id());
        entry.expect("a dice game's odds have its three outcomes")
    }

    fn outcome((): &(), entry: &Entry, number: u64) -> DiceGame {
        DiceGame {
            throw: rules::throw(number),
            reward_type: entry.reward_type,
            reward_amount: entry.reward_amount,
        }
    }

    fn agrees(outcome: &DiceGame, entry: &Entry, number: u64) -> bool {
        *outcome == Self::outcome(&(), entry, number)
    }

    fn is_win(entry: &Entry, _: Reward) -> bool {
        entry.id == DiceOutcome::Win.entry_id()
    }
}

impl Dice {
    /// Checks a dice game and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        dice: &NewDice,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        let rewards = [dice.win, dice.draw, dice.lose];
        crate::check_save(tx, rules::check(dice), "reward_item", &rewards).await?;
        Ok(store::insert_active(tx, dice, now).await?)
    }
}
