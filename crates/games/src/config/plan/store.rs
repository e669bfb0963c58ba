//! `odds_plan`.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, NotSet, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Serialize, de::DeserializeOwned};
use xmas_kernel::{
    ConfigId, Feature, OddsId, PlanId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit},
};

use super::{
    entity::odds_plan::{ActiveModel, Column, Entity, Model},
    model::{Brief, PlanState, Replaced},
};
use crate::config::{Config, Saved};

/// Those that are to take over, and those that have since an instant, by their instants.
pub(crate) async fn around(
    conn: &impl ConnectionTrait,
    feature: Feature,
    since: DateTime<Utc>,
) -> Result<Vec<Brief>, DbError> {
    let rows: Vec<(i64, i64, String, Timestamp, i64, Timestamp)> = Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::ConfigId)
        .column(Column::State)
        .column(Column::TakesOverAt)
        .column(Column::OddsId)
        .column(Column::AnnouncedAt)
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(
            Condition::any()
                .add(Column::State.eq(PlanState::Planned.as_str()))
                .add(
                    Column::State
                        .eq(PlanState::TakenOver.as_str())
                        .and(Column::TakesOverAt.gt(Timestamp(since))),
                ),
        )
        .order_by_asc(Column::TakesOverAt)
        .into_tuple()
        .all(conn)
        .await?;
    let brief = |(id, config_id, state, effective_from, odds_id, announced_at): (
        i64,
        i64,
        String,
        Timestamp,
        i64,
        Timestamp,
    )| {
        Ok(Brief {
            id: PlanId(id),
            config_id: ConfigId(config_id),
            state: state_of(id, &state)?,
            effective_from: effective_from.0,
            odds_id: OddsId(odds_id),
            announced_at: announced_at.0,
        })
    };
    rows.into_iter().map(brief).collect()
}

/// Those that are to take over, by their instants, each with its configuration as it is kept.
/// When what is announced of a game takes over, by the instants.
pub async fn announced(
    conn: &impl ConnectionTrait,
    feature: Feature,
) -> Result<Vec<(PlanId, DateTime<Utc>)>, DbError> {
    let rows = planned(conn, feature).await?.into_iter();
    Ok(rows
        .map(|row| (PlanId(row.id), row.takes_over_at.0))
        .collect())
}

pub(super) async fn planned(
    conn: &impl ConnectionTrait,
    feature: Feature,
) -> Result<Vec<Model>, DbError> {
    let rows = Entity::find()
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(Column::State.eq(PlanState::Planned.as_str()))
        .order_by_asc(Column::TakesOverAt);
    Ok(rows.all(conn).await?)
}

/// Whether one of this configuration is to take over.
pub(crate) async fn is_planned(
    conn: &impl ConnectionTrait,
    feature: Feature,
    config_id: ConfigId,
) -> Result<bool, DbError> {
    let planned = Entity::find()
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(Column::State.eq(PlanState::Planned.as_str()))
        .filter(Column::ConfigId.eq(config_id.0));
    Ok(planned.count(conn).await? > 0)
}

/// Those of one configuration, newest first; one more than the limit tells whether there are more.
pub(super) async fn of_config(
    conn: &impl ConnectionTrait,
    feature: Feature,
    config_id: ConfigId,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Vec<Model>, DbError> {
    let mut find = Entity::find()
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(Column::ConfigId.eq(config_id.0));
    if let Some(Cursor(before)) = before {
        find = find.filter(Column::Id.lt(before));
    }
    let rows = find.order_by_desc(Column::Id).limit(limit.get() + 1);
    Ok(rows.all(conn).await?)
}

/// How many plans of all games could not take over since an instant, for whoever watches the event.
pub async fn refused_since(
    conn: &impl ConnectionTrait,
    since: DateTime<Utc>,
) -> Result<u64, DbError> {
    let refused = Entity::find()
        .filter(Column::State.eq(PlanState::Refused.as_str()))
        .filter(Column::EndedAt.gte(Timestamp(since)));
    Ok(refused.count(conn).await?)
}

pub(super) async fn find(
    conn: &impl ConnectionTrait,
    feature: Feature,
    id: PlanId,
) -> Result<Option<Model>, DbError> {
    let row = Entity::find_by_id(id.0).filter(Column::FeatureType.eq(feature.as_str()));
    Ok(row.one(conn).await?)
}

/// What the configuration was that a plan has taken over from; `None` if there was none.
pub(crate) async fn replaced<B: DeserializeOwned>(
    conn: &impl ConnectionTrait,
    feature: Feature,
    plan: &Brief,
) -> Result<Option<Saved<B>>, DbError> {
    let row = find(conn, feature, plan.id).await?;
    let Some(text) = row.and_then(|row| row.replaced) else {
        return Ok(None);
    };
    let replaced: Replaced<B> = serde_json::from_str(&text)
        .map_err(|error| DbError::Corrupt(format!("odds_plan {}: {error}", plan.id)))?;
    Ok(Some(Saved {
        id: replaced.config_id,
        config: replaced.config,
        created_at: plan.announced_at,
        updated_at: plan.announced_at,
    }))
}

/// A plan to be written.
pub(super) struct NewRow<'a, B> {
    pub(super) feature: Feature,
    pub(super) config_id: ConfigId,
    pub(super) effective_from: DateTime<Utc>,
    pub(super) odds_id: OddsId,
    pub(super) config: &'a Config<B>,
}

pub(super) async fn insert<B: Serialize>(
    tx: &DatabaseTransaction,
    new: &NewRow<'_, B>,
    now: DateTime<Utc>,
) -> Result<PlanId, DbError> {
    let inserted = Entity::insert(ActiveModel {
        id: NotSet,
        feature_type: Set(new.feature.as_str().to_owned()),
        config_id: Set(new.config_id.0),
        state: Set(PlanState::Planned.as_str().to_owned()),
        takes_over_at: Set(Timestamp(new.effective_from)),
        open_slot: Set(Some(1)),
        odds_id: Set(new.odds_id.0),
        config: Set(written(new.config)?),
        replaced: Set(None),
        announced_at: Set(Timestamp(now)),
        ended_at: Set(None),
    });
    Ok(PlanId(inserted.exec(tx).await?.last_insert_id))
}

/// Ends a plan that is to take over; `false` if it is not any more.
pub(super) async fn end<B: Serialize>(
    tx: &DatabaseTransaction,
    id: PlanId,
    state: PlanState,
    replaced: Option<&Replaced<B>>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let ended = Entity::update_many()
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::OpenSlot, Expr::value(None::<i64>))
        .col_expr(Column::EndedAt, Expr::value(Timestamp(now)))
        .col_expr(
            Column::Replaced,
            Expr::value(replaced.map(written).transpose()?),
        )
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq(PlanState::Planned.as_str()))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected == 1)
}

pub(super) fn state_of(id: i64, state: &str) -> Result<PlanState, DbError> {
    let known = state.parse();
    known.map_err(|_| DbError::Corrupt(format!("odds_plan {id} is {state}")))
}

fn written(content: &impl Serialize) -> Result<String, DbError> {
    let text = serde_json::to_string(content);
    text.map_err(|error| DbError::Corrupt(format!("a plan cannot be written: {error}")))
}
