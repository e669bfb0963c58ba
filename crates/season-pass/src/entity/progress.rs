use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "season_pass_progress")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub season_id: i64,
    pub current_xp: i64,
    pub current_level: i64,
    pub level_high_water: i64,
    pub total_stamps: i64,
    pub last_stamp_date: Option<Date>,
    pub internal_wins: i64,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
