//! What operators configure, as far as all games share it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Select,
};
use serde::Serialize;
use xmas_kernel::{
    ConfigId, Problem, Problems,
    audit::{Actor, Area},
    db::DbError,
    version::Version,
};
use xmas_rewards::{Reward, RewardType};

use crate::{ConfigError, Game, SaveError, check_rewards};

/// A game that operators can configure. Each game has its own tables; when and in which order they
/// are written is the house's (see [`crate::House`]).
#[async_trait]
pub trait Configurable: Game {
    /// What only one operator at a time edits.
    const AREA: Area;
    const ACTIONS: Actions;
    /// What there is to win.
    type Body: Clone + Send + Sync + Serialize;
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

    /// What is wrong with a configuration, and what it promises: each reward, and what stands before the
    /// names of its fields.
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
    let rewards = G::check(config, &mut problems);
    check_rewards(tx, &rewards, &mut problems).await?;
    let problems = problems.into_vec();
    if !problems.is_empty() {
        return Err(SaveError::Invalid(problems));
    }
    Ok(G::insert_in_tx(tx, config, now).await?)
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

    /// Only one that was never played.
    async fn delete(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError>;
}

/// A configuration of a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// The version that the operator has seen.
    pub seen: Option<String>,
}

impl<E> ConfigEdit<E> {
    pub(crate) fn applied<B>(
        &self,
        before: Option<&Config<B>>,
        body: B,
        problems: &mut Problems,
    ) -> Config<B> {
        let name = self.name.as_ref().or(before.map(|before| &before.name));
        let kept = before.map(|before| before.max_daily);
        let max_daily = self.max_daily.settle(kept, "max_daily_plays", problems);
        let was_active = before.is_some_and(|before| before.is_active);
        Config {
            // None is refused as an empty one is.
            name: name.cloned().unwrap_or_default(),
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

/// A field that clients know by two names. Either may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TwoNames<T> {
    pub first: Option<T>,
    pub second: Option<T>,
}

impl<T: Copy + PartialEq> TwoNames<T> {
    /// Of a field that has only one name.
    pub fn one(value: Option<T>) -> Self {
        Self {
            first: value,
            second: None,
        }
    }

    /// What is sent, if anything is. A client that sends back all that it has loaded changes the field
    /// under the one name that it knows; so if both are sent, the one that differs from what is kept
    /// counts. Otherwise they must agree.
    pub(crate) fn settle(
        self,
        kept: Option<T>,
        field: impl Into<String>,
        problems: &mut Problems,
    ) -> Option<T> {
        match (self.first, self.second) {
            (Some(first), Some(second)) if first != second => {
                if kept == Some(first) {
                    return Some(second);
                }
                let is_echo = kept == Some(second);
                problems.expect(is_echo, field, "is sent under two names, which differ");
                Some(first)
            }
            (first, second) => first.or(second),
        }
    }
}

/// A reward as configurations keep it, whether or not it can be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RewardConfig {
    pub reward_type: String,
    pub reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    pub reward_item: Option<i64>,
}

impl From<Reward> for RewardConfig {
    fn from(reward: Reward) -> Self {
        Self {
            reward_type: reward.kind().as_str().to_owned(),
            reward_amount: reward.amount(),
            reward_item: reward.item(),
        }
    }
}

impl RewardConfig {
    /// The reward, or what is wrong with it. `prefix` goes before the names of its fields.
    pub(crate) fn reward(&self, prefix: &str) -> Result<Reward, Problem> {
        let problem = |name: &str, text: String| Problem::new(format!("{prefix}{name}"), text);
        let kind: RewardType = self.reward_type.parse().map_err(|_| {
            let known: Vec<&str> = RewardType::ALL
                .into_iter()
                .map(RewardType::as_str)
                .collect();
            problem("reward_type", format!("is one of {}", known.join(", ")))
        })?;
        let reward = Reward::from_parts(kind, self.reward_amount, self.reward_item);
        reward.map_err(|_| match usual_amount(kind) {
            Some(usual) if self.reward_amount != usual => {
                problem("reward_value", format!("is {usual} for {kind}"))
            }
            None if !(1..=Reward::MAX_AMOUNT).contains(&self.reward_amount) => {
                problem("reward_value", format!("is 1 to 1,000,000,000 for {kind}"))
            }
            _ if self.reward_item.is_some() => {
                problem("reward_item", format!("is null for {kind}"))
            }
            _ => problem("reward_item", format!("says which {kind} it is")),
        })
    }

    /// As [`RewardConfig::reward`]; a reward that cannot be given is noted and taken for nothing.
    pub(crate) fn checked(&self, prefix: &str, problems: &mut Problems) -> Reward {
        self.reward(prefix).unwrap_or_else(|problem| {
            problems.push(problem);
            Reward::NONE
        })
    }
}

/// The amount of a type that has only one.
fn usual_amount(kind: RewardType) -> Option<i64> {
    match kind {
        RewardType::None => Some(0),
        RewardType::Bundle | RewardType::Coupon => Some(1),
        RewardType::Point
        | RewardType::TicketRoulette
        | RewardType::TicketDice
        | RewardType::TicketLottery
        | RewardType::CcCoin
        | RewardType::Xp => None,
    }
}

/// What an operator changes about a reward. `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RewardEdit {
    pub reward_type: Option<String>,
    pub reward_amount: TwoNames<i64>,
    /// `Some(None)` names none.
    pub reward_item: Option<Option<i64>>,
}

impl RewardEdit {
    /// The reward after the edit. What it names belongs to its type, and is left behind with it.
    pub(crate) fn applied(
        &self,
        before: Option<&RewardConfig>,
        prefix: &str,
        problems: &mut Problems,
    ) -> RewardConfig {
        let kept_type = before.map(|before| &before.reward_type);
        let Some(reward_type) = self.reward_type.as_ref().or(kept_type) else {
            problems.push(Problem::new(format!("{prefix}reward_type"), REQUIRED));
            return Reward::NONE.into();
        };
        let kind: Option<RewardType> = reward_type.parse().ok();
        let kept = before.map(|before| before.reward_amount);
        let field = format!("{prefix}reward_value");
        let sent = self.reward_amount.settle(kept, field.as_str(), problems);
        let amount = sent.or(kind.and_then(usual_amount)).or(kept);
        if amount.is_none() {
            problems.push(Problem::new(field, REQUIRED));
        }
        let kept_item = before.and_then(|before| before.reward_item);
        let names_an_item = matches!(kind, Some(RewardType::Bundle | RewardType::Coupon));
        let stays = kept_type == Some(reward_type);
        let item = match self.reward_item {
            Some(sent) if stays || names_an_item || sent != kept_item => sent,
            None if stays => kept_item,
            // Of the type that it was before.
            _ => None,
        };
        RewardConfig {
            reward_type: reward_type.clone(),
            // What is missing has been noted, and need not be noted again.
            reward_amount: amount.unwrap_or(1),
            reward_item: item,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(two: TwoNames<i64>, kept: Option<i64>) -> Result<Option<i64>, usize> {
        let mut problems = Problems::default();
        let value = two.settle(kept, "x", &mut problems);
        match problems.into_vec().len() {
            0 => Ok(value),
            count => Err(count),
        }
    }

    fn two(first: Option<i64>, second: Option<i64>) -> TwoNames<i64> {
        TwoNames { first, second }
    }

    #[test]
    fn either_name_will_do_and_an_echo_does_not_count() {
        assert_eq!(settled(two(None, None), Some(5)), Ok(None));
        assert_eq!(settled(two(Some(1), None), Some(5)), Ok(Some(1)));
        assert_eq!(settled(two(None, Some(1)), Some(5)), Ok(Some(1)));
        assert_eq!(settled(two(Some(1), Some(1)), None), Ok(Some(1)));
        assert_eq!(settled(two(Some(1), Some(5)), Some(5)), Ok(Some(1)));
        assert_eq!(settled(two(Some(5), Some(1)), Some(5)), Ok(Some(1)));
        assert_eq!(settled(two(Some(1), Some(2)), Some(5)), Err(1));
        assert_eq!(settled(two(Some(1), Some(2)), None), Err(1));
    }

    fn edit(
        reward_type: Option<&str>,
        amount: Option<i64>,
        item: Option<Option<i64>>,
    ) -> RewardEdit {
        RewardEdit {
            reward_type: reward_type.map(str::to_owned),
            reward_amount: TwoNames::one(amount),
            reward_item: item,
        }
    }

    fn kept(reward_type: &str, reward_amount: i64, reward_item: Option<i64>) -> RewardConfig {
        RewardConfig {
            reward_type: reward_type.to_owned(),
            reward_amount,
            reward_item,
        }
    }

    /// The reward, or the fields that are wrong with it.
    fn after(
        edit: &RewardEdit,
        before: Option<&RewardConfig>,
    ) -> Result<RewardConfig, Vec<String>> {
        let mut problems = Problems::default();
        let after = edit.applied(before, "win_", &mut problems);
        after.checked("win_", &mut problems);
        let fields: Vec<String> = problems.into_vec().into_iter().map(|it| it.field).collect();
        if fields.is_empty() {
            Ok(after)
        } else {
            Err(fields)
        }
    }

    #[test]
    fn a_reward_keeps_what_is_left_out_and_fits_its_type() {
        let (points, bundle) = (kept("POINT", 500, None), kept("BUNDLE", 1, Some(7)));
        let wrong = |fields: &[&str]| Err(fields.iter().map(|it| (*it).to_owned()).collect());
        for (edit, before, expected) in [
            (edit(None, None, None), Some(&bundle), Ok(bundle.clone())),
            (
                edit(None, Some(9), None),
                Some(&points),
                Ok(kept("POINT", 9, None)),
            ),
            (
                edit(Some("CC_COIN"), None, None),
                Some(&points),
                Ok(kept("CC_COIN", 500, None)),
            ),
            (
                edit(Some("NONE"), None, None),
                Some(&points),
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("NONE"), Some(0), None),
                Some(&bundle),
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("NONE"), Some(5), None),
                Some(&points),
                wrong(&["win_reward_value"]),
            ),
            // The old client sends back what it has loaded and does not know.
            (
                edit(Some("POINT"), Some(5), Some(Some(7))),
                Some(&bundle),
                Ok(kept("POINT", 5, None)),
            ),
            (
                edit(Some("POINT"), Some(5), Some(Some(8))),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(Some("COUPON"), None, None),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(Some("COUPON"), None, Some(Some(7))),
                Some(&bundle),
                Ok(kept("COUPON", 1, Some(7))),
            ),
            (
                edit(None, None, Some(None)),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(None, Some(2), None),
                Some(&bundle),
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("POINT"), Some(5), None),
                None,
                Ok(kept("POINT", 5, None)),
            ),
            (
                edit(Some("NONE"), None, None),
                None,
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("POINT"), None, None),
                None,
                wrong(&["win_reward_value"]),
            ),
            (edit(None, Some(5), None), None, wrong(&["win_reward_type"])),
            (
                edit(Some("GOLD"), Some(5), None),
                Some(&points),
                wrong(&["win_reward_type"]),
            ),
            (
                edit(Some("POINT"), Some(i64::MAX), None),
                None,
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("XP"), Some(-1), None),
                None,
                wrong(&["win_reward_value"]),
            ),
        ] {
            assert_eq!(after(&edit, before), expected, "{edit:?}");
        }
    }
}
