//! What a configuration is, and an edit of one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    ConfigId, Problem, Problems, text,
    version::{Seen, Version},
};

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
    /// It has been announced that one takes over at an instant.
    pub plan: &'static str,
    /// What was announced will not be.
    pub withdraw: &'static str,
    /// What was announced has come.
    pub take_over: &'static str,
    /// What was announced could not be saved when its instant came.
    pub refuse: &'static str,
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
    pub max_daily: Option<i64>,
    pub body: E,
    /// What the operator has seen.
    pub seen: Option<Seen>,
    /// What could not be read as an edit. It is refused with whatever else is wrong.
    pub problems: Vec<Problem>,
}

/// What an operator says about a configuration, given the configuration as it is.
pub type ConfigEditor<'a, B, E> = dyn Fn(&Config<B>) -> ConfigEdit<E> + Send + Sync + 'a;

impl<E> ConfigEdit<E> {
    pub(crate) fn applied<B>(
        &self,
        before: Option<&Config<B>>,
        body: B,
        problems: &mut Problems,
    ) -> Config<B> {
        let kept_name = before.map(|before| before.name.as_str());
        let name = self.name.as_deref().or(kept_name).unwrap_or_default();
        let kept_daily = before.map(|before| before.max_daily);
        problems.extend(self.problems.clone());
        let was_active = before.is_some_and(|before| before.is_active);
        Config {
            // None is refused as an empty one is.
            name: text::edited(name, kept_name),
            is_active: self.is_active.unwrap_or(was_active),
            max_daily: self.max_daily.or(kept_daily).unwrap_or(0),
            body,
        }
    }
}
