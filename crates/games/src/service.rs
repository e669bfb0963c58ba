//! A game as players see it: the service, and what it answers.

use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    ConfigId, OddsId, PlayId,
    idempotency::{Replayable, RequestKey},
};
use xmas_players::Identity;
use xmas_rewards::{RewardState, RewardType};
use xmas_season_pass::StampResult;
use xmas_time::EventDay;

use crate::{Game, GameError};

/// One game for players.
#[async_trait]
pub trait GameService<G: Game>: Send + Sync {
    /// The game, what is left today, and how many tokens the player holds.
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError>;

    /// Plays once for one token.
    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, GameError>;
}

/// Who plays, and under which `Idempotency-Key`.
#[derive(Clone, Debug)]
pub struct PlayCommand {
    pub identity: Identity,
    pub request: Option<RequestKey>,
}

/// What a player can play for, and how often still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<M> {
    pub config_id: ConfigId,
    pub name: String,
    /// 0 means no limit.
    pub max_daily: i64,
    pub today_plays: i64,
    /// 0 means no limit, -1 none left.
    pub remaining: i64,
    pub token_balance: i64,
    pub menu: M,
}

/// One play and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Play<O> {
    pub outcome: O,
    pub season_pass: Option<StampResult>,
    pub token_balance: i64,
    pub receipt: Receipt,
}

/// By what a player can name their play and check its draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub play_id: PlayId,
    pub reward_type: RewardType,
    pub reward_state: RewardState,
    /// The odds that the play was drawn from.
    pub odds_id: OddsId,
    pub day: EventDay,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
    /// 0, and one more for each draw whose prize had run out.
    pub attempt: i64,
    /// The whole code of a coupon that was won. Never stored with an answer.
    #[serde(skip)]
    pub coupon_code: Option<String>,
}
