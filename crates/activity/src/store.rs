use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, NotSet, QueryFilter,
};
use serde_json::Value;
use xmas_kernel::{
    Feature, UserId,
    db::{Constraint, DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::entity::user_event_log::{ActiveModel, Column, Entity};

pub(crate) struct Row<'a> {
    pub(crate) feature: Option<Feature>,
    pub(crate) event_type: &'static str,
    pub(crate) once_key: Option<String>,
    pub(crate) meta: &'a Value,
}

/// Writes rows in one statement.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    user_id: UserId,
    rows: impl IntoIterator<Item = Row<'_>>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let rows = rows.into_iter().map(|row| ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        feature_type: Set(row.feature.map(|feature| feature.as_str().to_owned())),
        event_type: Set(row.event_type.to_owned()),
        event_day: Set(EventDay::of(now).date()),
        once_key: Set(row.once_key),
        meta_json: Set(row.meta.to_string()),
        created_at: Set(Timestamp(now)),
    });
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes a row that may be there once; says whether it was written now.
pub(crate) async fn insert_once(
    tx: &DatabaseTransaction,
    user_id: UserId,
    row: Row<'_>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    match insert(tx, user_id, [row], now).await {
        Ok(()) => Ok(true),
        Err(error) if error.constraint() == Some(Constraint::ActivityOnce) => Ok(false),
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
