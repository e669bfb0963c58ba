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
    NewWheel, Segment,
    entity::{config, segment},
    model::Table,
    rules::{InvalidWheel, Weighted, Wheel},
};

/// The active wheel, or that there is none that can be spun.
pub(crate) async fn active_table(
    conn: &impl ConnectionTrait,
) -> Result<Result<Table, InvalidWheel>, DbError> {
    let config = config::Entity::find()
        .filter(config::Column::ActiveSlot.eq(1))
        .one(conn)
        .await?;
    let Some(config) = config else {
        return Ok(Err(InvalidWheel));
    };
    let segments = segment::Entity::find()
        .filter(segment::Column::ConfigId.eq(config.id))
        .all(conn)
        .await?;
    let segments: Option<Vec<Weighted>> = segments.into_iter().map(weighted).collect();
    let wheel = segments.ok_or(InvalidWheel).and_then(Wheel::new);
    Ok(wheel.map(|wheel| Table {
        config_id: ConfigId(config.id),
        name: config.name,
        max_daily_spins: config.max_daily_spins,
        wheel,
    }))
}

/// `None` for a reward that no code of ours saves; the whole wheel is refused then.
fn weighted(row: segment::Model) -> Option<Weighted> {
    let reward = Reward::new(row.reward_type.parse().ok()?, row.reward_amount).ok()?;
    Some(Weighted {
        segment: Segment {
            id: row.id,
            label: row.label,
            reward_type: reward.kind(),
            reward_amount: reward.amount(),
            slot_index: row.slot_index,
            is_jackpot: row.is_jackpot,
        },
        weight: row.weight,
        reward,
    })
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
        is_jackpot: Set(segment.is_jackpot),
    });
    segment::Entity::insert_many(segments)
        .exec_without_returning(tx)
        .await?;
    Ok(ConfigId(config_id))
}
