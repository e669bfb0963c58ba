use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    Asset, RewardId, UserId,
    version::{Seen, Version},
};

use crate::{ExternalId, Nickname, Password, Role, Status};

/// Where a player stands in the season that is served today: 0 in everything without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub xp: i64,
    /// Follows from the XP and the ladder as it is now.
    pub level: i64,
}

/// An account as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerRecord {
    pub user_id: UserId,
    pub external_id: String,
    pub nickname: Option<String>,
    pub role: Role,
    pub status: Status,
    pub account_level: i64,
    pub standing: Standing,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
}

/// What an operator can edit of an account, and the audit log tells of. Passwords are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Editable<'a> {
    pub(crate) external_id: &'a str,
    pub(crate) nickname: Option<&'a str>,
    pub(crate) status: Status,
    pub(crate) xp: i64,
}

impl PlayerRecord {
    /// Follows from everything that an operator can edit, and so also from XP that the player earns.
    pub fn version(&self) -> Version {
        Version::of(&self.editable())
    }

    pub(crate) fn editable(&self) -> Editable<'_> {
        Editable {
            external_id: &self.external_id,
            nickname: self.nickname.as_deref(),
            status: self.status,
            xp: self.standing.xp,
        }
    }
}

/// What an operator says about a player's season. Clients send back what they loaded, so most of it
/// is an echo (docs/contract.md, "Edits"); `rules::wanted_xp` tells them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeasonWish {
    pub xp: Option<i64>,
    pub level: Option<i64>,
    /// Another name of the same.
    pub season_level: Option<i64>,
}

/// What becomes of the password.
#[derive(Clone, Debug, Default)]
pub enum PasswordWish {
    #[default]
    Keep,
    Set(Password),
    /// Makes one up, which is shown once.
    Generate,
}

/// A player to be created.
#[derive(Clone, Debug)]
pub struct NewPlayer {
    pub external_id: ExternalId,
    pub nickname: Option<Nickname>,
    /// `None` to have one made up.
    pub password: Option<Password>,
    pub status: Status,
    pub season: SeasonWish,
}

/// What an operator changes about an account; what is `None` stays as it is. Clients send names back as
/// they loaded them, so that only one that differs has to keep the rules.
#[derive(Clone, Debug, Default)]
pub struct PlayerEdit {
    pub external_id: Option<String>,
    /// `Some(None)` takes it away.
    pub nickname: Option<Option<String>>,
    pub password: PasswordWish,
    pub status: Option<Status>,
    pub season: SeasonWish,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

/// What a player who is anonymised will never have. Of rewards only what this time has ended; keys and balances
/// as they stand, so that they are told again to whoever asks again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Rewards that waited for an admin, and were refused because of it.
    pub rewards: Vec<RewardId>,
    /// The points among them.
    pub reward_points: i64,
    /// Keys of the bridge that were never settled, and are taken when it is closed; and their points.
    pub keys: i64,
    pub key_points: i64,
    /// What the wallet holds and nobody can spend or pay out any more; nothing of which it holds none.
    pub balances: BTreeMap<Asset, i64>,
}

impl GivenUp {
    /// This and what somebody else kept.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.rewards.extend(other.rewards);
        self.reward_points += other.reward_points;
        self.keys += other.keys;
        self.key_points += other.key_points;
        self.balances.extend(other.balances);
        self
    }
}

/// What is left of a player.
#[derive(Clone, Debug)]
pub struct Anonymised {
    pub record: PlayerRecord,
    pub given_up: GivenUp,
}

/// An account after a change.
#[derive(Clone, Debug)]
pub struct SavedPlayer {
    pub record: PlayerRecord,
    /// A password that was made up. It is kept nowhere.
    pub generated_password: Option<String>,
}
