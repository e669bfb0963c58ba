use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xmas_kernel::{
    BridgeId,
    db::{Db, DbError},
};
use xmas_players::{Status, key_histogram};
use xmas_rewards::{GrantSource, count_given, given_points};
use xmas_time::EventDay;

use crate::{Bridge, BridgeState, rules};

/// Why a player with keys enough is not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Is paid by the next run.
    NotYet,
    Blocked,
    Inactive,
}

/// What the database says about the settlement of a bridge. It tells of no run: every run that has
/// nothing left to do ends with the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub bridge_id: BridgeId,
    pub state: BridgeState,
    pub settle_on: EventDay,
    pub keys_required: i64,
    /// Players with keys enough, paid or not.
    pub eligible: u64,
    pub paid: u64,
    pub points: i64,
    /// Players with keys enough who are not paid.
    pub unpaid: BTreeMap<Reason, u64>,
    /// Points that the unpaid wait for.
    pub unpaid_points: i64,
    /// Players with some keys, and too few.
    pub too_few_keys: u64,
    /// SHA-256 over the lines `user points` of all who were paid, in ascending id.
    pub digest: String,
}

/// How far a settlement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub bridge_id: BridgeId,
    pub paid: u64,
    /// Players with keys enough whom the next run pays.
    pub waiting: u64,
    /// How long it has been due without having come to its end; also while an operator holds it.
    pub late: Option<TimeDelta>,
}

impl Progress {
    pub(crate) async fn of(db: &Db, bridge: &Bridge, now: DateTime<Utc>) -> Result<Self, DbError> {
        let prefix = rules::grant_prefix(bridge.id);
        let holders = key_histogram(db.read()).await?.into_iter();
        let waiting = holders.filter(|((status, keys), _)| {
            *status == Status::Active && *keys >= bridge.rules.keys_required
        });
        let waiting = waiting.map(|(_, (players, _))| players).sum();
        // After them: whoever is paid meanwhile is counted twice for once, and nobody is missed.
        let paid = count_given(db.read(), GrantSource::Bridge, &prefix).await?;
        Ok(Self {
            bridge_id: bridge.id,
            paid,
            waiting,
            late: rules::lateness(bridge, now),
        })
    }
}

impl Certificate {
    /// Reads every payment of the bridge, one after the other: memory stays flat.
    pub(crate) async fn of(db: &Db, bridge: &Bridge) -> Result<Self, DbError> {
        let (mut paid, mut points, mut hash) = (0, 0, Sha256::new());
        let prefix = rules::grant_prefix(bridge.id);
        let mut given = given_points(db.read(), GrantSource::Bridge, &prefix).await?;
        while let Some((user_id, amount)) = given.try_next().await? {
            hash.update(format!("{user_id} {amount}\n"));
            paid += 1;
            points += amount;
        }
        drop(given);
        let mut certificate = Self {
            bridge_id: bridge.id,
            state: bridge.state,
            settle_on: bridge.rules.settle_on,
            keys_required: bridge.rules.keys_required,
            eligible: paid,
            paid,
            points,
            unpaid: BTreeMap::new(),
            unpaid_points: 0,
            too_few_keys: 0,
            digest: hex::encode(hash.finalize()),
        };
        if bridge.state != BridgeState::Closed {
            certificate.add_holders(db).await?;
        }
        Ok(certificate)
    }

    /// Adds who still holds keys; after closing these belong to nobody or to another bridge.
    async fn add_holders(&mut self, db: &Db) -> Result<(), DbError> {
        for ((status, keys), (players, points)) in key_histogram(db.read()).await? {
            if keys < self.keys_required {
                self.too_few_keys += players;
                continue;
            }
            let reason = match status {
                Status::Active => Reason::NotYet,
                Status::Blocked => Reason::Blocked,
                Status::Inactive => Reason::Inactive,
            };
            *self.unpaid.entry(reason).or_default() += players;
            self.unpaid_points += points;
            self.eligible += players;
        }
        Ok(())
    }
}
