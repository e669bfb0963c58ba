use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect,
};
use xmas_kernel::{
    Feature, SeasonId, UserId,
    db::{Constraint, DbError, Timestamp},
};
use xmas_rewards::Reward;
use xmas_time::EventDay;

use crate::{
    Level, NewSeason, Progress, Season,
    entity::{config, level, progress, reward_log, stamp_log},
    rules::check_season,
};

/// Every active season with its ladder, in two statements. Whether bundles and coupons that it
/// promises exist is not looked at.
pub(crate) async fn active_seasons(conn: &impl ConnectionTrait) -> Result<Vec<Season>, DbError> {
    let seasons = config::Entity::find()
        .filter(config::Column::IsActive.eq(true))
        .order_by_asc(config::Column::Id)
        .all(conn)
        .await?;
    let ids = seasons.iter().map(|season| season.id);
    let mut levels = level::Entity::find()
        .filter(level::Column::SeasonId.is_in(ids))
        .order_by_asc(level::Column::Level)
        .all(conn)
        .await?;
    let mut loaded = Vec::with_capacity(seasons.len());
    for row in seasons {
        let own = levels.extract_if(.., |level| level.season_id == row.id);
        let own = own.map(rung).collect();
        loaded.push(season(row, own));
    }
    Ok(loaded)
}

/// `None` for a reward that no code of ours saves.
fn rung(row: level::Model) -> Option<Level> {
    let kind = row.reward_type.parse().ok()?;
    Some(Level {
        level: row.level,
        required_xp: row.required_xp,
        reward: Reward::from_parts(kind, row.reward_amount, row.reward_item).ok()?,
        reward_label: row.reward_label,
        auto_claim: row.auto_claim,
        manual: row.is_manual,
    })
}

fn season(row: config::Model, levels: Vec<Option<Level>>) -> Season {
    let grace_days = u32::try_from(row.grace_days);
    let is_whole = grace_days.is_ok() && levels.iter().all(Option::is_some);
    let rules = NewSeason {
        name: row.season_name,
        start: EventDay::from(row.start_date),
        end: EventDay::from(row.end_date),
        max_level: row.max_level,
        base_xp_per_stamp: row.base_xp_per_stamp,
        max_xp_bonus: row.max_xp_bonus,
        grace_days: grace_days.unwrap_or(0),
        internal_win_threshold: row.internal_win_threshold,
        is_active: row.is_active,
        levels: levels.into_iter().flatten().collect(),
    };
    Season {
        id: SeasonId(row.id),
        is_sound: is_whole && check_season(&rules).is_empty(),
        rules,
    }
}

pub(crate) async fn has_seasons(conn: &impl ConnectionTrait) -> Result<bool, DbError> {
    Ok(config::Entity::find().one(conn).await?.is_some())
}

pub(crate) async fn insert_season(
    tx: &DatabaseTransaction,
    season: &NewSeason,
    now: DateTime<Utc>,
) -> Result<SeasonId, DbError> {
    let inserted = config::Entity::insert(config::ActiveModel {
        id: NotSet,
        season_name: Set(season.name.clone()),
        start_date: Set(season.start.date()),
        end_date: Set(season.end.date()),
        max_level: Set(season.max_level),
        base_xp_per_stamp: Set(season.base_xp_per_stamp),
        max_xp_bonus: Set(season.max_xp_bonus),
        grace_days: Set(season.grace_days.into()),
        internal_win_threshold: Set(season.internal_win_threshold),
        is_active: Set(season.is_active),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    let id = inserted.last_insert_id;
    let levels = season.levels.iter().map(|level| level::ActiveModel {
        season_id: Set(id),
        level: Set(level.level),
        required_xp: Set(level.required_xp),
        reward_type: Set(level.reward.kind().as_str().to_owned()),
        reward_amount: Set(level.reward.amount()),
        reward_item: Set(level.reward.item()),
        reward_label: Set(level.reward_label.clone()),
        auto_claim: Set(level.auto_claim),
        is_manual: Set(level.manual),
    });
    level::Entity::insert_many(levels)
        .exec_without_returning(tx)
        .await?;
    Ok(SeasonId(id))
}

pub(crate) async fn progress(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    season_id: SeasonId,
) -> Result<Option<Progress>, DbError> {
    let row = progress::Entity::find_by_id((user_id.0, season_id.0))
        .one(conn)
        .await?;
    Ok(row.map(|row| Progress {
        current_xp: row.current_xp,
        current_level: row.current_level,
        level_high_water: row.level_high_water,
        total_stamps: row.total_stamps,
        last_stamp_day: row.last_stamp_date.map(EventDay::from),
        internal_wins: row.internal_wins,
    }))
}

/// Writes progress; `is_new` says that there was no row. The player is locked.
pub(crate) async fn save_progress(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season_id: SeasonId,
    progress: &Progress,
    is_new: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let row = progress::ActiveModel {
        user_id: NotSet,
        season_id: NotSet,
        current_xp: Set(progress.current_xp),
        current_level: Set(progress.current_level),
        level_high_water: Set(progress.level_high_water),
        total_stamps: Set(progress.total_stamps),
        last_stamp_date: Set(progress.last_stamp_day.map(EventDay::date)),
        internal_wins: Set(progress.internal_wins),
        updated_at: Set(Timestamp(now)),
    };
    if is_new {
        let row = progress::ActiveModel {
            user_id: Set(user_id.0),
            season_id: Set(season_id.0),
            ..row
        };
        progress::Entity::insert(row)
            .exec_without_returning(tx)
            .await?;
    } else {
        progress::Entity::update_many()
            .set(row)
            .filter(progress::Column::UserId.eq(user_id.0))
            .filter(progress::Column::SeasonId.eq(season_id.0))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// A stamp to be.
pub(crate) struct Stamp<'a> {
    pub(crate) period_key: &'a str,
    /// Which bridge key it is, if it is one.
    pub(crate) event_type: Option<&'a str>,
    pub(crate) source: Feature,
    pub(crate) xp_earned: i64,
}

/// Writes a stamp; `false` if the period has one.
pub(crate) async fn insert_stamp(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season_id: SeasonId,
    stamp: &Stamp<'_>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let inserted = stamp_log::Entity::insert(stamp_log::ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        season_id: Set(season_id.0),
        period_key: Set(stamp.period_key.to_owned()),
        event_type: Set(stamp.event_type.map(str::to_owned)),
        source_feature_type: Set(stamp.source.as_str().to_owned()),
        xp_earned: Set(stamp.xp_earned),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await
    .map_err(DbError::from);
    first_time(inserted, Constraint::SeasonStampPeriod)
}

/// Whether an insert went through; `false` if `constraint` says that the row is there already.
fn first_time(inserted: Result<u64, DbError>, constraint: Constraint) -> Result<bool, DbError> {
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if error.constraint() == Some(constraint) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) async fn has_stamp(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season_id: SeasonId,
    period_key: &str,
) -> Result<bool, DbError> {
    let row = stamp_log::Entity::find()
        .filter(stamp_log::Column::UserId.eq(user_id.0))
        .filter(stamp_log::Column::SeasonId.eq(season_id.0))
        .filter(stamp_log::Column::PeriodKey.eq(period_key))
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// The bridge keys that a player has collected in a season, by their names.
pub async fn key_stamps(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    season_id: SeasonId,
) -> Result<BTreeSet<String>, DbError> {
    let keys: Vec<String> = stamp_log::Entity::find()
        .select_only()
        .column(stamp_log::Column::PeriodKey)
        .filter(stamp_log::Column::UserId.eq(user_id.0))
        .filter(stamp_log::Column::SeasonId.eq(season_id.0))
        .filter(stamp_log::Column::EventType.is_not_null())
        .into_tuple()
        .all(conn)
        .await?;
    Ok(keys.into_iter().collect())
}

/// The levels whose reward a player has collected.
pub(crate) async fn claimed_levels(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    season_id: SeasonId,
) -> Result<BTreeSet<i64>, DbError> {
    let rows = reward_log::Entity::find()
        .filter(reward_log::Column::UserId.eq(user_id.0))
        .filter(reward_log::Column::SeasonId.eq(season_id.0))
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| row.level).collect())
}

/// Marks a level as collected; `false` if it is.
pub(crate) async fn insert_claim(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season_id: SeasonId,
    level: &Level,
    grant_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let inserted = reward_log::Entity::insert(reward_log::ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        season_id: Set(season_id.0),
        level: Set(level.level),
        reward_type: Set(level.reward.kind().as_str().to_owned()),
        reward_amount: Set(level.reward.amount()),
        reward_label: Set(level.reward_label.clone()),
        auto_claim: Set(level.auto_claim),
        grant_key: Set(grant_key.to_owned()),
        claimed_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await
    .map_err(DbError::from);
    first_time(inserted, Constraint::SeasonLevelReward)
}
