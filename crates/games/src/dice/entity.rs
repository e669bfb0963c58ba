use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

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
