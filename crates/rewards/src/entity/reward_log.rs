use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "reward_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub grant_key: String,
    pub source: String,
    pub reward_type: String,
    pub amount: i64,
    pub reward_item: Option<i64>,
    pub label: Option<String>,
    pub state: String,
    pub reason: Option<String>,
    pub season_id: Option<i64>,
    pub event_day: Date,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
    pub reviewed_at: Option<Timestamp>,
    pub reviewed_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
