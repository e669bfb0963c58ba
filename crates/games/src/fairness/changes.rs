//! `odds_change`: what was in force from when on, and what was announced when. Rows are added and never touched again.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, Select,
};
use xmas_kernel::{
    Feature, OddsId, PlanId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit},
};
use xmas_time::EventDay;

use super::entity::odds_change::{ActiveModel, Column, Entity, Model};

/// What has changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr,
)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeKind {
    /// From now on is drawn from this table.
    InForce,
    /// From now on nothing is drawn: nothing is left, or no configuration is switched on that can be played.
    #[strum(serialize = "NONE")]
    Nothing,
    /// This table will take over.
    Announced,
    /// What was announced has taken over. The table in force is this one without what has run out.
    TakenOver,
    /// What was announced will not take over.
    Withdrawn,
    /// What was announced could not take over.
    Refused,
}

impl ChangeKind {
    pub const ALL: [Self; 6] = [
        Self::InForce,
        Self::Nothing,
        Self::Announced,
        Self::TakenOver,
        Self::Withdrawn,
        Self::Refused,
    ];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A change of a game's odds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddsChange {
    pub kind: ChangeKind,
    pub odds_id: Option<OddsId>,
    /// Which plan it is about, or by which it came.
    pub plan_id: Option<PlanId>,
    /// When the plan was to take over.
    pub effective_from: Option<DateTime<Utc>>,
    pub at: DateTime<Utc>,
}

/// Those that say what is in force.
const STATES: [ChangeKind; 2] = [ChangeKind::InForce, ChangeKind::Nothing];

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    feature: Feature,
    change: &OddsChange,
) -> Result<(), DbError> {
    Entity::insert(ActiveModel {
        id: NotSet,
        feature_type: Set(feature.as_str().to_owned()),
        kind: Set(change.kind.as_str().to_owned()),
        odds_id: Set(change.odds_id.map(|id| id.0)),
        plan_id: Set(change.plan_id.map(|id| id.0)),
        takes_over_at: Set(change.effective_from.map(Timestamp)),
        changed_at: Set(Timestamp(change.at)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// Since when what is in force is; `None` if that was never noted.
pub(crate) async fn last(
    conn: &impl ConnectionTrait,
    feature: Feature,
) -> Result<Option<OddsChange>, DbError> {
    first_of(conn, states(feature)).await
}

/// What was in force just before an instant, and since when.
pub(crate) async fn before(
    conn: &impl ConnectionTrait,
    feature: Feature,
    instant: DateTime<Utc>,
) -> Result<Option<OddsChange>, DbError> {
    let earlier = states(feature).filter(Column::ChangedAt.lt(Timestamp(instant)));
    first_of(conn, earlier).await
}

/// The changes of a day behind a row, oldest first, each with its row; one more than the limit tells whether there are
/// more.
pub(super) async fn of_day(
    conn: &impl ConnectionTrait,
    feature: Feature,
    day: EventDay,
    asked: Option<Cursor>,
    limit: Limit,
) -> Result<Vec<(i64, OddsChange)>, DbError> {
    let mut find = of(feature)
        .filter(Column::ChangedAt.gte(Timestamp(day.start())))
        .filter(Column::ChangedAt.lt(Timestamp(day.end())));
    let after = match asked {
        Some(Cursor(id)) => of(feature).filter(Column::Id.eq(id)).one(conn).await?,
        None => None,
    };
    // A place in the history of another game has nothing behind it.
    if after.is_none() && asked.is_some() {
        return Ok(Vec::new());
    }
    if let Some(Model { id, changed_at, .. }) = after {
        let same = Column::ChangedAt.eq(changed_at).and(Column::Id.gt(id));
        let later = Column::ChangedAt.gt(changed_at);
        find = find.filter(Condition::any().add(later).add(same));
    }
    let rows = find
        .order_by_asc(Column::ChangedAt)
        .order_by_asc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    rows.into_iter()
        .map(|row| Ok((row.id, read(row)?)))
        .collect()
}

fn of(feature: Feature) -> Select<Entity> {
    Entity::find().filter(Column::FeatureType.eq(feature.as_str()))
}

fn states(feature: Feature) -> Select<Entity> {
    of(feature).filter(Column::Kind.is_in(STATES.map(ChangeKind::as_str)))
}

async fn first_of(
    conn: &impl ConnectionTrait,
    which: Select<Entity>,
) -> Result<Option<OddsChange>, DbError> {
    let newest = which
        .order_by_desc(Column::ChangedAt)
        .order_by_desc(Column::Id)
        .one(conn)
        .await?;
    newest.map(read).transpose()
}

fn read(row: Model) -> Result<OddsChange, DbError> {
    let corrupt = |_| DbError::Corrupt(format!("odds_change {} is {}", row.id, row.kind));
    Ok(OddsChange {
        kind: row.kind.parse().map_err(corrupt)?,
        odds_id: row.odds_id.map(OddsId),
        plan_id: row.plan_id.map(PlanId),
        effective_from: row.takes_over_at.map(|instant| instant.0),
        at: row.changed_at.0,
    })
}
