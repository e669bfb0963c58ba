//! The dice game: two dice each, the higher sum wins, one token a play.

mod model;
pub mod rules;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    Asset, ConfigId, ErrorCode, Feature, Problems,
    audit::Area,
    db::{Constraint, DbError},
};
use xmas_rewards::Reward;

use crate::{
    ActiveConfig, Game, SaveError,
    config::{Actions, Config, ConfigEdit, Past, Saved, insert_in_tx},
    odds::{Entry, Odds},
};
use store::entity::{ActiveModel, Entity, Model};

pub use model::{DiceEdit, DiceGame, DiceOutcome, DiceRewards, NewDice, Throw};

/// The rules of the dice game.
#[derive(Clone, Copy, Debug)]
pub struct Dice;

#[async_trait]
impl Game for Dice {
    // Names.

    const FEATURE: Feature = Feature::Dice;
    const TOKEN: Asset = Asset::DiceToken;
    const AREA: Area = Area::new("DICE");
    const ACTIONS: Actions = Actions {
        resource: "dice",
        create: "DICE_CREATE",
        update: "DICE_UPDATE",
        switch_off: "DICE_SWITCH_OFF",
        restore: "DICE_RESTORE",
        delete: "DICE_DELETE",
        plan: "DICE_PLAN",
        withdraw: "DICE_PLAN_WITHDRAW",
        take_over: "DICE_TAKE_OVER",
        refuse: "DICE_PLAN_REFUSE",
    };
    const ONE_ACTIVE: Constraint =
        Constraint::new("uq_dice_active", "dice_config", &["active_slot"]);
    const INVALID_CONFIG: ErrorCode = ErrorCode::InvalidDiceConfig;
    const CONFIG_NOT_FOUND: ErrorCode = ErrorCode::DiceConfigNotFound;
    const CHECK_CODES: &'static [ErrorCode] = &[ErrorCode::InvalidMaxDailyPlays];

    // Playing.

    /// Everybody knows what dice look like.
    type Menu = ();
    type Outcome = DiceGame;

    fn playable(saved: Saved<DiceRewards>) -> Option<ActiveConfig<Self>> {
        let DiceRewards { win, draw, lose } = saved.config.body;
        let dice = NewDice {
            name: saved.config.name,
            max_daily_plays: saved.config.max_daily,
            win: win.reward("").ok()?,
            draw: draw.reward("").ok()?,
            lose: lose.reward("").ok()?,
        };
        Some(ActiveConfig {
            config_id: saved.id,
            table: rules::odds(saved.id, &dice).ok()?,
            name: dice.name,
            max_daily: dice.max_daily_plays,
            menu: (),
            stock: BTreeMap::new(),
            supplied: BTreeMap::new(),
        })
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

    // Configuring.

    type Body = DiceRewards;
    type BodyEdit = DiceEdit;

    fn edited(
        before: Option<&Saved<DiceRewards>>,
        edit: &ConfigEdit<DiceEdit>,
        _: &BTreeSet<i64>,
        problems: &mut Problems,
    ) -> DiceRewards {
        let kept = before.map(|before| &before.config.body);
        let DiceEdit { win, draw, lose } = &edit.body;
        DiceRewards {
            win: win.applied(kept.map(|kept| &kept.win), "win_", problems),
            draw: draw.applied(kept.map(|kept| &kept.draw), "draw_", problems),
            lose: lose.applied(kept.map(|kept| &kept.lose), "lose_", problems),
        }
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

    // Storing.

    type Table = Entity;

    async fn bodies<C: ConnectionTrait>(
        _: &C,
        rows: Vec<Model>,
    ) -> Result<Vec<DiceRewards>, DbError> {
        Ok(rows.into_iter().map(store::rewards).collect())
    }

    fn own_columns(rewards: &DiceRewards) -> ActiveModel {
        store::own_columns(rewards)
    }
}

impl Dice {
    /// Checks a dice game and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        dice: &NewDice,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        insert_in_tx::<Self>(tx, &dice.to_active_config(), now).await
    }
}
