//! What operators configure, as far as all games share it.

mod reward;
mod version;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Select,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use xmas_kernel::{
    ConfigId, Problems,
    audit::{Actor, Area},
    db::DbError,
    paging::{Cursor, Limit, Page},
    text::{self, Kept},
    version::{Seen, Version},
};
use xmas_rewards::Reward;

pub use reward::{RewardConfig, RewardEdit, TwoNames};
pub use version::{ConfigVersion, Past, Restored, SavedBy, StockKept};
pub(crate) use version::{RESTORED_FROM, config};

use crate::{ConfigError, Game, SaveError, check_rewards};

/// A game that operators can configure. Each game has its own tables; when and in which order they
/// are written is the house's (see [`crate::House`]).
#[async_trait]
pub trait Configurable: Game {
    /// What only one operator at a time edits.
    const AREA: Area;
    const ACTIONS: Actions;
    /// What there is to win.
    type Body: Clone + Send + Sync + Serialize + DeserializeOwned;
    /// What an operator changes about it.
    type BodyEdit: Send + Sync + 'static;

    /// Configurations, newest first.
    async fn load<C: ConnectionTrait>(
        conn: &C,
        which: Which,
    ) -> Result<Vec<Saved<Self::Body>>, DbError>;

    /// Locks what plays change, so that what is read next stays so until the edit is committed.
    async fn lock_in_tx(_: &DatabaseTransaction, _: ConfigId) -> Result<(), DbError> {
        Ok(())
    }

    /// What there will be to win after an edit of a configuration, or in a new one.
    async fn edited_in_tx(
        tx: &DatabaseTransaction,
        before: Option<&Saved<Self::Body>>,
        edit: &ConfigEdit<Self::BodyEdit>,
        problems: &mut Problems,
    ) -> Result<Self::Body, DbError>;

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

    /// The labels of what there is to win, and the names of their fields.
    fn labels(body: &Self::Body) -> Vec<(String, &str)>;

    /// What is wrong with a configuration but for its texts, and what it promises: each reward, and what
    /// stands before the names of its fields.
    fn check(config: &Config<Self::Body>, problems: &mut Problems) -> Vec<(String, Reward)>;

    async fn insert_in_tx(
        tx: &DatabaseTransaction,
        config: &Config<Self::Body>,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, DbError>;

    async fn update_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<Self::Body>,
        after: &Config<Self::Body>,
        now: DateTime<Utc>,
    ) -> Result<(), DbError>;

    async fn switch_off_in_tx(
        tx: &DatabaseTransaction,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), DbError>;

    async fn delete_in_tx(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError>;
}

/// Checks a configuration and saves it.
pub(crate) async fn insert_in_tx<G: Configurable>(
    tx: &DatabaseTransaction,
    config: &Config<G::Body>,
    now: DateTime<Utc>,
) -> Result<ConfigId, SaveError> {
    let mut problems = Problems::default();
    check_texts::<G>(config, None, &mut problems);
    let rewards = G::check(config, &mut problems);
    check_rewards(tx, &rewards, &mut problems).await?;
    let problems = problems.into_vec();
    if !problems.is_empty() {
        return Err(SaveError::Invalid(problems));
    }
    Ok(G::insert_in_tx(tx, config, now).await?)
}

/// Notes what is wrong with the name and the labels of a configuration. What stands in the one before is
/// not refused.
pub(crate) fn check_texts<G: Configurable>(
    config: &Config<G::Body>,
    before: Option<&Config<G::Body>>,
    problems: &mut Problems,
) {
    let kept: Kept = before
        .into_iter()
        .flat_map(texts::<G>)
        .map(|(_, text)| text)
        .collect();
    for (field, text) in texts::<G>(config) {
        kept.expect_label(text, field, problems);
    }
}

fn texts<G: Configurable>(config: &Config<G::Body>) -> Vec<(String, &str)> {
    let mut texts = G::labels(&config.body);
    texts.insert(0, ("name".to_owned(), &config.name));
    texts
}

/// What the audit log calls what is done to a game's configurations.
#[derive(Clone, Copy, Debug)]
pub struct Actions {
    /// Before the id: `roulette:3`.
    pub resource: &'static str,
    pub create: &'static str,
    pub update: &'static str,
    /// Another one has been switched on in its place.
    pub switch_off: &'static str,
    /// An earlier version has been put back.
    pub restore: &'static str,
    pub delete: &'static str,
}

/// The configurations of one game for operators. Every change leaves a row in the audit log, and takes
/// effect here at once and within a second everywhere. A play that is under way ends with the table
/// that it was drawn from.
#[async_trait]
pub trait ConfigDesk<G: Configurable>: Send + Sync {
    /// All of them, newest first.
    async fn configs(&self) -> Result<Vec<Saved<G::Body>>, DbError>;

    async fn config(&self, id: ConfigId) -> Result<Saved<G::Body>, ConfigError>;

    async fn create(
        &self,
        actor: &Actor,
        new: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError>;

    /// What is left out stays. Switching one on switches the other one off.
    async fn update(
        &self,
        actor: &Actor,
        id: ConfigId,
        edit: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError>;

    /// Every state in which a configuration was saved, newest first. `before` is the last version of the
    /// page before.
    async fn versions(
        &self,
        id: ConfigId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<ConfigVersion<G::Body>>, ConfigError>;

    /// Puts a version back, as an edit that is checked like any other: its name, its daily limit and what
    /// there is to win. Whether the configuration is switched on stays as it is. A prize that was limited is
    /// limited again, but what was won of it since is not put back.
    async fn restore(
        &self,
        actor: &Actor,
        id: ConfigId,
        version: i64,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Restored<G::Body>, ConfigError>;

    /// Only one that was never played.
    async fn delete(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError>;
}

/// A configuration of a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config<B> {
    pub name: String,
    /// At most one of each game is.
    pub is_active: bool,
    /// How often a player may play on a day; 0 means no limit.
    pub max_daily: i64,
    #[serde(flatten)]
    pub body: B,
}

/// A configuration that is in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved<B> {
    pub id: ConfigId,
    pub config: Config<B>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl<B: Serialize> Saved<B> {
    /// Follows from everything that an operator can edit; of a limited prize also from what is left.
    pub fn version(&self) -> Version {
        Version::of(&self.config)
    }
}

/// What an operator changes about a configuration, or says of a new one. `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ConfigEdit<E> {
    pub name: Option<String>,
    pub is_active: Option<bool>,
    pub max_daily: TwoNames<i64>,
    pub body: E,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

impl<E> ConfigEdit<E> {
    pub(crate) fn applied<B>(
        &self,
        before: Option<&Config<B>>,
        body: B,
        problems: &mut Problems,
    ) -> Config<B> {
        let kept_name = before.map(|before| before.name.as_str());
        let name = self.name.as_deref().or(kept_name).unwrap_or_default();
        let kept = before.map(|before| before.max_daily);
        let max_daily = self.max_daily.settle(kept, "max_daily_plays", problems);
        let was_active = before.is_some_and(|before| before.is_active);
        Config {
            // None is refused as an empty one is.
            name: text::edited(name, kept_name),
            is_active: self.is_active.unwrap_or(was_active),
            max_daily: max_daily.or(kept).unwrap_or(0),
            body,
        }
    }
}

/// What a field is told that a new thing cannot do without.
pub(crate) const REQUIRED: &str = "is required";

/// The highest daily limit, and what a wrong one is told.
pub(crate) const MAX_DAILY: i64 = 1_000_000_000;
pub(crate) const DAILY: &str = "is 0 to 1,000,000,000";

/// Which configurations are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    Active,
    One(ConfigId),
}

impl Which {
    /// As a query, newest first.
    pub(crate) fn select<E: EntityTrait>(self, id: E::Column, is_active: E::Column) -> Select<E> {
        let all = E::find().order_by_desc(id);
        match self {
            Which::All => all,
            Which::Active => all.filter(is_active.eq(true)),
            Which::One(one) => all.filter(id.eq(one.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use xmas_rewards::Reward;

    use super::*;
    use crate::lottery::{Lottery, PrizeConfig, PrizeList};

    fn config(name: &str, labels: &[&str]) -> Config<PrizeList> {
        let prize = |label: &&str| PrizeConfig {
            id: None,
            label: (*label).to_owned(),
            weight: 1,
            stock: None,
            stock_at_edit: None,
            reward: Reward::NONE.into(),
            is_active: true,
        };
        Config {
            name: name.to_owned(),
            is_active: true,
            max_daily: 0,
            body: PrizeList {
                prizes: labels.iter().map(prize).collect(),
            },
        }
    }

    fn fields(after: &Config<PrizeList>, before: Option<&Config<PrizeList>>) -> Vec<String> {
        let mut problems = Problems::default();
        check_texts::<Lottery>(after, before, &mut problems);
        let problems = problems.into_vec().into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn new_texts_keep_the_rules_and_those_that_stand_may_stay() {
        assert_eq!(fields(&config("복권", &["꽝", "1등 🎁"]), None), [""; 0]);
        let bad = config(" ", &["꽝", "\u{3164}", "e\u{301}", " x", ""]);
        let all = [
            "name",
            "prizes.1.label",
            "prizes.2.label",
            "prizes.3.label",
            "prizes.4.label",
        ];
        assert_eq!(fields(&bad, None), all);
        assert_eq!(fields(&bad, Some(&bad)), [""; 0]);
        let old = config("복권", &["\u{3164}"]);
        assert_eq!(fields(&bad, Some(&old)), ["name", all[2], all[3], all[4]]);
    }
}
