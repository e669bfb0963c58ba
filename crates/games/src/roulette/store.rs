use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;

use super::{
    NewSegment, NewWheel, Roulette,
    entity::{config, segment},
    rules,
};
use crate::Table;

/// The active wheel; `None` if there is none that can be spun.
pub(crate) async fn active_table(
    conn: &impl ConnectionTrait,
) -> Result<Option<Table<Roulette>>, DbError> {
    let config = config::Entity::find()
        .filter(config::Column::ActiveSlot.eq(1))
        .filter(config::Column::IsActive.eq(true))
        .filter(config::Column::MaxDailySpins.gte(0))
        .one(conn)
        .await?;
    let Some(config) = config else {
        return Ok(None);
    };
    let segments = segment::Entity::find()
        .filter(segment::Column::ConfigId.eq(config.id))
        .all(conn)
        .await?;
    let config_id = ConfigId(config.id);
    let segments: Option<Vec<_>> = segments.into_iter().map(known).collect();
    let wheel = segments.and_then(|segments| rules::wheel(config_id, segments).ok());
    Ok(wheel.map(|(menu, odds)| Table {
        config_id,
        name: config.name,
        max_daily: config.max_daily_spins,
        menu,
        odds,
        stock: BTreeMap::new(),
        sold_out: Vec::new(),
    }))
}

/// `None` for a reward that no code of ours saves; the whole wheel is refused then.
fn known(row: segment::Model) -> Option<(i64, NewSegment)> {
    let kind = row.reward_type.parse().ok()?;
    let segment = NewSegment {
        slot_index: row.slot_index,
        label: row.label,
        weight: row.weight,
        reward: Reward::from_parts(kind, row.reward_amount, row.reward_item).ok()?,
        is_jackpot: row.is_jackpot,
    };
    Some((row.id, segment))
}

pub(crate) async fn insert_active(
    tx: &DatabaseTransaction,
    wheel: &NewWheel,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let inserted = config::Entity::insert(config::ActiveModel {
        id: NotSet,
        name: Set(wheel.name.clone()),
        is_active: Set(true),
        active_slot: Set(Some(1)),
        max_daily_spins: Set(wheel.max_daily_spins),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    let config_id = inserted.last_insert_id;
    let segments = wheel.segments.iter().map(|segment| segment::ActiveModel {
        id: NotSet,
        config_id: Set(config_id),
        slot_index: Set(segment.slot_index),
        label: Set(segment.label.clone()),
        weight: Set(segment.weight),
        reward_type: Set(segment.reward.kind().as_str().to_owned()),
        reward_amount: Set(segment.reward.amount()),
        reward_item: Set(segment.reward.item()),
        is_jackpot: Set(segment.is_jackpot),
    });
    segment::Entity::insert_many(segments)
        .exec_without_returning(tx)
        .await?;
    Ok(ConfigId(config_id))
}
