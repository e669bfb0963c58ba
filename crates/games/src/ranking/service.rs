use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_activity::ActivityService;
use xmas_cache::Cache;
use xmas_features::FeatureService;
use xmas_kernel::{
    Feature, UserId,
    db::{Db, DbError, retry},
    text,
};
use xmas_players::{Identity, anonymised_among, check, public_names};
use xmas_time::EventDay;

use super::{
    ExternalEntry, NewExternalEntry, NewRankingEntry, RankingEntry, RankingToday,
    boards::{BoardCopies, DayPlace, ExternalPlace},
    store,
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
    pub(super) copies: BoardCopies,
    features: Arc<dyn FeatureService>,
    pages: Arc<dyn ActivityService>,
}

impl Ranking {
    /// How many places of the external board operators see in one piece.
    pub const BOARD: u64 = 10_000;

    pub fn new(
        db: Db,
        features: Arc<dyn FeatureService>,
        pages: Arc<dyn ActivityService>,
        cache: Arc<dyn Cache>,
    ) -> Self {
        Self {
            db,
            copies: BoardCopies::new(cache),
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
        let boards = self.copies.get(&self.db, now).await?;
        // Whoever is on a board has the rank they see there, whatever is saved in between.
        let among = boards.daily.iter().find(|it| it.user_id == Some(me));
        let mine = match among {
            Some(place) => Some(place.clone()),
            None => store::place_of(db, day, me).await?.map(DayPlace::from),
        };
        let among = boards.external.iter().find(|it| it.user_id == me);
        let my_external = match among {
            Some(place) => Some(place.clone()),
            None => {
                let place = store::external_place_of(db, me).await?;
                place.map(ExternalPlace::from)
            }
        };
        let top = usize::try_from(top).unwrap_or(usize::MAX);
        let daily = boards.daily.iter().take(top);
        let external = boards.external.iter().take(top);
        let on_daily = daily.clone().chain(&mine);
        let on_external = external.clone().chain(&my_external);
        let names = Names::of(db, on_daily, on_external).await?;
        self.pages.enter_page(identity, Feature::Ranking, now).await;
        let entry = |place: &DayPlace| RankingEntry {
            rank: place.rank,
            display_name: names.on_daily(place),
            score: place.score,
            is_me: place.user_id == Some(me),
        };
        let external_entry = |place: &ExternalPlace| ExternalEntry {
            rank: place.rank,
            user_id: place.user_id,
            user_name: names.public_of(place.user_id),
            deposit_amount: place.deposit_amount,
            play_count: place.play_count,
        };
        Ok(RankingToday {
            day,
            entries: daily.map(entry).collect(),
            my_entry: mine.as_ref().map(entry),
            external_entries: external.map(external_entry).collect(),
            my_external_entry: my_external.as_ref().map(external_entry),
        })
    }
}

/// What the players on the boards are called now, which no copy of a board says.
struct Names {
    public: HashMap<UserId, String>,
    anonymised: HashSet<UserId>,
}

impl Names {
    async fn of(
        conn: &impl ConnectionTrait,
        on_daily: impl Iterator<Item = &DayPlace> + Clone,
        on_external: impl Iterator<Item = &ExternalPlace>,
    ) -> Result<Self, DbError> {
        let named = on_daily
            .clone()
            .filter(|place| text::is_seen(&place.display_name));
        let named: Vec<UserId> = named.filter_map(|place| place.user_id).collect();
        let players = on_daily.filter_map(|place| place.user_id);
        let players = players.chain(on_external.map(|place| place.user_id));
        Ok(Self {
            anonymised: anonymised_among(conn, &named).await?,
            public: public_names(conn, players).await?,
        })
    }

    fn public_of(&self, player: UserId) -> String {
        self.public.get(&player).cloned().unwrap_or_default()
    }

    /// What operators have entered, else the player's public name. A copy may be from before its player was
    /// anonymised, and names from before the rules of today may have nothing to see.
    fn on_daily(&self, place: &DayPlace) -> String {
        let entered = &place.display_name;
        let player = place
            .user_id
            .filter(|player| !text::is_seen(entered) || self.anonymised.contains(player));
        let public = player.and_then(|player| self.public.get(&player));
        public.unwrap_or(entered).clone()
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
