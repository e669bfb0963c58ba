use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    BridgeId, Feature, Problem, SeasonId,
    idempotency::RequestKey,
    version::{Seen, Version},
};
use xmas_players::Identity;
use xmas_rewards::{Reward, RewardState, RewardType};
use xmas_time::{EventDay, Kst};

/// One rung of a season's ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// From 1.
    pub level: i64,
    /// Cumulative XP at which it is reached.
    pub required_xp: i64,
    pub reward: Reward,
    pub reward_label: String,
    /// Pays by itself when it is reached; otherwise it waits for a claim.
    pub auto_claim: bool,
    /// An admin looks at the reward before it is delivered.
    pub manual: bool,
}

/// A season to be saved. [`crate::rules::check_season`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewSeason {
    pub name: String,
    pub start: EventDay,
    /// The last day, included.
    pub end: EventDay,
    pub max_level: i64,
    pub base_xp_per_stamp: i64,
    /// The largest bonus a client may propose with a stamp.
    pub max_xp_bonus: i64,
    /// Days after the end on which status and claim still answer.
    pub grace_days: u32,
    /// Wins that earn the once-a-season bonus stamp.
    pub internal_win_threshold: i64,
    pub is_active: bool,
    /// Ascending.
    pub levels: Vec<Level>,
}

/// A season with its ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Season {
    pub id: SeasonId,
    pub rules: NewSeason,
    /// Whether every level can be reached and paid. Nothing happens in a season where that is not so
    /// (`INVALID_CONFIG`).
    pub is_sound: bool,
}

impl Season {
    pub fn level(&self, level: i64) -> Option<&Level> {
        self.rules.levels.iter().find(|rung| rung.level == level)
    }
}

/// A season as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSeason {
    pub season: Season,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl SavedSeason {
    /// Follows from everything that an operator can edit.
    pub fn version(&self) -> Version {
        Version::of(&self.season.rules)
    }
}

/// What an operator says about a season; what is `None` stays as it is, or is usual for a new one.
#[derive(Clone, Debug, Default)]
pub struct SeasonEdit {
    pub name: Option<String>,
    pub start: Option<EventDay>,
    pub end: Option<EventDay>,
    pub max_level: Option<i64>,
    pub base_xp_per_stamp: Option<i64>,
    pub max_xp_bonus: Option<i64>,
    pub grace_days: Option<u32>,
    pub internal_win_threshold: Option<i64>,
    pub is_active: Option<bool>,
    /// The whole ladder.
    pub levels: Option<Vec<LevelEdit>>,
    /// Whether a settlement that is due while the season still runs moves behind its last day. Asked
    /// for by name, because it decides when players are paid.
    pub move_settle_on: bool,
    /// What the operator has seen.
    pub seen: Option<Seen>,
    /// What could not be read as an edit. It is refused with whatever else is wrong.
    pub problems: Vec<Problem>,
}

/// A season after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedSeason {
    pub saved: SavedSeason,
    /// What the operator should know of the settlement: only if the season now ends later, or if it was
    /// to be moved.
    pub settle_day: Option<SettleDay>,
}

/// A bridge that is, or was, settled before its season has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleDay {
    pub bridge: BridgeId,
    /// As it is now.
    pub settle_on: EventDay,
    /// The day after the season's last one.
    pub usual: EventDay,
    /// Where this edit has moved it from.
    pub moved_from: Option<EventDay>,
}

/// What an operator says about a level; what is `None` stays as it was on the level of this number.
#[derive(Clone, Debug)]
pub struct LevelEdit {
    pub level: i64,
    pub required_xp: Option<i64>,
    pub reward_type: Option<RewardType>,
    pub reward_amount: Option<i64>,
    /// `Some(None)` names no bundle or kind of coupon any more.
    pub reward_item: Option<Option<i64>>,
    pub reward_label: Option<String>,
    pub auto_claim: Option<bool>,
    pub manual: Option<bool>,
}

/// Where a player stands in a season. Everyone starts from the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub current_xp: i64,
    /// 0 before the first level.
    pub current_level: i64,
    /// The highest level ever reached; an edit of the ladder does not lower it.
    pub level_high_water: i64,
    pub total_stamps: i64,
    /// The day of the last daily stamp.
    pub last_stamp_day: Option<EventDay>,
    pub internal_wins: i64,
}

/// What `GET /api/season-pass/status` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeasonStatus {
    pub season: Arc<Season>,
    pub progress: Progress,
    /// Levels whose reward has been collected.
    pub claimed: BTreeSet<i64>,
    pub today: EventDay,
    pub account_level: i64,
}

#[derive(Clone, Debug)]
pub struct StampCommand {
    pub identity: Identity,
    pub request: Option<RequestKey>,
    /// The feature that the player came from.
    pub source: Feature,
    pub xp_bonus: i64,
}

#[derive(Clone, Debug)]
pub struct ClaimCommand {
    pub identity: Identity,
    pub request: Option<RequestKey>,
    pub level: i64,
}

/// A level's reward that has been collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelReward {
    pub level: i64,
    pub reward_type: RewardType,
    pub reward_amount: i64,
    pub reward_label: String,
    pub auto_claim: bool,
    pub claimed_at: Kst,
    pub state: RewardState,
    /// Names the grant among all of the player's.
    pub grant_key: String,
    /// The whole code of a coupon that was delivered. Never stored with an answer.
    #[serde(skip)]
    pub coupon_code: Option<String>,
}

/// A stamp and what came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampResult {
    pub added_stamp: i64,
    pub xp_added: i64,
    pub current_xp: i64,
    pub current_level: i64,
    pub leveled_up: bool,
    /// What levels paid by themselves.
    pub rewards: Vec<LevelReward>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalWins {
    pub total_wins: i64,
    pub threshold: i64,
    /// 0 once the bonus stamp is earned.
    pub remaining: i64,
}

/// What a play does to the season.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayEffect {
    pub feature: Feature,
    /// XP from the play itself and from its prize.
    pub xp: i64,
    pub is_win: bool,
    /// Whether the day's first play also collects the daily stamp.
    pub stamp: bool,
}
