//! `demo_state`: the mark of a database that holds the demo seed, and its clock.

use chrono::TimeDelta;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, entity::prelude::*};
use xmas_kernel::db::{Db, DbError, Timestamp};
use xmas_time::{DateTime, Utc};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoState {
    /// How far the demo's clock is from the real one.
    pub clock_offset: TimeDelta,
}

/// The mark, if this database has one.
pub async fn find(db: &Db) -> Result<Option<DemoState>, DbError> {
    let row = Entity::find_by_id(ONLY_ROW).one(db.read()).await?;
    Ok(row.map(|row| DemoState {
        clock_offset: TimeDelta::microseconds(row.clock_offset_us),
    }))
}

pub(super) async fn insert_in_tx(
    tx: &DatabaseTransaction,
    state: &DemoState,
    seeded_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let offset = state.clock_offset.num_microseconds();
    let offset = offset.ok_or_else(|| DbError::Corrupt("the clock is too far off".to_owned()))?;
    Entity::insert(ActiveModel {
        id: Set(ONLY_ROW),
        clock_offset_us: Set(offset),
        seeded_at: Set(Timestamp(seeded_at)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

const ONLY_ROW: i64 = 1;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "demo_state")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i64,
    clock_offset_us: i64,
    seeded_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
