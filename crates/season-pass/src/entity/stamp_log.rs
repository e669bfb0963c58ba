use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "season_pass_stamp_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    pub season_id: i64,
    pub period_key: String,
    pub event_type: Option<String>,
    pub source_feature_type: String,
    pub xp_earned: i64,
    pub event_day: Date,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
