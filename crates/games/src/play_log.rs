//! `feature_log`: one row per play of any game.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, NotSet, QueryOrder, QuerySelect,
    entity::prelude::*,
};
use xmas_kernel::{
    ConfigId, Feature, PlayId, UserId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;
use xmas_time::EventDay;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "feature_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub feature_type: String,
    pub config_id: i64,
    pub odds_id: Option<i64>,
    pub nonce: i64,
    pub outcome: String,
    pub is_win: bool,
    pub reward_type: String,
    pub reward_amount: i64,
    pub event_day: Date,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How often a player has played a game on a day: also the nonce of their next play.
pub(crate) async fn plays_on(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    feature: Feature,
    day: EventDay,
) -> Result<i64, DbError> {
    // Nonces have no gaps, so the last one tells without counting.
    let last: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Nonce)
        .filter(Column::UserId.eq(user_id.0))
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(Column::EventDay.eq(day.date()))
        .order_by_desc(Column::Nonce)
        .limit(1)
        .into_tuple()
        .one(conn)
        .await?;
    Ok(last.map_or(0, |nonce| nonce + 1))
}

/// A play to be logged.
pub(crate) struct Row<'a> {
    pub(crate) user_id: UserId,
    pub(crate) feature: Feature,
    pub(crate) config_id: ConfigId,
    pub(crate) nonce: i64,
    pub(crate) outcome: &'a serde_json::Value,
    pub(crate) is_win: bool,
    pub(crate) reward: Reward,
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    row: &Row<'_>,
    now: DateTime<Utc>,
) -> Result<PlayId, DbError> {
    let inserted = Entity::insert(ActiveModel {
        id: NotSet,
        user_id: Set(row.user_id.0),
        feature_type: Set(row.feature.as_str().to_owned()),
        config_id: Set(row.config_id.0),
        odds_id: Set(None),
        nonce: Set(row.nonce),
        outcome: Set(row.outcome.to_string()),
        is_win: Set(row.is_win),
        reward_type: Set(row.reward.kind().as_str().to_owned()),
        reward_amount: Set(row.reward.amount()),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    Ok(PlayId(inserted.last_insert_id))
}
