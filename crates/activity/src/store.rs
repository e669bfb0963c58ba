use std::ops::Range;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Func, SimpleExpr},
};
use serde_json::Value;
use xmas_kernel::{
    Feature, UserId,
    db::{DbError, Timestamp, portions},
};
use xmas_time::EventDay;

use crate::{
    ClientEventKind, EventKind, constraints,
    entity::user_event_log::{ActiveModel, Column, Entity},
};

pub(crate) struct Row<'a> {
    pub(crate) user_id: UserId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) feature: Option<Feature>,
    pub(crate) event_type: &'static str,
    pub(crate) once_key: Option<String>,
    pub(crate) meta: &'a Value,
}

/// Writes rows in one statement, or a few if they are many.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    rows: impl IntoIterator<Item = Row<'_>>,
) -> Result<(), DbError> {
    let rows = rows.into_iter().map(|row| ActiveModel {
        id: NotSet,
        user_id: Set(row.user_id.0),
        feature_type: Set(row.feature.map(|feature| feature.as_str().to_owned())),
        event_type: Set(row.event_type.to_owned()),
        event_day: Set(EventDay::of(row.at).date()),
        once_key: Set(row.once_key),
        meta_json: Set(row.meta.to_string()),
        created_at: Set(Timestamp(row.at)),
    });
    for some in portions(rows.collect()) {
        Entity::insert_many(some).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// How many rows one statement carries, well below what the servers take.
const ROWS_AT_ONCE: usize = 1_000;

/// Writes a row for each of many players.
pub(crate) async fn insert_many(
    tx: &DatabaseTransaction,
    kind: EventKind,
    players: Vec<(UserId, Value)>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut rows = players.into_iter().map(|(user_id, meta)| ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        feature_type: Set(None),
        event_type: Set(kind.as_str().to_owned()),
        event_day: Set(EventDay::of(now).date()),
        once_key: Set(None),
        meta_json: Set(meta.to_string()),
        created_at: Set(Timestamp(now)),
    });
    loop {
        let some: Vec<_> = rows.by_ref().take(ROWS_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(());
        }
        Entity::insert_many(some).exec_without_returning(tx).await?;
    }
}

/// Those of the players with ids in `after..=until` who did anything from `first` to `last`.
pub async fn active_players(
    conn: &impl ConnectionTrait,
    (after, until): (UserId, UserId),
    (first, last): (EventDay, EventDay),
) -> Result<Vec<UserId>, DbError> {
    let ids: Vec<i64> = Entity::find()
        .select_only()
        .distinct()
        .column(Column::UserId)
        .filter(Column::UserId.gt(after.0))
        .filter(Column::UserId.lte(until.0))
        .filter(Column::EventDay.between(first.date(), last.date()))
        .filter(Column::EventType.is_not_in(EventKind::PASSIVE.map(EventKind::as_str)))
        .order_by_asc(Column::UserId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids.into_iter().map(UserId).collect())
}

/// Writes a row that may be there once; says whether it was written now.
pub(crate) async fn insert_once(tx: &DatabaseTransaction, row: Row<'_>) -> Result<bool, DbError> {
    match insert(tx, [row]).await {
        Ok(()) => Ok(true),
        Err(error) if error.violates(&constraints::ONCE) => Ok(false),
        Err(error) => Err(error),
    }
}

/// When the row with this key was written.
pub(crate) async fn written_at(
    tx: &DatabaseTransaction,
    user_id: UserId,
    once_key: &str,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let row = Entity::find()
        .filter(Column::UserId.eq(user_id.0))
        .filter(Column::OnceKey.eq(once_key))
        .one(tx)
        .await?;
    Ok(row.map(|row| row.created_at.0))
}

/// Takes the addresses out of a player's logins, and out of what their client reported whatever it said in
/// its own words.
pub(crate) async fn forget(tx: &DatabaseTransaction, user_id: UserId) -> Result<(), DbError> {
    let logins = Column::EventType.eq(EventKind::AuthLogin.as_str());
    let reports = Column::EventType.starts_with(ClientEventKind::PREFIX);
    for (rows, path) in [(logins, ADDRESS), (reports, "$.meta")] {
        Entity::update_many()
            .col_expr(Column::MetaJson, without(path))
            .filter(Column::UserId.eq(user_id.0))
            .filter(rows)
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Takes the addresses out of up to `most` logins of a time, oldest first, and returns how many and the instant of
/// the last one: before it none is left.
pub async fn forget_addresses_in_tx(
    tx: &DatabaseTransaction,
    time: Range<DateTime<Utc>>,
    most: u64,
) -> Result<(u64, Option<DateTime<Utc>>), DbError> {
    let address = Func::cust("JSON_EXTRACT")
        .arg(Expr::col(Column::MetaJson))
        .arg(Expr::value(ADDRESS));
    let found: Vec<(i64, Timestamp)> = logins_since(time.start)
        .select_only()
        .columns([Column::Id, Column::CreatedAt])
        .filter(Column::CreatedAt.lt(Timestamp(time.end)))
        .filter(Expr::expr(address).is_not_null())
        .order_by_asc(Column::CreatedAt)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await?;
    let last = found.last().map(|(_, at)| at.0);
    let ids = found.into_iter().map(|(id, _)| id);
    let forgotten = Entity::update_many()
        .col_expr(Column::MetaJson, without(ADDRESS))
        .filter(Column::Id.is_in(ids))
        .exec(tx)
        .await?;
    Ok((forgotten.rows_affected, last))
}

/// How many logins there were since.
pub async fn count_logins(
    conn: &impl ConnectionTrait,
    since: DateTime<Utc>,
) -> Result<u64, DbError> {
    Ok(logins_since(since).count(conn).await?)
}

fn logins_since(since: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::EventType.eq(EventKind::AuthLogin.as_str()))
        .filter(Column::CreatedAt.gte(Timestamp(since)))
}

/// Where a login came from, in what is kept of it.
const ADDRESS: &str = "$.address";

/// What is kept of an event, without what stands at a place.
fn without(path: &str) -> SimpleExpr {
    let removed = Func::cust("JSON_REMOVE")
        .arg(Expr::col(Column::MetaJson))
        .arg(Expr::value(path));
    removed.into()
}
