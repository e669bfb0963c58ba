use xmas_kernel::ConfigId;

use crate::config::{ConfigColumns, ConfigHead, ConfigTable};

pub(crate) mod config {
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

pub(crate) mod segment {
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
