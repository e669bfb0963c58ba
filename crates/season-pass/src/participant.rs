use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use xmas_activity::{ActivityLog, Event, EventKind};
use xmas_kernel::{Feature, SeasonId, db::DbError};
use xmas_players::{LockedPlayer, raise_level_in_tx};
use xmas_rewards::{Books, Grant, GrantSource, RewardLedger};
use xmas_time::{EventDay, Kst};

use crate::{
    Level, LevelReward, Place, PlayEffect, Progress, Season, StampResult, rules,
    store::{self, Stamp},
};

/// The season's side of a play.
#[async_trait]
pub trait SeasonProgress: Send + Sync {
    /// Moves the player's season after a play: XP, a win, and the day's stamp if the play brings
    /// it along. Returns the stamp, if one was collected. The place was read with the player's lock.
    async fn after_play(
        &self,
        books: &mut Books<'_>,
        season: (&Season, &Place),
        play: &PlayEffect,
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
    pub(crate) async fn stamp(
        &self,
        books: &mut Books<'_>,
        (season, place): (&Season, &Place),
        source: Feature,
        xp_bonus: i64,
    ) -> Result<Option<StampResult>, DbError> {
        let xp = season.rules.base_xp_per_stamp + xp_bonus;
        let Some(step) = daily_stamp(books, season, source, xp).await? else {
            return Ok(None);
        };
        let moved = self.advance(books, (season, place), &step).await?;
        self.record_stamp(books, season, source, xp).await?;
        Ok(Some(stamp_result(xp, moved)))
    }

    /// The last word on a stamp.
    async fn record_stamp(
        &self,
        books: &mut Books<'_>,
        season: &Season,
        source: Feature,
        xp: i64,
    ) -> Result<(), DbError> {
        let event = Event {
            kind: EventKind::SeasonPassStamp,
            feature: Some(Feature::SeasonPass),
            meta: json!({ "season_id": season.id, "source": source, "xp": xp }),
        };
        books.record(&self.activity, [event]).await
    }

    /// Adds a step to a player's progress and pays every level that is due: those just reached,
    /// and those that an edit has made pay by themselves since.
    pub(crate) async fn advance(
        &self,
        books: &mut Books<'_>,
        (season, place): (&Season, &Place),
        step: &Step,
    ) -> Result<Moved, DbError> {
        let (tx, player, now) = (books.tx, books.player, books.now);
        let is_new = place.progress.is_none();
        let before = place.progress.clone().unwrap_or_default();
        let gained = rules::gain_xp(&season.rules, &before, step.xp);
        let progress = Progress {
            total_stamps: before.total_stamps + step.stamps,
            internal_wins: before.internal_wins + step.wins,
            last_stamp_day: step.stamp_day.or(before.last_stamp_day),
            ..gained
        };
        let levels_gained = progress.level_high_water - before.level_high_water;
        if progress != before {
            store::save_progress(tx, player.user_id(), season.id, &progress, is_new, now).await?;
        }
        if levels_gained > 0 {
            raise_level_in_tx(tx, player, levels_gained, now).await?;
            let reached = before.level_high_water + 1..=progress.level_high_water;
            let level_up = |level: i64| Event {
                kind: EventKind::SeasonPassLevelUp,
                feature: Some(Feature::SeasonPass),
                meta: json!({ "season_id": season.id, "level": level, "xp": progress.current_xp }),
            };
            books.record(&self.activity, reached.map(level_up)).await?;
        }
        let paid = self.pay_due(books, (season, place), &progress).await?;
        Ok(Moved {
            progress,
            levels_gained,
            paid,
        })
    }

    async fn pay_due(
        &self,
        books: &mut Books<'_>,
        (season, place): (&Season, &Place),
        progress: &Progress,
    ) -> Result<Vec<LevelReward>, DbError> {
        let is_due = |level: &&Level| {
            level.auto_claim
                && level.level <= progress.level_high_water
                && !place.claimed.contains(&level.level)
        };
        let mut paid = Vec::new();
        for level in season.rules.levels.iter().filter(is_due) {
            paid.extend(self.pay_level(books, season, level).await?);
        }
        Ok(paid)
    }

    /// Marks a level as collected and delivers its reward; `None` if it has been collected.
    pub(crate) async fn pay_level(
        &self,
        books: &mut Books<'_>,
        season: &Season,
        level: &Level,
    ) -> Result<Option<LevelReward>, DbError> {
        let (user_id, now) = (books.player.user_id(), books.now);
        let grant_key = rules::grant_key(season.id, level.level, user_id);
        if !store::insert_claim(books.tx, user_id, season.id, level, &grant_key, now).await? {
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
        let granted = self.rewards.grant(books, &grant).await?;
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
    async fn after_play(
        &self,
        books: &mut Books<'_>,
        (season, place): (&Season, &Place),
        play: &PlayEffect,
    ) -> Result<Option<StampResult>, DbError> {
        if play.xp == 0 && !play.is_win && !play.stamp {
            return Ok(None);
        }
        let progress = place.progress.clone().unwrap_or_default();
        let wins_now = i64::from(play.is_win);
        let mut step = Step {
            xp: play.xp,
            wins: wins_now,
            ..Step::default()
        };
        let mut stamp_xp = None;
        if play.stamp && progress.last_stamp_day != Some(EventDay::of(books.now)) {
            let xp = season.rules.base_xp_per_stamp;
            if let Some(stamp) = daily_stamp(books, season, play.feature, xp).await? {
                step.add(&stamp);
                stamp_xp = Some(xp);
            }
        }
        if play.is_win && !place.has_bonus_stamp {
            let wins = progress.internal_wins + wins_now;
            let bonus = internal_win_stamp(books, season, wins, play.feature).await?;
            if let Some(bonus) = bonus {
                step.add(&bonus);
            }
        }
        let moved = self.advance(books, (season, place), &step).await?;
        let Some(xp) = stamp_xp else {
            return Ok(None);
        };
        self.record_stamp(books, season, play.feature, xp).await?;
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
    books: &Books<'_>,
    season: &Season,
    source: Feature,
    xp_earned: i64,
) -> Result<Option<Step>, DbError> {
    let today = EventDay::of(books.now);
    let stamp = Stamp {
        period_key: &today.to_string(),
        event_type: None,
        source,
        xp_earned,
    };
    let is_first = insert_stamp(books, season, &stamp).await?;
    Ok(is_first.then_some(Step {
        xp: xp_earned,
        stamps: 1,
        wins: 0,
        stamp_day: Some(today),
    }))
}

/// Writes the once-a-season bonus stamp, if these wins earn it and it is not there.
async fn internal_win_stamp(
    books: &Books<'_>,
    season: &Season,
    wins: i64,
    source: Feature,
) -> Result<Option<Step>, DbError> {
    if wins < season.rules.internal_win_threshold {
        return Ok(None);
    }
    let stamp = Stamp {
        period_key: rules::INTERNAL_WIN_PERIOD,
        event_type: None,
        source,
        xp_earned: season.rules.base_xp_per_stamp,
    };
    let is_first = insert_stamp(books, season, &stamp).await?;
    Ok(is_first.then_some(Step {
        xp: stamp.xp_earned,
        stamps: 1,
        ..Step::default()
    }))
}

async fn insert_stamp(
    books: &Books<'_>,
    season: &Season,
    stamp: &Stamp<'_>,
) -> Result<bool, DbError> {
    store::insert_stamp(
        books.tx,
        books.player.user_id(),
        season.id,
        stamp,
        books.now,
    )
    .await
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
