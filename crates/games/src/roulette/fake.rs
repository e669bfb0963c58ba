//! An in-memory [`RouletteService`] for crates that build on this one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_features::FeatureService;
use xmas_kernel::{
    ConfigId, Feature, PlayId, SeasonId, UserId,
    entropy::Entropy,
    idempotency::{FakeAnswers, Replayable},
};
use xmas_players::Identity;
use xmas_rewards::{Grant, GrantSource, RewardType, rules::decide};
use xmas_time::EventDay;

use super::{RoulettePlay, RouletteStatus, rules::Wheel};
use crate::{GameError, PlayCommand, Receipt, RouletteService, floor::remaining};

/// Spins by the same rules with coins that a test gives out; of the prizes it keeps coins only.
/// Every identity may act.
pub struct FakeRoulette {
    features: Arc<dyn FeatureService>,
    entropy: Arc<dyn Entropy>,
    max_daily_spins: i64,
    wheel: Option<Wheel>,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    coins: HashMap<UserId, i64>,
    spins: HashMap<(UserId, EventDay), i64>,
    plays: i64,
    answers: FakeAnswers,
}

impl FakeRoulette {
    /// Points from this many on wait for an admin.
    pub const REVIEW_POINTS: i64 = 10_000;

    /// `wheel` is `None` for a roulette that is not configured correctly.
    pub fn new(
        features: Arc<dyn FeatureService>,
        entropy: Arc<dyn Entropy>,
        max_daily_spins: i64,
        wheel: Option<Wheel>,
    ) -> Self {
        Self {
            features,
            entropy,
            max_daily_spins,
            wheel,
            world: Mutex::default(),
        }
    }

    pub fn give_coins(&self, user_id: UserId, coins: i64) {
        *self.world().coins.entry(user_id).or_default() += coins;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RouletteService for FakeRoulette {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<RouletteStatus, GameError> {
        let today = EventDay::of(now);
        self.features.require(Feature::Roulette, today).await?;
        let wheel = self.wheel.as_ref().ok_or(GameError::InvalidRoulette)?;
        let world = self.world();
        let spins = world.spins.get(&(identity.user_id, today)).copied();
        let today_spins = spins.unwrap_or(0);
        Ok(RouletteStatus {
            config_id: ConfigId(1),
            name: "룰렛".to_owned(),
            max_daily_spins: self.max_daily_spins,
            today_spins,
            remaining_spins: remaining(self.max_daily_spins, today_spins),
            token_balance: world.coins.get(&identity.user_id).copied().unwrap_or(0),
            segments: wheel.segments().cloned().collect(),
        })
    }

    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<RoulettePlay>, GameError> {
        let (user_id, today) = (command.identity.user_id, EventDay::of(now));
        let request = command.request.as_ref();
        if let Some(earlier) = self.world().answers.find(user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        self.features.require(Feature::Roulette, today).await?;
        let wheel = self.wheel.as_ref().ok_or(GameError::InvalidRoulette)?;
        let mut world = self.world();
        let nonce = world.spins.get(&(user_id, today)).copied().unwrap_or(0);
        if remaining(self.max_daily_spins, nonce) == -1 {
            return Err(GameError::DailyLimitReached);
        }
        let coins = world.coins.entry(user_id).or_default();
        if *coins < 1 {
            return Err(GameError::NotEnoughTokens);
        }
        let up = wheel.spin(|| self.entropy.next_u64());
        *coins -= 1;
        if up.reward.kind() == RewardType::TicketRoulette {
            *coins += up.reward.amount();
        }
        let token_balance = *coins;
        world.spins.insert((user_id, today), nonce + 1);
        world.plays += 1;
        let prize = Grant {
            grant_key: String::new(),
            source: GrantSource::Play,
            reward: up.reward,
            label: None,
            manual: false,
            season_id: Some(SeasonId(1)),
        };
        let play = RoulettePlay {
            segment: up.segment.clone(),
            season_pass: None,
            token_balance,
            receipt: Receipt {
                play_id: PlayId(world.plays),
                reward_state: decide(&prize, Self::REVIEW_POINTS).0,
                odds_id: None,
                day: today,
                nonce,
            },
        };
        world.answers.store(user_id, request, &play)?;
        Ok(Replayable::fresh(play))
    }
}
