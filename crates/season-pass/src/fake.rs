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
    idempotency::{IdempotencyError, Replayable, RequestKey},
};
use xmas_players::Identity;
use xmas_rewards::RewardState;
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
    stamps: Vec<(UserId, RequestKey, StampResult)>,
    claims: Vec<(UserId, RequestKey, LevelReward)>,
}

impl FakeSeasonPass {
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
        world.seasons.push(Arc::new(Season { id, rules: season }));
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serving(&self, today: EventDay) -> Result<Arc<Season>, SeasonError> {
        self.features.require(Feature::SeasonPass, today).await?;
        rules::serving(&self.world().seasons, today)
    }
}

fn replay<T: Clone>(
    earlier: &[(UserId, RequestKey, T)],
    user_id: UserId,
    request: Option<&RequestKey>,
) -> Result<Option<T>, IdempotencyError> {
    let Some(request) = request else {
        return Ok(None);
    };
    let of_player = earlier.iter().filter(|(player, _, _)| *player == user_id);
    let mut same_key = of_player.filter(|(_, key, _)| key.same_key(request));
    match same_key.next() {
        Some((_, key, result)) if key == request => Ok(Some(result.clone())),
        Some(_) => Err(IdempotencyError::KeyReused),
        None => Ok(None),
    }
}

fn collect(level: &Level, now: DateTime<Utc>) -> LevelReward {
    LevelReward {
        level: level.level,
        reward_type: level.reward.kind(),
        reward_amount: level.reward.amount(),
        reward_label: level.reward_label.clone(),
        auto_claim: level.auto_claim,
        claimed_at: Kst(now),
        state: if level.manual {
            RewardState::PendingReview
        } else {
            RewardState::Delivered
        },
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
        if let Some(earlier) = replay(&self.world().stamps, user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        let today = EventDay::of(now);
        self.features.require(Feature::SeasonPass, today).await?;
        self.features.require(command.source, today).await?;
        let mut world = self.world();
        let season = rules::running(&world.seasons, today)?.ok_or(SeasonError::NoActiveSeason)?;
        let max = season.rules.max_xp_bonus;
        if !(0..=max).contains(&command.xp_bonus) {
            return Err(SeasonError::XpBonusOutOfRange { max });
        }
        let (progress, claimed) = world.progress.entry((user_id, season.id)).or_default();
        if progress.last_stamp_day == Some(today) {
            return Err(SeasonError::AlreadyStamped);
        }
        let xp_added = season.rules.base_xp_per_stamp + command.xp_bonus;
        let before = progress.level_high_water;
        *progress = Progress {
            total_stamps: progress.total_stamps + 1,
            last_stamp_day: Some(today),
            ..rules::gain_xp(&season.rules, progress, xp_added)
        };
        let reached = progress.level_high_water;
        let by_itself = season.rules.levels.iter().filter(|level| {
            level.auto_claim && level.level <= reached && !claimed.contains(&level.level)
        });
        let rewards: Vec<_> = by_itself.map(|level| collect(level, now)).collect();
        claimed.extend(rewards.iter().map(|reward| reward.level));
        let result = StampResult {
            added_stamp: 1,
            xp_added,
            current_xp: progress.current_xp,
            current_level: progress.current_level,
            leveled_up: reached > before,
            rewards,
        };
        if let Some(request) = request {
            world
                .stamps
                .push((user_id, request.clone(), result.clone()));
        }
        Ok(Replayable::fresh(result))
    }

    async fn claim(
        &self,
        command: &ClaimCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<LevelReward>, SeasonError> {
        let (user_id, request) = (command.identity.user_id, command.request.as_ref());
        if let Some(earlier) = replay(&self.world().claims, user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        let season = self.serving(EventDay::of(now)).await?;
        let mut world = self.world();
        let level = season
            .level(command.level)
            .ok_or(SeasonError::LevelNotFound)?;
        let (progress, claimed) = world.progress.entry((user_id, season.id)).or_default();
        *progress = rules::gain_xp(&season.rules, progress, 0);
        if level.level > progress.level_high_water {
            return Err(SeasonError::LevelNotReached);
        }
        if level.auto_claim {
            return Err(SeasonError::AutoClaimLevel);
        }
        if !claimed.insert(level.level) {
            return Err(SeasonError::AlreadyClaimed);
        }
        let result = collect(level, now);
        if let Some(request) = request {
            world
                .claims
                .push((user_id, request.clone(), result.clone()));
        }
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

    async fn running(&self, today: EventDay) -> Result<Option<Arc<Season>>, SeasonError> {
        rules::running(&self.world().seasons, today)
    }
}
