use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, QueryResult, sea_query::SelectStatement};
use serde::de::DeserializeOwned;
use serde_json::json;
use xmas_activity::{ActivityLog, ActivityService, Event, EventKind};
use xmas_cache::Snapshot;
use xmas_features::FeatureService;
use xmas_kernel::{
    Feature, SeasonId, UserId,
    db::{BatchedRead, Db, DbError, EventSeen, Found, retry},
    idempotency::{self, Replayable, RequestKey, retry_keyed},
};
use xmas_players::{
    Entry, Identity, Profile, UncheckedProfile, enter_beside_in_tx, read_beside_many,
};
use xmas_rewards::{Books, RewardService, RewardState, RewardType, codes_to_show};
use xmas_time::EventDay;

use crate::{
    ClaimCommand, InternalWins, LevelReward, NewSeason, Place, Season, SeasonError, SeasonMover,
    SeasonStatus, SeasonWarden, StampCommand, StampResult, participant::Step, rules, store,
};

/// The season pass for handlers: each call is one transaction, or a read.
#[async_trait]
pub trait SeasonPassService: Send + Sync {
    /// Where the player stands; during the grace days, in the season that has ended.
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<SeasonStatus, SeasonError>;

    /// Collects the day's stamp, its XP, and the rewards of every level it reaches.
    async fn stamp(
        &self,
        command: &StampCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<StampResult>, SeasonError>;

    /// Collects the reward of one level that does not pay by itself.
    async fn claim(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError>;

    /// How far the player is from the once-a-season bonus stamp.
    async fn internal_wins(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<InternalWins, SeasonError>;

    /// The last day on which a season's status and claims are served, grace days included; `None`
    /// if there is no such season, or if it is not active.
    async fn served_until(&self, season: SeasonId) -> Result<Option<EventDay>, SeasonError>;

    /// The season in which something that happens on `today` counts; `None` between seasons. The
    /// season pass's own switch closes its pages; plays of other features go on counting, so that
    /// nobody loses XP.
    async fn running(&self, today: EventDay) -> Result<Option<Arc<Season>>, SeasonError>;

    /// The season that is served on `today`, grace days included, whether or not its pages are switched
    /// on: for operators. `None` if there is none, or not exactly one that works.
    async fn served(&self, today: EventDay) -> Result<Option<Arc<Season>>, DbError>;
}

/// [`SeasonPassService`] on the database.
pub struct SeasonPass {
    pub(crate) options: SeasonPassOptions,
    pub(crate) seasons: Snapshot<EventSeen, Arc<[Arc<Season>]>>,
    pub(crate) wardens: Vec<Arc<dyn SeasonWarden>>,
    /// Where players stand who are looking at it just now.
    places: BatchedRead<SeasonId, UserId, (UncheckedProfile, Place)>,
}

/// What the season pass works with.
pub struct SeasonPassOptions {
    pub db: Db,
    pub features: Arc<dyn FeatureService>,
    pub rewards: Arc<dyn RewardService>,
    pub pages: Arc<dyn ActivityService>,
    pub activity: ActivityLog,
    pub mover: SeasonMover,
}

impl SeasonPass {
    pub fn new(options: SeasonPassOptions) -> Self {
        let db = options.db.clone();
        Self {
            options,
            seasons: Snapshot::new(),
            wardens: Vec::new(),
            places: BatchedRead::new(move |season, players| places(db.clone(), season, players)),
        }
    }

    /// Saves a season with its ladder. The caller has checked it with [`rules::check_season`].
    pub async fn insert_in_tx(
        tx: &DatabaseTransaction,
        season: &NewSeason,
        now: DateTime<Utc>,
    ) -> Result<SeasonId, DbError> {
        store::insert_season(tx, season, now).await
    }

    /// Whether any season has ever been saved here.
    pub async fn has_seasons(db: &Db) -> Result<bool, DbError> {
        store::has_seasons(db.read()).await
    }

    async fn seasons(&self) -> Result<Arc<[Arc<Season>]>, DbError> {
        let db = &self.options.db;
        let load = || async {
            let mut seasons = Vec::new();
            for mut season in store::active_seasons(db.read()).await? {
                let rewards = season.rules.levels.iter().map(|level| level.reward);
                let rewards: Vec<_> = rewards.collect();
                season.is_sound &= self.options.rewards.are_deliverable(&rewards).await?;
                seasons.push(Arc::new(season));
            }
            Ok(seasons.into())
        };
        let load = db.load_of_event(db.read(), load);
        self.seasons.get_or_load(db.event(), load).await
    }

    /// The season that is served on `today`, if the season pass is switched on.
    async fn serving(&self, today: EventDay) -> Result<Arc<Season>, SeasonError> {
        self.options
            .features
            .require(Feature::SeasonPass, today)
            .await?;
        rules::serving(&self.seasons().await?, today)
    }

    /// The running season, if this stamp may be collected in it.
    async fn ready_to_stamp(
        &self,
        command: &StampCommand,
        today: EventDay,
    ) -> Result<Arc<Season>, SeasonError> {
        self.options
            .features
            .require(Feature::SeasonPass, today)
            .await?;
        if command.source != Feature::SeasonPass {
            self.options.features.require(command.source, today).await?;
        }
        let season = self
            .running(today)
            .await?
            .ok_or(SeasonError::NoActiveSeason)?;
        let max = season.rules.max_xp_bonus;
        if (0..=max).contains(&command.xp_bonus) {
            Ok(season)
        } else {
            Err(SeasonError::XpBonusOutOfRange {
                max,
                got: command.xp_bonus,
            })
        }
    }

    async fn stamp_once(
        &self,
        command: &StampCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<StampResult>, SeasonError> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let look = || self.ready_to_stamp(command, EventDay::of(now));
        let (_, ready) = self.options.db.look_at_event(look).await?;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        let tx = self.options.db.begin().await?;
        let (player, season, rows) = match enter(&tx, identity, request, ready).await? {
            Entry::Replay(result) => return Ok(Replayable::replayed(result)),
            Entry::Run(player, (season, rows)) => (player, season, rows),
        };
        let place = Place::joined(&rows)?;
        let mut books = Books::open(&tx, &player, &rows, now)?;
        let xp_bonus = command.xp_bonus;
        let mover = &self.options.mover;
        let stamp = mover
            .stamp(&mut books, (&season, &place), command.source, xp_bonus)
            .await?;
        let result = stamp.ok_or(SeasonError::AlreadyStamped)?;
        books.write_in_tx().await?;
        idempotency::store_in_tx(&tx, identity.user_id, request, &result, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(result))
    }

    async fn claim_once(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let ready = self.serving(EventDay::of(now)).await;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        let tx = self.options.db.begin().await?;
        let (player, season, rows) = match enter(&tx, identity, request, ready).await? {
            Entry::Replay(result) => return Ok(Replayable::replayed(result)),
            Entry::Run(player, (season, rows)) => (player, season, rows),
        };
        let level = season
            .level(command.level)
            .ok_or(SeasonError::LevelNotFound)?;
        let place = Place::joined(&rows)?;
        let mut books = Books::open(&tx, &player, &rows, now)?;
        let mover = &self.options.mover;
        // A ladder that was edited may have brought the level within reach.
        let step = Step::default();
        let moved = mover.advance(&mut books, (&season, &place), &step).await?;
        if level.level > moved.progress.level_high_water {
            return Err(SeasonError::LevelNotReached);
        }
        let reward = if level.auto_claim {
            // Made so by an edit, it may have been paid only now; that is not to be undone.
            let mut paid = moved.paid.into_iter();
            let paid = paid.find(|reward| reward.level == level.level);
            paid.ok_or(SeasonError::AutoClaimLevel)?
        } else {
            let reward = mover.pay_level(&mut books, &season, level).await?;
            reward.ok_or(SeasonError::AlreadyClaimed)?
        };
        let event = Event {
            kind: EventKind::SeasonPassClaim,
            feature: Some(Feature::SeasonPass),
            meta: json!({ "season_id": season.id, "level": level.level, "state": reward.state }),
        };
        books.record(&self.options.activity, [event]).await?;
        books.write_in_tx().await?;
        idempotency::store_in_tx(&tx, identity.user_id, request, &reward, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(reward))
    }

    async fn place(
        &self,
        identity: &Identity,
        season: &Season,
    ) -> Result<(Profile, Place), SeasonError> {
        let found = self.places.get(season.id, identity.user_id).await?;
        let (profile, place) = found.unzip();
        let profile = UncheckedProfile::check(profile, identity)?;
        Ok((profile, place.unwrap_or_default()))
    }

    async fn status_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<SeasonStatus, SeasonError> {
        let today = EventDay::of(now);
        let season = self.serving(today).await?;
        let (profile, place) = self.place(identity, &season).await?;
        self.options
            .pages
            .enter_page(identity, Feature::SeasonPass, now)
            .await;
        // The ladder may have been edited since the player's season last moved.
        let progress = rules::gain_xp(&season.rules, &place.progress.unwrap_or_default(), 0);
        Ok(SeasonStatus {
            season,
            progress,
            claimed: place.claimed,
            today,
            account_level: profile.account_level,
        })
    }

    async fn internal_wins_once(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<InternalWins, SeasonError> {
        let season = self.serving(EventDay::of(now)).await?;
        let (_, place) = self.place(identity, &season).await?;
        let total_wins = place.progress.unwrap_or_default().internal_wins;
        let threshold = season.rules.internal_win_threshold;
        Ok(InternalWins {
            total_wins,
            threshold,
            remaining: (threshold - total_wins).max(0),
        })
    }
}

/// Where each of the players stands in a season.
async fn places(
    db: Db,
    season: SeasonId,
    players: Vec<UserId>,
) -> Result<Found<UserId, (UncheckedProfile, Place)>, DbError> {
    let join = |select: &mut SelectStatement| Place::join(select, season);
    read_beside_many(db.read(), &players, join, |profile, row| {
        let place = Place::joined(std::slice::from_ref(row))?;
        Ok((profile, place))
    })
    .await
}

/// Locks the player, with their place in the season and their wallets.
async fn enter<T: DeserializeOwned>(
    tx: &DatabaseTransaction,
    identity: &Identity,
    request: Option<&RequestKey>,
    ready: Result<Arc<Season>, SeasonError>,
) -> Result<Entry<T, (Arc<Season>, Vec<QueryResult>)>, SeasonError> {
    let join = |select: &mut SelectStatement, season: &Arc<Season>| {
        Books::join(select);
        Place::join(select, season.id);
    };
    enter_beside_in_tx(tx, identity, request, ready, join).await
}

/// Adds the codes of coupons that were just delivered, for their winner's eyes. A code that cannot
/// be had now is left out: the reward is theirs, and their history shows it.
pub async fn reveal_coupons(
    rewards: &dyn RewardService,
    user_id: UserId,
    collected: &mut [LevelReward],
) {
    let is_coupon = |reward: &&mut LevelReward| {
        reward.reward_type == RewardType::Coupon && reward.state == RewardState::Delivered
    };
    let mut coupons: Vec<&mut LevelReward> = collected.iter_mut().filter(is_coupon).collect();
    let keys: Vec<String> = coupons
        .iter()
        .map(|coupon| coupon.grant_key.clone())
        .collect();
    let mut codes = codes_to_show(rewards, user_id, &keys).await;
    for coupon in &mut coupons {
        coupon.coupon_code = codes.remove(&coupon.grant_key);
    }
}

#[async_trait]
impl SeasonPassService for SeasonPass {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<SeasonStatus, SeasonError> {
        retry(|| self.status_once(identity, now)).await
    }

    async fn stamp(
        &self,
        command: &StampCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<StampResult>, SeasonError> {
        let mut stamp = retry_keyed(&self.options.db, command.request.as_ref(), || {
            self.stamp_once(command, now)
        })
        .await?;
        let user_id = command.identity.user_id;
        reveal_coupons(&*self.options.rewards, user_id, &mut stamp.result.rewards).await;
        Ok(stamp)
    }

    async fn claim(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError> {
        let mut claim = retry_keyed(&self.options.db, command.request.as_ref(), || {
            self.claim_once(command, now)
        })
        .await?;
        let user_id = command.identity.user_id;
        let claimed = std::slice::from_mut(&mut claim.result);
        reveal_coupons(&*self.options.rewards, user_id, claimed).await;
        Ok(claim)
    }

    async fn internal_wins(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<InternalWins, SeasonError> {
        retry(|| self.internal_wins_once(identity, now)).await
    }

    async fn served_until(&self, season: SeasonId) -> Result<Option<EventDay>, SeasonError> {
        Ok(rules::served_until(&self.seasons().await?, season))
    }

    async fn running(&self, today: EventDay) -> Result<Option<Arc<Season>>, SeasonError> {
        rules::running(&self.seasons().await?, today)
    }

    async fn served(&self, today: EventDay) -> Result<Option<Arc<Season>>, DbError> {
        Ok(rules::serving(&self.seasons().await?, today).ok())
    }
}
