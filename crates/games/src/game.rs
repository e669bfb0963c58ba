//! What a game is: everything that is particular to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, PrimaryKeyTrait};
use serde::{Serialize, de::DeserializeOwned};
use xmas_kernel::{
    Asset, ConfigId, ErrorCode, Feature, Problems,
    audit::Area,
    db::{Constraint, DbError},
};
use xmas_rewards::Reward;

use crate::{
    config::{Actions, Config, ConfigEdit, ConfigTable, Past, Saved, StockKept},
    odds::{Entry, Odds},
};

/// The rules of one game of chance: what it is called, how it is drawn, what operators configure, and how
/// that is stored. Everything else is the same for all games: see [`crate::Engine`].
#[async_trait]
pub trait Game: Send + Sync + Sized + 'static {
    // Names.

    const FEATURE: Feature;
    /// What a play costs one of.
    const TOKEN: Asset;
    /// What only one operator at a time edits.
    const AREA: Area;
    /// What the audit log calls what operators do.
    const ACTIONS: Actions;
    /// At most one configuration is active.
    const ONE_ACTIVE: Constraint;
    /// No configuration is active, or the active one breaks the game's rules.
    const INVALID_CONFIG: ErrorCode;
    /// There is no configuration with an id.
    const CONFIG_NOT_FOUND: ErrorCode;
    /// What [`Game::check`] finds, besides fields that are wrong by themselves.
    const CHECK_CODES: &'static [ErrorCode];

    // Playing.

    /// What players see of the configuration.
    type Menu: Clone + Debug + Send + Sync;
    /// What a draw brings, as players see it and as the log keeps it. Lists of plays show its field `label`, or
    /// else `outcome`.
    type Outcome: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;

    /// A configuration as it is played; `None` if it breaks the game's rules. Whether bundles and coupons
    /// that it promises exist is for the engine to find out.
    fn playable(saved: Saved<Self::Body>) -> Option<ActiveConfig<Self>>;

    /// The entry that a number below the sum of the weights means.
    fn entry_at(odds: &Odds, number: u64) -> &Entry {
        odds.entry_at(number)
    }

    /// What is shown of an entry of the menu's odds that a number has brought.
    fn outcome(menu: &Self::Menu, entry: &Entry, number: u64) -> Self::Outcome;

    /// Whether an outcome shows what this entry and number bring: the offline check of a receipt.
    fn agrees(outcome: &Self::Outcome, entry: &Entry, number: u64) -> bool;

    /// Whether a play that brought this entry is won.
    fn is_win(_: &Entry, reward: Reward) -> bool {
        reward.is_win()
    }

    /// Takes one of an entry's stock; `false` if nothing is left. The last statement before commit,
    /// since its lock lasts until then; only for entries that [`ActiveConfig::stock`] names.
    async fn take_in_tx(_: &DatabaseTransaction, entry: i64) -> Result<bool, DbError> {
        Err(DbError::Corrupt(format!("entry {entry} has no stock")))
    }

    // Configuring.

    /// What there is to win, as operators see it and as the audit log keeps it.
    type Body: Clone + Send + Sync + Serialize + DeserializeOwned;
    /// What an operator changes about it.
    type BodyEdit: Default + Send + Sync + 'static;

    /// Locks what plays change, so that what is read next stays so until the edit is committed.
    async fn lock_in_tx(_: &DatabaseTransaction, _: ConfigId) -> Result<(), DbError> {
        Ok(())
    }

    /// What there will be to win after an edit of a configuration, or in a new one. `drawn` are the entries that it
    /// leaves out and that have come up ([`Game::drawn_in_tx`]).
    fn edited(
        before: Option<&Saved<Self::Body>>,
        edit: &ConfigEdit<Self::BodyEdit>,
        drawn: &BTreeSet<i64>,
        problems: &mut Problems,
    ) -> Self::Body;

    /// Which of the entries that an edit leaves out have come up, where that makes a difference.
    async fn drawn_in_tx(
        _: &DatabaseTransaction,
        _before: &Saved<Self::Body>,
        _: &ConfigEdit<Self::BodyEdit>,
    ) -> Result<BTreeSet<i64>, DbError> {
        Ok(BTreeSet::new())
    }

    /// The edit that brings back what there was to win. What plays have taken stays taken.
    async fn back_to_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<Self::Body>,
        version: &Past<Self::Body>,
    ) -> Result<Self::BodyEdit, DbError>;

    /// Of which prizes the version had another number left than there is now.
    fn stock_kept(_version: &Self::Body, _now: &Self::Body) -> Vec<StockKept> {
        Vec::new()
    }

    /// Gives what a planned configuration adds the ids that it will have: its odds are announced with them.
    async fn number_in_tx(
        _: &DatabaseTransaction,
        _: ConfigId,
        _: &mut Self::Body,
    ) -> Result<(), DbError> {
        Ok(())
    }

    /// Leaves the stock of what stays in a planned configuration to plays until it takes over, and returns the
    /// fields by which it was to become another one.
    fn keep_stock(_before: &Self::Body, _planned: &mut Self::Body) -> Vec<String> {
        Vec::new()
    }

    /// The field by which an edit takes away what a planned configuration keeps, if it does: what was removed would come
    /// back with a stock of long ago, and what nothing is left of would not come at all.
    fn taken_away(_: &Self::Body, _after: &Self::Body, _planned: &Self::Body) -> Option<String> {
        None
    }

    /// What there is to win once a planned configuration takes over from what is there then. Whoever played before may
    /// still win what was there before.
    fn taken_over(_before: &Self::Body, planned: Self::Body, _: &mut Problems) -> Self::Body {
        planned
    }

    /// The labels of what there is to win, and the names of their fields.
    fn labels(body: &Self::Body) -> Vec<(String, &str)>;

    /// What is wrong with a configuration but for its texts, and what it promises: each reward, and what
    /// stands before the names of its fields.
    fn check(config: &Config<Self::Body>, problems: &mut Problems) -> Vec<(String, Reward)>;

    // Storing.

    /// The table of its configurations.
    type Table: ConfigTable<PrimaryKey: PrimaryKeyTrait<ValueType = i64>>;

    /// What there is to win in each of these configurations, in their order.
    async fn bodies<C: ConnectionTrait>(
        conn: &C,
        rows: Vec<<Self::Table as EntityTrait>::Model>,
    ) -> Result<Vec<Self::Body>, DbError>;

    /// What there is to win, as far as it stands in the row of the configuration itself.
    fn own_columns(body: &Self::Body) -> <Self::Table as EntityTrait>::ActiveModel;

    /// Writes what there is to win, as far as it stands in tables of its own.
    async fn insert_body_in_tx(
        _: &DatabaseTransaction,
        _: ConfigId,
        _: &Self::Body,
    ) -> Result<(), DbError> {
        Ok(())
    }

    /// As [`Game::insert_body_in_tx`], after an edit.
    async fn update_body_in_tx(
        _: &DatabaseTransaction,
        _before: &Saved<Self::Body>,
        _after: &Self::Body,
    ) -> Result<(), DbError> {
        Ok(())
    }

    /// Deletes what stands in tables of its own.
    async fn delete_body_in_tx(_: &DatabaseTransaction, _: ConfigId) -> Result<(), DbError> {
        Ok(())
    }
}

/// The active configuration of a game that can be played.
#[derive(Clone, Debug)]
pub struct ActiveConfig<G: Game> {
    pub config_id: ConfigId,
    pub name: String,
    /// 0 means no limit.
    pub max_daily: i64,
    pub menu: G::Menu,
    /// Everything that takes part, whether or not anything is left of it.
    pub table: Odds,
    /// What is left of the entries that are limited, by their id.
    pub stock: BTreeMap<i64, i64>,
    /// How many there have been of them in all, as far as that is known.
    pub supplied: BTreeMap<i64, i64>,
}

impl<G: Game> ActiveConfig<G> {
    /// What is drawn from: the table without what has run out; `None` if nothing is left that can come up.
    pub fn left(&self) -> Option<Odds> {
        let is_left = |entry: &Entry| self.stock.get(&entry.id).is_none_or(|left| *left > 0);
        self.table.keeping(is_left).ok()
    }
}

/// What is known of a game where only its [`Feature`] is.
#[derive(Clone, Copy, Debug)]
pub struct GameEntry {
    pub feature: Feature,
    /// [`Game::INVALID_CONFIG`].
    pub invalid_config: ErrorCode,
    /// [`Game::CONFIG_NOT_FOUND`].
    pub config_not_found: ErrorCode,
    /// [`Game::CHECK_CODES`].
    pub check_codes: &'static [ErrorCode],
    /// [`Game::entry_at`].
    pub(crate) entry_at: fn(&Odds, u64) -> &Entry,
    /// [`Game::agrees`], with the outcome as JSON text.
    pub(crate) agrees: fn(&str, &Entry, u64) -> bool,
}

impl GameEntry {
    pub(crate) const fn of<G: Game>() -> Self {
        Self {
            feature: G::FEATURE,
            invalid_config: G::INVALID_CONFIG,
            config_not_found: G::CONFIG_NOT_FOUND,
            check_codes: G::CHECK_CODES,
            entry_at: G::entry_at,
            agrees: agrees::<G>,
        }
    }
}

fn agrees<G: Game>(outcome: &str, entry: &Entry, number: u64) -> bool {
    serde_json::from_str(outcome).is_ok_and(|outcome| G::agrees(&outcome, entry, number))
}
