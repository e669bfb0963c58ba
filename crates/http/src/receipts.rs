//! Plays and stamps as players see them in their history, and operators in a player's timeline.

use serde::Serialize;
use utoipa::ToSchema;
use xmas_reporting::{PlayReceipt, StampReceipt};
use xmas_time::{EventDay, Kst};

/// A play of a game.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "at": "2025-12-26T09:00:00.000000+09:00", "day": "2025-12-26",
    "feature": "ROULETTE", "outcome": {"id": 2, "label": "룰렛 티켓 3장",
        "reward_type": "TICKET_ROULETTE", "reward_amount": 3, "slot_index": 1, "is_jackpot": false},
    "is_win": true, "reward_type": "TICKET_ROULETTE", "reward_amount": 3,
            "reward_state": "DELIVERED", "odds_id": 1, "nonce": 0,
    "attempt": 0}))]
pub struct PlayItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    feature: String,
    /// What came up; each game has its own fields.
    #[schema(value_type = Object)]
    outcome: serde_json::Value,
    is_win: bool,
    reward_type: String,
    reward_amount: i64,
    /// `DELIVERED`, `PENDING_REVIEW` or `REJECTED`.
    reward_state: Option<String>,
    /// The table that the play was drawn from.
    odds_id: Option<i64>,
    /// The player's 0-based play number for the game and day.
    nonce: i64,
    /// How many draws before it brought a prize of which nothing was left.
    attempt: i64,
}

/// A stamp on the season pass.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 4, "at": "2025-12-26T08:59:00.000000+09:00", "day": "2025-12-26",
    "source_feature_type": "ROULETTE", "event_type": null, "xp": 20}))]
pub struct StampItem {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Kst,
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    source_feature_type: String,
    /// Which bridge key it is; null for other stamps.
    event_type: Option<String>,
    xp: i64,
}

impl From<PlayReceipt> for PlayItem {
    fn from(play: PlayReceipt) -> Self {
        Self {
            id: play.id,
            at: play.at,
            day: play.day,
            feature: play.feature,
            outcome: play.outcome,
            is_win: play.is_win,
            reward_type: play.reward_type,
            reward_amount: play.reward_amount,
            reward_state: play.reward_state,
            odds_id: play.odds_id,
            nonce: play.nonce,
            attempt: play.attempt,
        }
    }
}

impl From<StampReceipt> for StampItem {
    fn from(stamp: StampReceipt) -> Self {
        Self {
            id: stamp.id,
            at: stamp.at,
            day: stamp.day,
            source_feature_type: stamp.source_feature_type,
            event_type: stamp.event_type,
            xp: stamp.xp,
        }
    }
}
