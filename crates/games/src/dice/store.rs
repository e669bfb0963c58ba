use sea_orm::ActiveValue::Set;

use super::DiceRewards;
use crate::config::RewardConfig;
use entity::{ActiveModel, Model};

pub(super) fn rewards(row: Model) -> DiceRewards {
    let reward = |reward_type, reward_amount, reward_item| RewardConfig {
        reward_type,
        reward_amount,
        reward_item,
    };
    DiceRewards {
        win: reward(
            row.win_reward_type,
            row.win_reward_amount,
            row.win_reward_item,
        ),
        draw: reward(
            row.draw_reward_type,
            row.draw_reward_amount,
            row.draw_reward_item,
        ),
        lose: reward(
            row.lose_reward_type,
            row.lose_reward_amount,
            row.lose_reward_item,
        ),
    }
}

pub(super) fn own_columns(rewards: &DiceRewards) -> ActiveModel {
    let DiceRewards { win, draw, lose } = rewards;
    ActiveModel {
        win_reward_type: Set(win.reward_type.clone()),
        win_reward_amount: Set(win.reward_amount),
        win_reward_item: Set(win.reward_item),
        draw_reward_type: Set(draw.reward_type.clone()),
        draw_reward_amount: Set(draw.reward_amount),
        draw_reward_item: Set(draw.reward_item),
        lose_reward_type: Set(lose.reward_type.clone()),
        lose_reward_amount: Set(lose.reward_amount),
        lose_reward_item: Set(lose.reward_item),
        ..Default::default()
    }
}

pub(super) mod entity {
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
}
