//! An in-memory [`GameService`] for crates that build on this one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_features::FeatureService;
use xmas_kernel::{
    ConfigId, OddsId, PlayId, SeasonId, UserId,
    idempotency::{FakeAnswers, Replayable},
};
use xmas_players::Identity;
use xmas_rewards::{Grant, GrantSource, decide};
use xmas_time::EventDay;

use crate::{
    ActiveConfig, Game, GameError, GameService, Play, PlayCommand, Receipt, Status,
    daily_limit::remaining,
    draw::{DrawId, Seed},
    odds::{InvalidOdds, Odds},
    roulette::{NewWheel, Roulette, rules},
};

/// Plays by the same rules with tokens that a test gives out; of the prizes it keeps tokens of the
/// same game only, and stock is not taken. Every identity may act, and every day has the same seed.
pub struct FakeGame<G: Game> {
    features: Arc<dyn FeatureService>,
    seed: Seed,
    config: Option<ActiveConfig<G>>,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    tokens: HashMap<UserId, i64>,
    plays_on: HashMap<(UserId, EventDay), i64>,
    plays: i64,
    answers: FakeAnswers,
}

impl<G: Game> FakeGame<G> {
    /// Points from this many on wait for an admin.
    pub const REVIEW_POINTS: i64 = 10_000;

    /// `config` is `None` for a game that is not configured correctly.
    pub fn new(
        features: Arc<dyn FeatureService>,
        seed: Seed,
        config: Option<ActiveConfig<G>>,
    ) -> Self {
        Self {
            features,
            seed,
            config,
            world: Mutex::default(),
        }
    }

    pub fn give_tokens(&self, user_id: UserId, tokens: i64) {
        *self.world().tokens.entry(user_id).or_default() += tokens;
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> Result<(&ActiveConfig<G>, Odds), GameError> {
        let config = self.config.as_ref();
        let playable = config.and_then(|config| Some((config, config.left()?)));
        playable.ok_or(GameError::InvalidConfig(G::FEATURE))
    }
}

#[async_trait]
impl<G: Game> GameService<G> for FakeGame<G> {
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError> {
        let today = EventDay::of(now);
        self.features.require(G::FEATURE, today).await?;
        let (config, _) = self.config()?;
        let world = self.world();
        let user_id = identity.user_id;
        let today_plays = world.plays_on.get(&(user_id, today)).copied().unwrap_or(0);
        Ok(Status {
            config_id: config.config_id,
            name: config.name.clone(),
            max_daily: config.max_daily,
            today_plays,
            remaining: remaining(config.max_daily, today_plays),
            token_balance: world.tokens.get(&user_id).copied().unwrap_or(0),
            menu: config.menu.clone(),
        })
    }

    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, GameError> {
        let (user_id, today) = (command.identity.user_id, EventDay::of(now));
        let request = command.request.as_ref();
        if let Some(earlier) = self.world().answers.find(user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        self.features.require(G::FEATURE, today).await?;
        let (config, odds) = self.config()?;
        let mut world = self.world();
        let nonce = world.plays_on.get(&(user_id, today)).copied().unwrap_or(0);
        if remaining(config.max_daily, nonce) == -1 {
            return Err(GameError::DailyLimitReached);
        }
        let tokens = world.tokens.entry(user_id).or_default();
        if *tokens < 1 {
            return Err(GameError::NotEnoughTokens);
        }
        let draw = DrawId {
            feature: G::FEATURE,
            user_id,
            nonce,
            attempt: 0,
        };
        let number = self.seed.number(&draw, odds.total());
        let entry = G::entry_at(&odds, number);
        let reward = entry.reward();
        let reward = reward.map_err(|_| GameError::InvalidConfig(G::FEATURE))?;
        *tokens -= 1;
        if reward.kind().asset() == Some(G::TOKEN) {
            *tokens += reward.amount();
        }
        let token_balance = *tokens;
        world.plays_on.insert((user_id, today), nonce + 1);
        world.plays += 1;
        let prize = Grant {
            grant_key: String::new(),
            source: GrantSource::Play,
            reward,
            label: None,
            manual: false,
            season_id: Some(SeasonId(1)),
        };
        let play = Play {
            outcome: G::outcome(&config.menu, entry, number),
            season_pass: None,
            token_balance,
            receipt: Receipt {
                play_id: PlayId(world.plays),
                reward_type: reward.kind(),
                reward_state: decide(&prize, &[reward], Self::REVIEW_POINTS).0,
                odds_id: OddsId(1),
                day: today,
                nonce,
                attempt: 0,
                coupon_code: None,
            },
        };
        world.answers.store(user_id, request, &play)?;
        Ok(Replayable::fresh(play))
    }
}

impl FakeGame<Roulette> {
    /// The wheel that an operator would save like this, with the segments' ids from 1 on.
    ///
    /// # Errors
    /// It is no wheel ([`rules::wheel`]).
    pub fn with_wheel(
        features: Arc<dyn FeatureService>,
        seed: Seed,
        wheel: NewWheel,
    ) -> Result<Self, InvalidOdds> {
        let config_id = ConfigId(1);
        let segments = (1..).zip(wheel.segments).collect();
        let (menu, odds) = rules::wheel(config_id, segments)?;
        let config = ActiveConfig {
            config_id,
            name: wheel.name,
            max_daily: wheel.max_daily_spins,
            menu,
            table: odds,
            stock: BTreeMap::new(),
            supplied: BTreeMap::new(),
        };
        Ok(Self::new(features, seed, Some(config)))
    }
}
