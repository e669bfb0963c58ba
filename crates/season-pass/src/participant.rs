use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use xmas_activity::{ActivityLog, Event, EventKind};
use xmas_kernel::{Feature, SeasonId, db::DbError};
use xmas_players::{LockedPlayer, raise_level_in_tx};
use xmas_rewards::{Grant, GrantSource, RewardLedger};
use xmas_time::{EventDay, Kst};

use crate::{
    Level, LevelReward, PlayEffect, Progress, Season, StampResult, rules,
    store::{self, Stamp},
};

/// The season's side of a play.
#[async_trait]
pub trait SeasonProgress: Send + Sync {
    /// Moves the player's season after a play: XP, a win, and the day's stamp if the play brings
    /// it along. Returns the stamp, if one was collected.
    async fn after_play_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        play: &PlayEffect,
        now: DateTime<Utc>,
    ) -> Result<Option<StampResult>, DbError>;
}

/// Moves players through a season, inside somebody's transaction. It has no connection of its own.
#[derive(Clone)]
pub struct SeasonMover {
    rewards: Arc<dyn RewardLedger>,
    activity: ActivityLog,
}

/// What one operation adds to a player's season.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Less than 0 only if an operator corrects it.
    xp: i64,
    stamps: i64,
    wins: i64,
    stamp_day: Option<EventDay>,
}

/// Where a step has led.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) progress: Progress,
    pub(crate) levels_gained: i64,
    pub(crate) paid: Vec<LevelReward>,
}

impl SeasonMover {
    pub fn new(rewards: Arc<dyn RewardLedger>, activity: ActivityLog) -> Self {
        Self { rewards, activity }
    }

    /// Collects the day's stamp; `None` if it has been collected.
    pub(crate) async fn stamp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        source: Feature,
        xp_bonus: i64,
        now: DateTime<Utc>,
    ) -> Result<Option<StampResult>, DbError> {
        let xp = season.rules.base_xp_per_stamp + xp_bonus;
        let Some(step) = daily_stamp(tx, player, season, source, xp, now).await? else {
            return Ok(None);
        };
        let progress = store::lock_progress(tx, player.user_id(), season.id).await?;
        let moved = self
            .advance_in_tx(tx, player, season, progress, &step, now)
            .await?;
        self.record_stamp_in_tx(tx, player, season, source, xp, now)
            .await?;
        Ok(Some(stamp_result(xp, moved)))
    }

    /// The last word on a stamp, since observers may move the player's season further.
    async fn record_stamp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        source: Feature,
        xp: i64,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let event = Event {
            kind: EventKind::SeasonPassStamp,
            feature: Some(Feature::SeasonPass),
            meta: json!({ "season_id": season.id, "source": source, "xp": xp }),
        };
        self.activity.record_in_tx(tx, player, &[event], now).await
    }

    /// Adds a step to a player's progress and pays every level that is due: those just reached,
    /// and those that an edit has made pay by themselves since.
    pub(crate) async fn advance_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        before: Option<Progress>,
        step: &Step,
        now: DateTime<Utc>,
    ) -> Result<Moved, DbError> {
        let user_id = player.user_id();
        let is_new = before.is_none();
        let before = before.unwrap_or_default();
        let gained = rules::gain_xp(&season.rules, &before, step.xp);
        let progress = Progress {
            total_stamps: before.total_stamps + step.stamps,
            internal_wins: before.internal_wins + step.wins,
            last_stamp_day: step.stamp_day.or(before.last_stamp_day),
            ..gained
        };
        let levels_gained = progress.level_high_water - before.level_high_water;
        if progress != before {
            store::save_progress(tx, user_id, season.id, &progress, is_new, now).await?;
        }
        if levels_gained > 0 {
            raise_level_in_tx(tx, player, levels_gained, now).await?;
            let reached = before.level_high_water + 1..=progress.level_high_water;
            let level_up = |level: i64| Event {
                kind: EventKind::SeasonPassLevelUp,
                feature: Some(Feature::SeasonPass),
                meta: json!({ "season_id": season.id, "level": level, "xp": progress.current_xp }),
            };
            let events: Vec<Event> = reached.map(level_up).collect();
            self.activity.record_in_tx(tx, player, &events, now).await?;
        }
        let paid = self
            .pay_due_in_tx(tx, player, season, &progress, now)
            .await?;
        Ok(Moved {
            progress,
            levels_gained,
            paid,
        })
    }

    async fn pay_due_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        progress: &Progress,
        now: DateTime<Utc>,
    ) -> Result<Vec<LevelReward>, DbError> {
        let by_itself = season
            .rules
            .levels
            .iter()
            .filter(|level| level.auto_claim && level.level <= progress.level_high_water);
        let mut due: Vec<&Level> = by_itself.collect();
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let claimed = store::claimed_levels(tx, player.user_id(), season.id).await?;
        due.retain(|level| !claimed.contains(&level.level));
        let mut paid = Vec::with_capacity(due.len());
        for level in due {
            paid.extend(self.pay_level_in_tx(tx, player, season, level, now).await?);
        }
        Ok(paid)
    }

    /// Marks a level as collected and delivers its reward; `None` if it has been collected.
    pub(crate) async fn pay_level_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        level: &Level,
        now: DateTime<Utc>,
    ) -> Result<Option<LevelReward>, DbError> {
        let user_id = player.user_id();
        let grant_key = rules::grant_key(season.id, level.level, user_id);
        if !store::insert_claim(tx, user_id, season.id, level, &grant_key, now).await? {
            return Ok(None);
        }
        let grant = Grant {
            grant_key: grant_key.clone(),
            source: GrantSource::SeasonLevel,
            reward: level.reward,
            label: Some(level.reward_label.clone()),
            manual: level.manual,
            season_id: Some(season.id),
        };
        let granted = self.rewards.grant_in_tx(tx, player, &grant, now).await?;
        Ok(Some(LevelReward {
            level: level.level,
            reward_type: level.reward.kind(),
            reward_amount: level.reward.amount(),
            reward_label: level.reward_label.clone(),
            auto_claim: level.auto_claim,
            claimed_at: Kst(now),
            state: granted.state,
            grant_key,
            coupon_code: None,
        }))
    }
}

#[async_trait]
impl SeasonProgress for SeasonMover {
    async fn after_play_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: &Season,
        play: &PlayEffect,
        now: DateTime<Utc>,
    ) -> Result<Option<StampResult>, DbError> {
        if play.xp == 0 && !play.is_win && !play.stamp {
            return Ok(None);
        }
        let progress = store::lock_progress(tx, player.user_id(), season.id).await?;
        let (last_stamp_day, wins) = progress.as_ref().map_or((None, 0), |progress| {
            (progress.last_stamp_day, progress.internal_wins)
        });
        let wins_now = i64::from(play.is_win);
        let mut step = Step {
            xp: play.xp,
            wins: wins_now,
            ..Step::default()
        };
        let mut stamp_xp = None;
        if play.stamp && last_stamp_day != Some(EventDay::of(now)) {
            let xp = season.rules.base_xp_per_stamp;
            if let Some(stamp) = daily_stamp(tx, player, season, play.feature, xp, now).await? {
                step.add(&stamp);
                stamp_xp = Some(xp);
            }
        }
        if play.is_win {
            let wins = wins + wins_now;
            let bonus = internal_win_stamp(tx, player, season, wins, play.feature, now).await?;
            if let Some(bonus) = bonus {
                step.add(&bonus);
            }
        }
        let moved = self
            .advance_in_tx(tx, player, season, progress, &step, now)
            .await?;
        let Some(xp) = stamp_xp else {
            return Ok(None);
        };
        self.record_stamp_in_tx(tx, player, season, play.feature, xp, now)
            .await?;
        Ok(Some(stamp_result(xp, moved)))
    }
}

/// Bridge keys, which are stamps of their season without XP.
#[async_trait]
pub trait KeyStamps: Send + Sync {
    /// Writes a key; `false` if the player has it. `key` has at most 32 characters.
    async fn stamp_key_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: SeasonId,
        key: &str,
        source: Feature,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError>;
}

/// [`KeyStamps`] on the database. It has no connection of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeasonStamps;

#[async_trait]
impl KeyStamps for SeasonStamps {
    async fn stamp_key_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        season: SeasonId,
        key: &str,
        source: Feature,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let stamp = Stamp {
            period_key: key,
            event_type: Some(key),
            source,
            xp_earned: 0,
        };
        store::insert_stamp(tx, player.user_id(), season, &stamp, now).await
    }
}

impl Step {
    /// XP and nothing else.
    pub(crate) fn of_xp(xp: i64) -> Self {
        Self {
            xp,
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Step) {
        self.xp += other.xp;
        self.stamps += other.stamps;
        self.wins += other.wins;
        self.stamp_day = other.stamp_day.or(self.stamp_day);
    }
}

/// Writes the daily stamp and says what it adds; `None` if the day has one.
async fn daily_stamp(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    season: &Season,
    source: Feature,
    xp_earned: i64,
    now: DateTime<Utc>,
) -> Result<Option<Step>, DbError> {
    let today = EventDay::of(now);
    let stamp = Stamp {
        period_key: &today.to_string(),
        event_type: None,
        source,
        xp_earned,
    };
    let is_first = store::insert_stamp(tx, player.user_id(), season.id, &stamp, now).await?;
    Ok(is_first.then_some(Step {
        xp: xp_earned,
        stamps: 1,
        wins: 0,
        stamp_day: Some(today),
    }))
}

/// Writes the once-a-season bonus stamp, if these wins earn it and it has not been collected.
async fn internal_win_stamp(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    season: &Season,
    wins: i64,
    source: Feature,
    now: DateTime<Utc>,
) -> Result<Option<Step>, DbError> {
    let user_id = player.user_id();
    let period_key = rules::INTERNAL_WIN_PERIOD;
    if wins < season.rules.internal_win_threshold
        || store::has_stamp(tx, user_id, season.id, period_key).await?
    {
        return Ok(None);
    }
    let stamp = Stamp {
        period_key,
        event_type: None,
        source,
        xp_earned: season.rules.base_xp_per_stamp,
    };
    let is_first = store::insert_stamp(tx, user_id, season.id, &stamp, now).await?;
    Ok(is_first.then_some(Step {
        xp: stamp.xp_earned,
        stamps: 1,
        ..Step::default()
    }))
}

fn stamp_result(xp_added: i64, moved: Moved) -> StampResult {
    StampResult {
        added_stamp: 1,
        xp_added,
        current_xp: moved.progress.current_xp,
        current_level: moved.progress.current_level,
        leveled_up: moved.levels_gained > 0,
        rewards: moved.paid,
    }
}
