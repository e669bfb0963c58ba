use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QueryResult, QuerySelect, Select,
    sea_query::{Expr, Func, Query, SelectStatement},
};
use xmas_kernel::{
    Feature, SeasonId, UserId,
    db::{Constraint, DbError, Timestamp},
};
use xmas_players::beside;
use xmas_rewards::Reward;
use xmas_time::EventDay;

use crate::{
    Level, NewSeason, Progress, SavedSeason, Season, constraints,
    entity::{config, level, progress, reward_log, stamp_log},
    rules::{SeasonSpan, check_season},
};

/// Every active season with its ladder. Whether bundles and coupons that it promises exist is not
/// looked at.
pub(crate) async fn active_seasons(conn: &impl ConnectionTrait) -> Result<Vec<Season>, DbError> {
    let active = config::Entity::find().filter(config::Column::IsActive.eq(true));
    let seasons = with_ladders(conn, active).await?;
    Ok(seasons.into_iter().map(|saved| saved.season).collect())
}

/// Seasons with their ladders, in the order of their ids. One statement, so that nobody sees half of an
/// edit.
pub(crate) async fn with_ladders(
    conn: &impl ConnectionTrait,
    which: Select<config::Entity>,
) -> Result<Vec<SavedSeason>, DbError> {
    let rows = which
        .find_with_related(level::Entity)
        .order_by_asc(config::Column::Id)
        .order_by_asc(level::Column::Level)
        .all(conn)
        .await?;
    let saved = |(row, levels): (config::Model, Vec<level::Model>)| SavedSeason {
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
        season: season(row, levels.into_iter().map(rung).collect()),
    };
    Ok(rows.into_iter().map(saved).collect())
}

/// A page of all seasons, newest first, and how many there are.
pub(crate) async fn page(
    conn: &impl ConnectionTrait,
    offset: u64,
    limit: u64,
) -> Result<(Vec<SavedSeason>, u64), DbError> {
    let total = config::Entity::find().count(conn).await?;
    let ids: Vec<i64> = config::Entity::find()
        .select_only()
        .column(config::Column::Id)
        .order_by_desc(config::Column::Id)
        .offset(offset)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    let which = config::Entity::find().filter(config::Column::Id.is_in(ids));
    let mut seasons = with_ladders(conn, which).await?;
    seasons.reverse();
    Ok((seasons, total))
}

pub(crate) async fn find_season(
    conn: &impl ConnectionTrait,
    id: SeasonId,
) -> Result<Option<SavedSeason>, DbError> {
    let which = config::Entity::find().filter(config::Column::Id.eq(id.0));
    Ok(with_ladders(conn, which).await?.pop())
}

pub(crate) async fn find_named(
    conn: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<SavedSeason>, DbError> {
    let which = config::Entity::find().filter(config::Column::SeasonName.eq(name));
    // The database may take names for the same that are not.
    let mut named = with_ladders(conn, which).await?;
    named.retain(|season| season.season.rules.name == name);
    Ok(named.pop())
}

pub(crate) async fn find_last_active(
    conn: &impl ConnectionTrait,
) -> Result<Option<SavedSeason>, DbError> {
    let last: Option<i64> = config::Entity::find()
        .select_only()
        .column(config::Column::Id)
        .filter(config::Column::IsActive.eq(true))
        .order_by_desc(config::Column::EndDate)
        .order_by_desc(config::Column::Id)
        .into_tuple()
        .one(conn)
        .await?;
    match last {
        Some(id) => find_season(conn, SeasonId(id)).await,
        None => Ok(None),
    }
}

pub(crate) async fn standings(
    conn: &impl ConnectionTrait,
    season: SeasonId,
) -> Result<Vec<(i64, i64, i64)>, DbError> {
    use progress::Column;
    let rows = progress::Entity::find()
        .select_only()
        .column(Column::CurrentXp)
        .column(Column::LevelHighWater)
        .column_as(Column::UserId.count(), "players")
        .filter(Column::SeasonId.eq(season.0))
        .group_by(Column::CurrentXp)
        .group_by(Column::LevelHighWater)
        .into_tuple();
    Ok(rows.all(conn).await?)
}

/// Whether another active season runs on any of these days.
pub(crate) async fn has_overlap(
    tx: &DatabaseTransaction,
    season: &NewSeason,
    own: Option<SeasonId>,
) -> Result<bool, DbError> {
    use config::Column;
    let mut others = config::Entity::find()
        .filter(Column::IsActive.eq(true))
        .filter(Column::StartDate.lte(season.end.date()))
        .filter(Column::EndDate.gte(season.start.date()));
    if let Some(own) = own {
        others = others.filter(Column::Id.ne(own.0));
    }
    Ok(others.one(tx).await?.is_some())
}

/// Saves everything about a season that is there, its ladder included.
pub(crate) async fn update_season(
    tx: &DatabaseTransaction,
    id: SeasonId,
    season: &NewSeason,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    config::Entity::update_many()
        .set(config::ActiveModel {
            id: NotSet,
            created_at: NotSet,
            ..columns(season, now)
        })
        .filter(config::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    level::Entity::delete_many()
        .filter(level::Column::SeasonId.eq(id.0))
        .exec(tx)
        .await?;
    insert_levels(tx, id, season).await
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
    let inserted = config::Entity::insert(columns(season, now))
        .exec(tx)
        .await?;
    let id = SeasonId(inserted.last_insert_id);
    insert_levels(tx, id, season).await?;
    Ok(id)
}

fn columns(season: &NewSeason, now: DateTime<Utc>) -> config::ActiveModel {
    config::ActiveModel {
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
    }
}

async fn insert_levels(
    tx: &DatabaseTransaction,
    id: SeasonId,
    season: &NewSeason,
) -> Result<(), DbError> {
    if season.levels.is_empty() {
        return Ok(());
    }
    let levels = season.levels.iter().map(|level| level::ActiveModel {
        season_id: Set(id.0),
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
    Ok(())
}

/// A player's progress that is written next. The player is locked already, but that lock holds on one node of a cluster
/// only: this is the row of which two nodes agree who was first.
pub(crate) async fn lock_progress(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season_id: SeasonId,
) -> Result<Option<Progress>, DbError> {
    let row = progress::Entity::find_by_id((user_id.0, season_id.0)).lock_exclusive();
    Ok(row.one(tx).await?.map(Progress::from))
}

impl From<progress::Model> for Progress {
    fn from(row: progress::Model) -> Self {
        Self {
            current_xp: row.current_xp,
            current_level: row.current_level,
            level_high_water: row.level_high_water,
            total_stamps: row.total_stamps,
            last_stamp_day: row.last_stamp_date.map(EventDay::from),
            internal_wins: row.internal_wins,
        }
    }
}

/// Writes progress that was read with its lock ([`crate::Place`]); `is_new` says that there was no row.
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
    let inserted = stamp_log::Entity::insert(row(user_id, season_id, stamp, now))
        .exec_without_returning(tx)
        .await
        .map_err(DbError::from);
    first_time(inserted, &constraints::STAMP_PERIOD)
}

fn row(
    user_id: UserId,
    season_id: SeasonId,
    stamp: &Stamp<'_>,
    now: DateTime<Utc>,
) -> stamp_log::ActiveModel {
    stamp_log::ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        season_id: Set(season_id.0),
        period_key: Set(stamp.period_key.to_owned()),
        event_type: Set(stamp.event_type.map(str::to_owned)),
        source_feature_type: Set(stamp.source.as_str().to_owned()),
        xp_earned: Set(stamp.xp_earned),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
    }
}

/// Whether an insert went through; `false` if `constraint` says that the row is there already.
fn first_time(inserted: Result<u64, DbError>, constraint: &Constraint) -> Result<bool, DbError> {
    match inserted {
        Ok(_) => Ok(true),
        Err(error) if error.violates(constraint) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Adds the bridge keys that a player has collected in a season to what is read with their profile.
pub fn join_keys(select: &mut SelectStatement, season_id: SeasonId) {
    use stamp_log::Column;
    let keys = Query::select()
        .expr(Func::cust("GROUP_CONCAT").arg(Expr::col(Column::PeriodKey)))
        .from(stamp_log::Entity)
        .and_where(beside::of_player(stamp_log::Entity))
        .and_where(Column::SeasonId.eq(season_id.0))
        .and_where(Column::EventType.is_not_null())
        .take();
    select.expr_as(Expr::SubQuery(None, Box::new(keys.into())), KEYS);
}

/// What [`join_keys`] has brought: the keys by their names, which have no commas.
pub fn joined_keys(row: &QueryResult) -> Result<BTreeSet<String>, DbError> {
    let keys: Option<String> = row.try_get("", KEYS)?;
    let keys = keys.as_deref().unwrap_or_default();
    Ok(keys.split_terminator(',').map(str::to_owned).collect())
}

const KEYS: &str = "collected_keys";

/// Whether anybody has collected a bridge key of a season.
pub async fn has_key_stamps(
    conn: &impl ConnectionTrait,
    season_id: SeasonId,
    key: &str,
) -> Result<bool, DbError> {
    let row = stamp_log::Entity::find()
        .filter(stamp_log::Column::SeasonId.eq(season_id.0))
        .filter(stamp_log::Column::PeriodKey.eq(key))
        .one(conn)
        .await?;
    Ok(row.is_some())
}

/// Those of the players who have collected a bridge key of a season.
pub async fn key_owners(
    conn: &impl ConnectionTrait,
    season_id: SeasonId,
    key: &str,
    players: &[UserId],
) -> Result<HashSet<UserId>, DbError> {
    let owners: Vec<i64> = stamp_log::Entity::find()
        .select_only()
        .column(stamp_log::Column::UserId)
        .filter(stamp_log::Column::UserId.is_in(players.iter().map(|player| player.0)))
        .filter(stamp_log::Column::SeasonId.eq(season_id.0))
        .filter(stamp_log::Column::PeriodKey.eq(key))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(owners.into_iter().map(UserId).collect())
}

/// Writes a bridge key for players who lack it. The caller has locked them; they are as many as one
/// statement carries.
pub async fn stamp_key_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    season_id: SeasonId,
    key: &str,
    source: Feature,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let stamp = Stamp {
        period_key: key,
        event_type: Some(key),
        source,
        xp_earned: 0,
    };
    let stamps = players
        .iter()
        .map(|player| row(*player, season_id, &stamp, now));
    stamp_log::Entity::insert_many(stamps)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Takes a bridge key back from players who have it. The caller has locked them.
pub async fn unstamp_key_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    season_id: SeasonId,
    key: &str,
) -> Result<(), DbError> {
    stamp_log::Entity::delete_many()
        .filter(stamp_log::Column::UserId.is_in(players.iter().map(|player| player.0)))
        .filter(stamp_log::Column::SeasonId.eq(season_id.0))
        .filter(stamp_log::Column::PeriodKey.eq(key))
        .exec(tx)
        .await?;
    Ok(())
}

/// The first and the last day of a season, active or not; `None` if there is no such season.
pub async fn days_of(
    conn: &impl ConnectionTrait,
    season_id: SeasonId,
) -> Result<Option<(EventDay, EventDay)>, DbError> {
    let row = config::Entity::find_by_id(season_id.0).one(conn).await?;
    Ok(row.map(|row| (row.start_date.into(), row.end_date.into())))
}

/// When each season begins and when it is over, active or not.
pub async fn season_spans(conn: &impl ConnectionTrait) -> Result<Vec<SeasonSpan>, DbError> {
    let rows = config::Entity::find().all(conn).await?;
    let span = |row: config::Model| {
        let grace_days = u32::try_from(row.grace_days);
        let too_many = |_| DbError::Corrupt(format!("season {} has too long a grace", row.id));
        let grace_days = grace_days.map_err(too_many)?;
        let (start, end) = (row.start_date.into(), row.end_date.into());
        Ok(SeasonSpan::of(start, end, grace_days))
    };
    rows.into_iter().map(span).collect()
}

/// Whether a season takes stamps on a day.
pub async fn is_running(conn: &impl ConnectionTrait, day: EventDay) -> Result<bool, DbError> {
    let running = config::Entity::find()
        .filter(config::Column::IsActive.eq(true))
        .filter(config::Column::StartDate.lte(day.date()))
        .filter(config::Column::EndDate.gte(day.date()));
    Ok(running.count(conn).await? > 0)
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
    first_time(inserted, &constraints::LEVEL_REWARD)
}
