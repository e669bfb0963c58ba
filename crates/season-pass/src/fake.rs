//! An in-memory [`SeasonPassService`] for crates that build on this one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_features::FeatureService;
use xmas_kernel::{
    Feature, SeasonId, UserId,
    db::DbError,
    idempotency::{FakeAnswers, Replayable},
};
use xmas_players::Identity;
use xmas_rewards::{Grant, GrantSource, decide};
use xmas_time::{EventDay, Kst};

use crate::{
    ClaimCommand, InternalWins, Level, LevelReward, NewSeason, Progress, Season, SeasonError,
    SeasonPassService, SeasonStatus, StampCommand, StampResult, rules,
};

/// Keeps progress by the same rules, and hands out rewards without delivering them anywhere. Every
/// identity may act.
pub struct FakeSeasonPass {
    features: Arc<dyn FeatureService>,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    seasons: Vec<Arc<Season>>,
    progress: HashMap<(UserId, SeasonId), (Progress, BTreeSet<i64>)>,
    answers: FakeAnswers,
}

impl FakeSeasonPass {
    /// Points from this many on wait for an admin.
    pub const REVIEW_POINTS: i64 = 10_000;

    pub fn new(features: Arc<dyn FeatureService>) -> Self {
        Self {
            features,
            world: Mutex::default(),
        }
    }

    pub fn insert(&self, season: NewSeason) {
        let mut world = self.world();
        let id =
            i64::try_from(world.seasons.len()).map_or(SeasonId(0), |count| SeasonId(count + 1));
        world.seasons.push(Arc::new(Season {
            id,
            rules: season,
            is_sound: true,
        }));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serving(&self, today: EventDay) -> Result<Arc<Season>, SeasonError> {
        self.features.require(Feature::SeasonPass, today).await?;
        rules::serving(&self.world().seasons, today)
    }
}

/// Pays every due level that pays by itself.
fn collect_due(
    season: &Season,
    user_id: UserId,
    (progress, claimed): &mut (Progress, BTreeSet<i64>),
    now: DateTime<Utc>,
) -> Vec<LevelReward> {
    let by_itself = season.rules.levels.iter().filter(|level| {
        level.auto_claim
            && level.level <= progress.level_high_water
            && !claimed.contains(&level.level)
    });
    let rewards: Vec<_> = by_itself
        .map(|level| collect(season, user_id, level, now))
        .collect();
    claimed.extend(rewards.iter().map(|reward| reward.level));
    rewards
}

fn collect(season: &Season, user_id: UserId, level: &Level, now: DateTime<Utc>) -> LevelReward {
    let grant_key = rules::grant_key(season.id, level.level, user_id);
    let grant = Grant {
        grant_key: grant_key.clone(),
        source: GrantSource::SeasonLevel,
        reward: level.reward,
        label: None,
        manual: level.manual,
        season_id: Some(season.id),
    };
    LevelReward {
        level: level.level,
        reward_type: level.reward.kind(),
        reward_amount: level.reward.amount(),
        reward_label: level.reward_label.clone(),
        auto_claim: level.auto_claim,
        claimed_at: Kst(now),
        state: decide(&grant, &[grant.reward], FakeSeasonPass::REVIEW_POINTS).0,
        grant_key,
        coupon_code: None,
    }
}

#[async_trait]
impl SeasonPassService for FakeSeasonPass {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<SeasonStatus, SeasonError> {
        let today = EventDay::of(now);
        let season = self.serving(today).await?;
        let known = self
            .world()
            .progress
            .get(&(identity.user_id, season.id))
            .cloned();
        let (progress, claimed) = known.unwrap_or_default();
        let account_level = 1 + progress.level_high_water;
        Ok(SeasonStatus {
            progress: rules::gain_xp(&season.rules, &progress, 0),
            season,
            claimed,
            today,
            account_level,
        })
    }

    async fn stamp(
        &self,
        command: &StampCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<StampResult>, SeasonError> {
        let (user_id, request) = (command.identity.user_id, command.request.as_ref());
        if let Some(earlier) = self.world().answers.find(user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        let today = EventDay::of(now);
        self.features.require(Feature::SeasonPass, today).await?;
        self.features.require(command.source, today).await?;
        let mut world = self.world();
        let season = rules::running(&world.seasons, today)?.ok_or(SeasonError::NoActiveSeason)?;
        let max = season.rules.max_xp_bonus;
        if !(0..=max).contains(&command.xp_bonus) {
            return Err(SeasonError::XpBonusOutOfRange {
                max,
                got: command.xp_bonus,
            });
        }
        let standing = world.progress.entry((user_id, season.id)).or_default();
        if standing.0.last_stamp_day == Some(today) {
            return Err(SeasonError::AlreadyStamped);
        }
        let xp_added = season.rules.base_xp_per_stamp + command.xp_bonus;
        let before = standing.0.level_high_water;
        standing.0 = Progress {
            total_stamps: standing.0.total_stamps + 1,
            last_stamp_day: Some(today),
            ..rules::gain_xp(&season.rules, &standing.0, xp_added)
        };
        let rewards = collect_due(&season, user_id, standing, now);
        let progress = &standing.0;
        let result = StampResult {
            added_stamp: 1,
            xp_added,
            current_xp: progress.current_xp,
            current_level: progress.current_level,
            leveled_up: progress.level_high_water > before,
            rewards,
        };
        world.answers.store(user_id, request, &result)?;
        Ok(Replayable::fresh(result))
    }

    async fn claim(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError> {
        let (user_id, request) = (command.identity.user_id, command.request.as_ref());
        if let Some(earlier) = self.world().answers.find(user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        let season = self.serving(EventDay::of(now)).await?;
        let mut world = self.world();
        let level = season
            .level(command.level)
            .ok_or(SeasonError::LevelNotFound)?;
        let standing = world.progress.entry((user_id, season.id)).or_default();
        standing.0 = rules::gain_xp(&season.rules, &standing.0, 0);
        let paid = collect_due(&season, user_id, standing, now);
        if level.level > standing.0.level_high_water {
            return Err(SeasonError::LevelNotReached);
        }
        let result = if level.auto_claim {
            let mut paid = paid.into_iter();
            let paid = paid.find(|reward| reward.level == level.level);
            paid.ok_or(SeasonError::AutoClaimLevel)?
        } else if standing.1.insert(level.level) {
            collect(&season, user_id, level, now)
        } else {
            return Err(SeasonError::AlreadyClaimed);
        };
        world.answers.store(user_id, request, &result)?;
        Ok(Replayable::fresh(result))
    }

    async fn internal_wins(
        &self,
        _: &Identity,
        now: DateTime<Utc>,
    ) -> Result<InternalWins, SeasonError> {
        let threshold = self
            .serving(EventDay::of(now))
            .await?
            .rules
            .internal_win_threshold;
        Ok(InternalWins {
            total_wins: 0,
            threshold,
            remaining: threshold,
        })
    }

    async fn served_until(&self, season: SeasonId) -> Result<Option<EventDay>, SeasonError> {
        Ok(rules::served_until(&self.world().seasons, season))
    }

    async fn running(&self, today: EventDay) -> Result<Option<Arc<Season>>, SeasonError> {
        rules::running(&self.world().seasons, today)
    }

    async fn served(&self, today: EventDay) -> Result<Option<Arc<Season>>, DbError> {
        Ok(rules::serving(&self.world().seasons, today).ok())
    }
}
