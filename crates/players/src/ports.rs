//! What operators' work on players needs of crates that stand below this one.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{UserId, audit::Actor, db::DbError};
use xmas_time::EventDay;

use crate::{GivenUp, LockedPlayer, Standing};

/// A player who is being anonymised.
#[derive(Debug)]
pub struct Leaving<'a> {
    pub player: &'a LockedPlayer,
    /// The id that is being given up.
    pub external_id: &'a str,
    /// Who anonymises them.
    pub actor: &'a Actor,
}

/// Someone who keeps what tells who a player is, or what waits for one, and can let go of it.
#[async_trait]
pub trait Forgetful: Send + Sync {
    /// Removes what tells who the player is, and ends what waits for them; what they did and were given
    /// stays. Asked twice, nothing more happens.
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        leaving: &Leaving<'_>,
        now: DateTime<Utc>,
    ) -> Result<GivenUp, DbError>;

    /// Called when it is committed: what is kept outside of the database may be from before.
    fn has_forgotten(&self) {}
}

/// Why a password could not be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// As many passwords as may wait are waiting.
    #[error("too many passwords are being hashed")]
    Overloaded,
    #[error("a password could not be hashed")]
    Failed,
}

/// Makes passwords, and what is kept instead of them. It is slow, and never asked inside a
/// transaction.
#[async_trait]
pub trait PasswordMaker: Send + Sync {
    /// A new password that nobody guesses.
    fn generate(&self) -> String;

    async fn hash(&self, password: &str) -> Result<String, HashError>;

    /// The hashes of many passwords, in their order. It waits its turn, and leaves room for logins.
    async fn hash_many(&self, passwords: Vec<String>) -> Result<Vec<String>, HashError>;
}

/// Finds the season in which operators correct XP.
#[async_trait]
pub trait Seasons: Send + Sync {
    /// The season that is served on `today`, whether or not its pages are switched on. `None` if there
    /// is none, or not exactly one that works.
    async fn served(&self, today: EventDay) -> Result<Option<Arc<dyn ServedSeason>>, DbError>;
}

/// A season and its ladder, as they were when they were asked for.
#[async_trait]
pub trait ServedSeason: Send + Sync {
    /// The XP at which a level is reached; `None` if the ladder has no such level.
    fn required_xp(&self, level: i64) -> Option<i64>;

    async fn standing_in_tx(
        &self,
        tx: &DatabaseTransaction,
        user_id: UserId,
    ) -> Result<Standing, DbError>;

    /// Changes the player's XP by `delta`, with a receipt of it. More XP pays the levels that pay by
    /// themselves; less takes back nothing that was paid.
    async fn correct_xp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        delta: i64,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<(), DbError>;
}
