use sea_orm::entity::prelude::*;
use xmas_kernel::{ConfigId, db::Timestamp};

use crate::config::{ConfigColumns, ConfigHead, ConfigTable};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "dice_config")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    pub is_active: bool,
    pub active_slot: Option<i64>,
    pub max_daily_plays: i64,
    pub win_reward_type: String,
    pub win_reward_amount: i64,
    pub win_reward_item: Option<i64>,
    pub draw_reward_type: String,
    pub draw_reward_amount: i64,
    pub draw_reward_item: Option<i64>,
    pub lose_reward_type: String,
    pub lose_reward_amount: i64,
    pub lose_reward_item: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl ConfigTable for Entity {
    const COLUMNS: ConfigColumns<Column> = ConfigColumns {
        id: Column::Id,
        name: Column::Name,
        is_active: Column::IsActive,
        active_slot: Column::ActiveSlot,
        max_daily: Column::MaxDailyPlays,
        created_at: Column::CreatedAt,
        updated_at: Column::UpdatedAt,
    };

    fn head(row: &Model) -> ConfigHead {
        ConfigHead {
            id: ConfigId(row.id),
            name: row.name.clone(),
            is_active: row.is_active,
            max_daily: row.max_daily_plays,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}
