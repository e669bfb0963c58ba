use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;

use super::{
    NewSegment, Roulette, SegmentConfig, Segments,
    entity::{config, segment},
    rules,
};
use crate::{
    Table,
    config::{Config, RewardConfig, Saved, Which},
};

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

/// Configurations with their segments by slot, newest first.
pub(crate) async fn configs(
    conn: &impl ConnectionTrait,
    which: Which,
) -> Result<Vec<Saved<Segments>>, DbError> {
    let select = which.select::<config::Entity>(config::Column::Id, config::Column::IsActive);
    let configs = select.all(conn).await?;
    let segments = segment::Entity::find()
        .filter(segment::Column::ConfigId.is_in(configs.iter().map(|config| config.id)))
        .order_by_asc(segment::Column::SlotIndex)
        .all(conn)
        .await?;
    let mut of_config: BTreeMap<i64, Vec<SegmentConfig>> = BTreeMap::new();
    for row in segments {
        let segment = SegmentConfig {
            id: Some(row.id),
            slot_index: row.slot_index,
            label: row.label,
            weight: row.weight,
            reward: RewardConfig {
                reward_type: row.reward_type,
                reward_amount: row.reward_amount,
                reward_item: row.reward_item,
            },
            is_jackpot: row.is_jackpot,
        };
        of_config.entry(row.config_id).or_default().push(segment);
    }
    let saved = configs.into_iter().map(|row| Saved {
        id: ConfigId(row.id),
        config: Config {
            name: row.name,
            is_active: row.is_active,
            max_daily: row.max_daily_spins,
            body: Segments {
                segments: of_config.remove(&row.id).unwrap_or_default(),
            },
        },
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    });
    Ok(saved.collect())
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    wheel: &Config<Segments>,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let inserted = config::Entity::insert(config::ActiveModel {
        created_at: Set(Timestamp(now)),
        ..contents(wheel, now)
    })
    .exec(tx)
    .await?;
    let config_id = ConfigId(inserted.last_insert_id);
    let segments = wheel.body.segments.iter();
    let segments = segments.map(|segment| segment_contents(config_id, segment));
    segment::Entity::insert_many(segments)
        .exec_without_returning(tx)
        .await?;
    Ok(config_id)
}

pub(crate) async fn update(
    tx: &DatabaseTransaction,
    before: &Saved<Segments>,
    after: &Config<Segments>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    config::Entity::update_many()
        .set(contents(after, now))
        .filter(config::Column::Id.eq(before.id.0))
        .exec(tx)
        .await?;
    let kept = &before.config.body.segments;
    let changed = after.body.segments.iter();
    for segment in changed.filter(|segment| !kept.contains(segment)) {
        let contents = segment_contents(before.id, segment);
        match segment.id {
            Some(id) => {
                segment::Entity::update_many()
                    .set(contents)
                    .filter(segment::Column::Id.eq(id))
                    .exec(tx)
                    .await?;
            }
            None => {
                segment::Entity::insert(contents)
                    .exec_without_returning(tx)
                    .await?;
            }
        }
    }
    Ok(())
}

fn contents(wheel: &Config<Segments>, now: DateTime<Utc>) -> config::ActiveModel {
    config::ActiveModel {
        id: NotSet,
        name: Set(wheel.name.clone()),
        is_active: Set(wheel.is_active),
        active_slot: Set(wheel.is_active.then_some(1)),
        max_daily_spins: Set(wheel.max_daily),
        created_at: NotSet,
        updated_at: Set(Timestamp(now)),
    }
}

fn segment_contents(config_id: ConfigId, segment: &SegmentConfig) -> segment::ActiveModel {
    segment::ActiveModel {
        id: NotSet,
        config_id: Set(config_id.0),
        slot_index: Set(segment.slot_index),
        label: Set(segment.label.clone()),
        weight: Set(segment.weight),
        reward_type: Set(segment.reward.reward_type.clone()),
        reward_amount: Set(segment.reward.reward_amount),
        reward_item: Set(segment.reward.reward_item),
        is_jackpot: Set(segment.is_jackpot),
    }
}

pub(crate) async fn switch_off(
    tx: &DatabaseTransaction,
    id: ConfigId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    config::Entity::update_many()
        .set(config::ActiveModel {
            is_active: Set(false),
            active_slot: Set(None),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(config::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
    segment::Entity::delete_many()
        .filter(segment::Column::ConfigId.eq(id.0))
        .exec(tx)
        .await?;
    config::Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}
