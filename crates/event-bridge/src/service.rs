use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, sea_query::SelectStatement};
use xmas_kernel::{
    BridgeId, SeasonId, UserId,
    db::{BatchedRead, Db, DbError, Found, retry},
};
use xmas_players::{KeyStanding, read_beside_many};
use xmas_rewards::has_grant;
use xmas_season_pass::{join_keys, joined_keys};
use xmas_time::EventDay;

use crate::{Bridge, BridgeError, BridgeStatus, KeyAwarder, NewBridge, rules, store};

/// The bridge for handlers.
#[async_trait]
pub trait BridgeService: Send + Sync {
    /// How far a player is on the bridge of a season; `None` before its first day, or if the season
    /// has none. The caller has checked the player, and that the season is served today.
    async fn status(
        &self,
        user_id: UserId,
        season: SeasonId,
        now: DateTime<Utc>,
    ) -> Result<Option<BridgeStatus>, BridgeError>;
}

/// [`BridgeService`] on the database.
pub struct Bridges {
    db: Db,
    awarder: KeyAwarder,
    /// The keys of players who are looking at them just now.
    keys: BatchedRead<SeasonId, UserId, Keys>,
}

/// What a player has collected, and the keys by their names.
type Keys = (KeyStanding, BTreeSet<String>);

impl Bridges {
    /// Shares its copy of the bridges with the awarder, so that an edit drops both.
    pub fn new(db: Db, awarder: &KeyAwarder) -> Self {
        let read = db.clone();
        Self {
            db,
            awarder: awarder.clone(),
            keys: BatchedRead::new(move |season, players| keys(read.clone(), season, players)),
        }
    }

    /// Checks a bridge and saves it as open. `season` is its season's first and last day.
    pub async fn insert_in_tx(
        tx: &DatabaseTransaction,
        bridge: &NewBridge,
        season: (EventDay, EventDay),
        now: DateTime<Utc>,
    ) -> Result<BridgeId, BridgeError> {
        let problems = rules::check(bridge, season);
        if !problems.is_empty() {
            return Err(BridgeError::Invalid(problems));
        }
        store::insert(tx, bridge, now).await
    }

    async fn status_once(
        &self,
        user_id: UserId,
        season: SeasonId,
        now: DateTime<Utc>,
    ) -> Result<Option<BridgeStatus>, BridgeError> {
        let today = EventDay::of(now);
        let bridges = self.awarder.bridges(self.db.read()).await?;
        let own = bridges
            .iter()
            .find(|bridge| bridge.rules.season_id == season);
        let has_begun = |bridge: &&Bridge| {
            let first = bridge.rules.days.first();
            first.is_some_and(|first| first.day <= today)
        };
        let Some(bridge) = own.filter(has_begun) else {
            return Ok(None);
        };
        let found = self.keys.get(season, user_id).await?;
        let (standing, collected) = found.unwrap_or_default();
        // Before its day nobody has been paid, and nobody needs to ask.
        let may_be_settled = today >= bridge.rules.settle_on;
        let grant_key = rules::grant_key(bridge.id, user_id);
        Ok(Some(BridgeStatus {
            slots: rules::slots(&bridge.rules.days, &collected, today),
            keys_required: bridge.rules.keys_required,
            pending_points: standing.pending_points,
            settles_on: bridge.rules.settle_on,
            settled: may_be_settled && has_grant(self.db.read(), &grant_key).await?,
        }))
    }
}

/// What each of the players has collected in a season.
async fn keys(
    db: Db,
    season: SeasonId,
    players: Vec<UserId>,
) -> Result<Found<UserId, Keys>, DbError> {
    let join = |select: &mut SelectStatement| join_keys(select, season);
    read_beside_many(db.read(), &players, join, |profile, row| {
        Ok((KeyStanding::of(&profile), joined_keys(row)?))
    })
    .await
}

#[async_trait]
impl BridgeService for Bridges {
    async fn status(
        &self,
        user_id: UserId,
        season: SeasonId,
        now: DateTime<Utc>,
    ) -> Result<Option<BridgeStatus>, BridgeError> {
        retry(|| self.status_once(user_id, season, now)).await
    }
}
