//! Bridge keys and the points they promise: `event_key_count` and `event_pending_points`.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, JoinType,
    QueryFilter, QueryOrder, QuerySelect, RelationTrait, sea_query::Expr,
};
use xmas_kernel::{
    UserId,
    db::{DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::{
    LockedPlayer, Role, Status,
    entity::{
        user,
        user_profiles::{Column, Entity, Relation},
    },
};

/// What a player has collected for a settlement that is yet to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyStanding {
    pub keys: i64,
    pub pending_points: i64,
}

/// A player with keys, whose profile is locked until the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    pub user_id: UserId,
    pub keys: i64,
    pub pending_points: i64,
}

/// Which holders of keys are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Those who may be paid: players, ACTIVE, and with at least so many keys.
    Payable { keys_required: i64 },
    /// Everybody of whom anything is left, whatever their status.
    Anything,
}

/// The next players of whom there may be something to pay or to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHolders {
    /// Those who are meant, in ascending id.
    pub holders: Vec<KeyHolder>,
    /// The last one who was looked at, meant or not; `None` if nobody was left.
    pub last: Option<UserId>,
}

/// What a player has collected; `None` if there is no such player.
pub async fn key_standing(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<KeyStanding>, DbError> {
    let row = Entity::find_by_id(user_id.0).one(conn).await?;
    Ok(row.map(|row| KeyStanding {
        keys: row.event_key_count,
        pending_points: row.event_pending_points,
    }))
}

/// The next players after `after`, in ascending id; accounts of admins are not players.
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
        .order_by_asc(Column::UserId)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Adds a key and the points it promises. `day` is the day whose key it is, if that is today.
pub async fn add_key_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    points: i64,
    today: Option<EventDay>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut update = Entity::update_many()
        .col_expr(
            Column::EventKeyCount,
            Expr::col(Column::EventKeyCount).add(1),
        )
        .col_expr(
            Column::EventPendingPoints,
            Expr::col(Column::EventPendingPoints).add(points),
        )
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.eq(player.user_id().0));
    if let Some(today) = today {
        update = update.col_expr(Column::LastKeyOn, Expr::value(today.date()));
    }
    update.exec(tx).await?;
    Ok(())
}

/// Locks the next players after `after` that hold keys, in ascending id, and says who of them is
/// meant.
pub async fn lock_key_holders_in_tx(
    tx: &DatabaseTransaction,
    which: Completion,
    after: UserId,
    limit: u64,
) -> Result<KeyHolders, DbError> {
    let holds = match which {
        Completion::Payable { keys_required } => {
            Condition::all().add(Column::EventKeyCount.gte(keys_required))
        }
        Completion::Anything => Condition::any()
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
    let holder = |(user_id, keys, pending_points)| KeyHolder {
        user_id: UserId(user_id),
        keys,
        pending_points,
    };
    let mut holders: Vec<KeyHolder> = rows.into_iter().map(holder).collect();
    let last = holders.last().map(|holder| holder.user_id);
    if matches!(which, Completion::Payable { .. }) && !holders.is_empty() {
        // Read without a lock and after the profiles': a status changes only under its player's
        // lock, and whoever changes one takes the profile's row first.
        let ids = holders.iter().map(|holder| holder.user_id.0);
        let active: HashSet<i64> = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Id.is_in(ids))
            .filter(user::Column::Status.eq(Status::Active.as_str()))
            .filter(user::Column::Role.eq(Role::Player.as_str()))
            .into_tuple::<i64>()
            .all(tx)
            .await?
            .into_iter()
            .collect();
        holders.retain(|holder| active.contains(&holder.user_id.0));
    }
    Ok(KeyHolders { holders, last })
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
        .column_as(
            Expr::col(Column::EventPendingPoints)
                .sum()
                .cast_as(integer(conn)),
            "points",
        )
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

/// What a sum is cast to: it is a decimal on MySQL.
fn integer(conn: &impl ConnectionTrait) -> &'static str {
    match conn.get_database_backend() {
        sea_orm::DbBackend::Sqlite => "INTEGER",
        _ => "SIGNED",
    }
}
