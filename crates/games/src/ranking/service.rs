use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_activity::ActivityService;
use xmas_features::FeatureService;
use xmas_kernel::{
    Feature, UserId,
    db::{Db, DbError, retry},
    text,
};
use xmas_players::{Identity, check, public_names};
use xmas_time::EventDay;

use super::{
    ExternalEntry, NewExternalEntry, NewRankingEntry, RankingEntry, RankingToday,
    entity::daily,
    store::{self, Board, Ranked},
};
use crate::GameError;

/// The ranking for players.
#[async_trait]
pub trait RankingService: Send + Sync {
    /// Today's boards: the first `top` (1 to 100) places of each, and the player's own place
    /// wherever it is. The day's first look is noted as a page view.
    async fn today(
        &self,
        identity: &Identity,
        top: u64,
        now: DateTime<Utc>,
    ) -> Result<RankingToday, GameError>;
}

/// [`RankingService`] on the database. What operators do with the boards is in `desk.rs`.
pub struct Ranking {
    pub(super) db: Db,
    features: Arc<dyn FeatureService>,
    pages: Arc<dyn ActivityService>,
}

impl Ranking {
    /// How many places of the external board operators see in one piece.
    pub const BOARD: u64 = 10_000;

    pub fn new(db: Db, features: Arc<dyn FeatureService>, pages: Arc<dyn ActivityService>) -> Self {
        Self {
            db,
            features,
            pages,
        }
    }

    /// Makes `rows` the whole board of a day; without rows it is empty. The caller has checked them:
    /// no place and no player is there twice.
    pub async fn replace_day_in_tx(
        tx: &DatabaseTransaction,
        day: EventDay,
        rows: &[NewRankingEntry],
    ) -> Result<(), DbError> {
        store::replace_day(tx, day, rows).await
    }

    /// Saves what players did elsewhere, in place of what was saved for the same players before;
    /// other players' rows stay. The caller has checked the rows: no player is there twice.
    pub async fn upsert_external_in_tx(
        tx: &DatabaseTransaction,
        rows: &[NewExternalEntry],
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::upsert_external(tx, rows, now).await
    }

    async fn today_once(
        &self,
        identity: &Identity,
        top: u64,
        now: DateTime<Utc>,
    ) -> Result<RankingToday, GameError> {
        let (me, day) = (identity.user_id, EventDay::of(now));
        self.features.require(Feature::Ranking, day).await?;
        let db = self.db.read();
        check(db, identity).await?;
        let daily = store::daily(db, day, me, top).await?;
        let external = store::external(db, me, top).await?;
        let names = public_names(db, named_by_their_players(&daily, &external)).await?;
        self.pages.enter_page(identity, Feature::Ranking, now).await;
        let entry = |row| entry(row, me, &names);
        let external_entry = |ranked| external_entry(ranked, &names);
        Ok(RankingToday {
            day,
            entries: daily.top.into_iter().map(entry).collect(),
            my_entry: daily.mine.map(entry),
            external_entries: external.top.into_iter().map(external_entry).collect(),
            my_external_entry: external.mine.map(external_entry),
        })
    }
}

/// Whose public names the boards show: on the external board everybody's, on the day's board only
/// of those whom the operator has given no other name.
fn named_by_their_players(daily: &Board<daily::Model>, external: &Board<Ranked>) -> Vec<UserId> {
    let daily = daily.top.iter().chain(&daily.mine);
    let daily = daily
        .filter(|row| !text::is_seen(&row.display_name))
        .filter_map(|row| row.user_id);
    let external = external.top.iter().chain(&external.mine);
    let external = external.map(|(_, row)| row.user_id);
    daily.chain(external).map(UserId).collect()
}

fn entry(row: daily::Model, me: UserId, names: &HashMap<UserId, String>) -> RankingEntry {
    let user_id = row.user_id.map(UserId);
    let public_name = user_id.and_then(|user_id| names.get(&user_id)).cloned();
    // Names from before the rules of today may have nothing to see.
    let display_name = match public_name {
        Some(public) if !text::is_seen(&row.display_name) => public,
        _ => row.display_name,
    };
    RankingEntry {
        rank: row.place,
        display_name,
        score: row.score,
        is_me: user_id == Some(me),
    }
}

fn external_entry((rank, row): Ranked, names: &HashMap<UserId, String>) -> ExternalEntry {
    let user_id = UserId(row.user_id);
    ExternalEntry {
        rank,
        user_id,
        user_name: names.get(&user_id).cloned().unwrap_or_default(),
        deposit_amount: row.deposit_amount,
        play_count: row.play_count,
    }
}

#[async_trait]
impl RankingService for Ranking {
    async fn today(
        &self,
        identity: &Identity,
        top: u64,
        now: DateTime<Utc>,
    ) -> Result<RankingToday, GameError> {
        retry(|| self.today_once(identity, top, now)).await
    }
}
