//! The dice game: two dice each, the higher sum wins, one token a play.

mod entity;
mod model;
pub mod rules;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{
    Asset, ConfigId, Feature, Problems,
    audit::Area,
    db::{Constraint, DbError},
};
use xmas_rewards::Reward;

use crate::{
    Configurable, Game, SaveError, Table,
    config::{self, Actions, Config, ConfigEdit, Past, Saved, Which},
    odds::{Entry, Odds},
};

pub use model::{DiceEdit, DiceGame, DiceOutcome, DiceRewards, NewDice, Throw};

/// At most one active dice game.
pub const ACTIVE: Constraint = Constraint::new("uq_dice_active", "dice_config", &["active_slot"]);

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

#[async_trait]
impl Configurable for Dice {
    const AREA: Area = Area::new("DICE");
    const ACTIONS: Actions = Actions {
        resource: "dice",
        create: "DICE_CREATE",
        update: "DICE_UPDATE",
        switch_off: "DICE_SWITCH_OFF",
        restore: "DICE_RESTORE",
        delete: "DICE_DELETE",
    };
    type Body = DiceRewards;
    type BodyEdit = DiceEdit;

    async fn load<C: ConnectionTrait>(
        conn: &C,
        which: Which,
    ) -> Result<Vec<Saved<DiceRewards>>, DbError> {
        store::configs(conn, which).await
    }

    async fn edited_in_tx(
        _: &DatabaseTransaction,
        before: Option<&Saved<DiceRewards>>,
        edit: &ConfigEdit<DiceEdit>,
        problems: &mut Problems,
    ) -> Result<DiceRewards, DbError> {
        let kept = before.map(|before| &before.config.body);
        let DiceEdit { win, draw, lose } = &edit.body;
        Ok(DiceRewards {
            win: win.applied(kept.map(|kept| &kept.win), "win_", problems),
            draw: draw.applied(kept.map(|kept| &kept.draw), "draw_", problems),
            lose: lose.applied(kept.map(|kept| &kept.lose), "lose_", problems),
        })
    }

    async fn back_to_in_tx(
        _: &DatabaseTransaction,
        _: &Saved<DiceRewards>,
        version: &Past<DiceRewards>,
    ) -> Result<DiceEdit, DbError> {
        let DiceRewards { win, draw, lose } = &version.config.body;
        Ok(DiceEdit {
            win: win.into(),
            draw: draw.into(),
            lose: lose.into(),
        })
    }

    fn labels(_: &DiceRewards) -> Vec<(String, &str)> {
        Vec::new()
    }

    fn check(config: &Config<DiceRewards>, problems: &mut Problems) -> Vec<(String, Reward)> {
        let DiceRewards { win, draw, lose } = &config.body;
        let dice = NewDice {
            name: config.name.clone(),
            max_daily_plays: config.max_daily,
            win: win.checked("win_", problems),
            draw: draw.checked("draw_", problems),
            lose: lose.checked("lose_", problems),
        };
        problems.extend(rules::check(&dice));
        let rewards = [
            ("win_", dice.win),
            ("draw_", dice.draw),
            ("lose_", dice.lose),
        ];
        let rewards = rewards.map(|(prefix, reward)| (prefix.to_owned(), reward));
        rewards.into()
    }

    async fn insert_in_tx(
        tx: &DatabaseTransaction,
        config: &Config<DiceRewards>,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, DbError> {
        store::insert(tx, config, now).await
    }

    async fn update_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<DiceRewards>,
        after: &Config<DiceRewards>,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::update(tx, before.id, after, now).await
    }

    async fn switch_off_in_tx(
        tx: &DatabaseTransaction,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::switch_off(tx, id, now).await
    }

    async fn delete_in_tx(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
        store::delete(tx, id).await
    }
}

impl Dice {
    /// Checks a dice game and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        dice: &NewDice,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        config::insert_in_tx::<Self>(tx, &dice.to_active_config(), now).await
    }
}
