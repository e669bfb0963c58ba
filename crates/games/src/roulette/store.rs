use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder,
};
use xmas_kernel::{ConfigId, db::DbError};

use super::{SegmentConfig, Segments};
use crate::config::{ConfigColumns, ConfigHead, ConfigTable, RewardConfig, Saved};

/// The segments of these wheels, by slot.
pub(super) async fn bodies(
    conn: &impl ConnectionTrait,
    wheels: &[config::Model],
) -> Result<Vec<Segments>, DbError> {
    let segments = segment::Entity::find()
        .filter(segment::Column::ConfigId.is_in(wheels.iter().map(|wheel| wheel.id)))
        .order_by_asc(segment::Column::SlotIndex)
        .all(conn)
        .await?;
    let mut of_wheel: BTreeMap<i64, Vec<SegmentConfig>> = BTreeMap::new();
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
        of_wheel.entry(row.config_id).or_default().push(segment);
    }
    let bodies = wheels.iter().map(|wheel| Segments {
        segments: of_wheel.remove(&wheel.id).unwrap_or_default(),
    });
    Ok(bodies.collect())
}

pub(super) async fn insert(
    tx: &DatabaseTransaction,
    wheel: ConfigId,
    segments: &[SegmentConfig],
) -> Result<(), DbError> {
    let segments = segments.iter();
    let segments = segments.map(|segment| segment_contents(wheel, segment));
    segment::Entity::insert_many(segments)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

pub(super) async fn update(
    tx: &DatabaseTransaction,
    before: &Saved<Segments>,
    after: &Segments,
) -> Result<(), DbError> {
    let kept = &before.config.body.segments;
    let changed = after.segments.iter();
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

pub(super) async fn delete(tx: &DatabaseTransaction, wheel: ConfigId) -> Result<(), DbError> {
    segment::Entity::delete_many()
        .filter(segment::Column::ConfigId.eq(wheel.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) mod config {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "roulette_config")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub is_active: bool,
        pub active_slot: Option<i64>,
        pub max_daily_spins: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod segment {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "roulette_segment")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub config_id: i64,
        pub slot_index: i64,
        pub label: String,
        pub weight: i64,
        pub reward_type: String,
        pub reward_amount: i64,
        pub reward_item: Option<i64>,
        pub is_jackpot: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl ConfigTable for config::Entity {
    const COLUMNS: ConfigColumns<config::Column> = ConfigColumns {
        id: config::Column::Id,
        name: config::Column::Name,
        is_active: config::Column::IsActive,
        active_slot: config::Column::ActiveSlot,
        max_daily: config::Column::MaxDailySpins,
        created_at: config::Column::CreatedAt,
        updated_at: config::Column::UpdatedAt,
    };

    fn head(row: &config::Model) -> ConfigHead {
        ConfigHead {
            id: ConfigId(row.id),
            name: row.name.clone(),
            is_active: row.is_active,
            max_daily: row.max_daily_spins,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}
