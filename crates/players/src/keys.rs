//! Bridge keys and the points they promise: `event_key_count` and `event_pending_points`.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, JoinType,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait, UpdateMany, sea_query::Expr,
};
use xmas_kernel::{
    UserId,
    db::{DbError, Timestamp, sum},
};
use xmas_time::EventDay;

use crate::{
    LockedPlayer, Role, Status, UncheckedProfile, beside,
    entity::{
        user,
        user_profiles::{Column, Entity, Model, Relation},
    },
};

/// What a player has collected for a settlement that is yet to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyStanding {
    pub keys: i64,
    pub pending_points: i64,
}

impl KeyStanding {
    /// Of a profile that was read with those of others.
    pub fn of(profile: &UncheckedProfile) -> Self {
        Self::in_row(&profile.0)
    }

    fn in_row(row: &Model) -> Self {
        Self {
            keys: row.event_key_count,
            pending_points: row.event_pending_points,
        }
    }
}

/// A player with keys, whose profile is locked until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    pub user_id: UserId,
    pub keys: i64,
    pub pending_points: i64,
    /// Whether this is an ACTIVE player, and neither an admin nor somebody blocked or deleted.
    pub is_active: bool,
}

/// Which holders of keys are meant, whatever their status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// At least so many keys.
    Keys(i64),
    /// Any keys, or points that were promised for some.
    Anything,
}

/// What a player has collected; `None` if there is no such player.
pub async fn key_standing(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<KeyStanding>, DbError> {
    let (row, _) = beside::read(conn, &beside::profile(user_id)).await?;
    Ok(row.as_ref().map(KeyStanding::in_row))
}

/// The next players after `after` who are ACTIVE or BLOCKED, in ascending id; accounts of admins are
/// not players.
pub async fn next_players(
    conn: &impl ConnectionTrait,
    after: UserId,
    limit: u64,
) -> Result<Vec<UserId>, DbError> {
    let ids: Vec<i64> = Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, Relation::User.def())
        .column(Column::UserId)
        .filter(Column::UserId.gt(after.0))
        .filter(user::Column::Role.eq(Role::Player.as_str()))
        .filter(user::Column::Status.ne(Status::Inactive.as_str()))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Adds a key and the points it promises. `today` is the day whose key it is, if that is today: then it has
/// been earned, and nothing that the player does earns it again.
pub async fn add_key_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    points: i64,
    today: Option<EventDay>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut update = add_key(&[player.user_id()], points, now);
    if let Some(today) = today {
        update = update.col_expr(Column::LastKeyOn, Expr::value(today.date()));
    }
    update.exec(tx).await?;
    Ok(())
}

/// Notes that a player has earned the key of a day that they had been given.
pub async fn note_key_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    day: EventDay,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::LastKeyOn, Expr::value(day.date()))
        .filter(Column::UserId.eq(player.user_id().0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Adds a key that is given, and not earned, to many players. The caller has locked them.
pub async fn add_key_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    points: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    add_key(players, points, now).exec(tx).await?;
    Ok(())
}

/// Takes a key and the points it promised back from players who hold it. The caller has locked them.
pub async fn take_key_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    points: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let keys = Expr::col(Column::EventKeyCount).sub(1);
    let pending = Expr::col(Column::EventPendingPoints).sub(points);
    let taken = move_keys(players, keys, pending, now)
        .filter(Column::EventKeyCount.gte(1))
        .filter(Column::EventPendingPoints.gte(points))
        .exec(tx)
        .await?;
    if taken.rows_affected != players.len() as u64 {
        return Err(DbError::Overtaken("keys that were to be taken".to_owned()));
    }
    Ok(())
}

fn add_key(players: &[UserId], points: i64, now: DateTime<Utc>) -> UpdateMany<Entity> {
    let keys = Expr::col(Column::EventKeyCount).add(1);
    let pending = Expr::col(Column::EventPendingPoints).add(points);
    move_keys(players, keys, pending, now)
}

fn move_keys(
    players: &[UserId],
    keys: Expr,
    pending: Expr,
    now: DateTime<Utc>,
) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::EventKeyCount, keys)
        .col_expr(Column::EventPendingPoints, pending)
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
}

/// Locks the next players after `after` that hold so much, in ascending id.
pub async fn lock_key_holders_in_tx(
    tx: &DatabaseTransaction,
    held: Held,
    after: UserId,
    limit: u64,
) -> Result<Vec<KeyHolder>, DbError> {
    let holds = match held {
        Held::Keys(keys) => Condition::all().add(Column::EventKeyCount.gte(keys)),
        Held::Anything => Condition::any()
            .add(Column::EventKeyCount.gt(0))
            .add(Column::EventPendingPoints.gt(0)),
    };
    let rows: Vec<(i64, i64, i64)> = Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::EventKeyCount)
        .column(Column::EventPendingPoints)
        .filter(holds)
        .filter(Column::UserId.gt(after.0))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    // Read without a lock and after the profiles': a status changes only under its player's lock, and
    // whoever changes one takes the profile's row first.
    let active: HashSet<i64> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.is_in(rows.iter().map(|(user_id, ..)| *user_id)))
        .filter(user::Column::Status.eq(Status::Active.as_str()))
        .filter(user::Column::Role.eq(Role::Player.as_str()))
        .into_tuple::<i64>()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let holder = |(user_id, keys, pending_points)| KeyHolder {
        user_id: UserId(user_id),
        keys,
        pending_points,
        is_active: active.contains(&user_id),
    };
    Ok(rows.into_iter().map(holder).collect())
}

/// Raises the account level of players by one and takes their keys. The caller has locked them.
pub async fn complete_keys_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::Level, Expr::col(Column::Level).add(1))
        .col_expr(Column::EventKeyCount, Expr::value(0))
        .col_expr(Column::EventPendingPoints, Expr::value(0))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes what is left of players' keys and points, for nothing. The caller has locked them.
pub async fn expire_keys_many_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::EventKeyCount, Expr::value(0))
        .col_expr(Column::EventPendingPoints, Expr::value(0))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many players hold how many keys, and the points these promise, by status.
pub async fn key_histogram(
    conn: &impl ConnectionTrait,
) -> Result<BTreeMap<(Status, i64), (u64, i64)>, DbError> {
    let rows: Vec<(String, i64, i64, i64)> = Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, Relation::User.def())
        .column(user::Column::Status)
        .column(Column::EventKeyCount)
        .column_as(Expr::col((Entity, Column::UserId)).count(), "players")
        .column_as(sum(conn, Column::EventPendingPoints), "points")
        .filter(Column::EventKeyCount.gt(0))
        .filter(user::Column::Role.eq(Role::Player.as_str()))
        .group_by(user::Column::Status)
        .group_by(Column::EventKeyCount)
        .into_tuple()
        .all(conn)
        .await?;
    let mut histogram = BTreeMap::new();
    for (status, keys, players, points) in rows {
        let status = status
            .parse()
            .map_err(|error| DbError::Corrupt(format!("user.status: {error}")))?;
        histogram.insert((status, keys), (players.unsigned_abs(), points));
    }
    Ok(histogram)
}
