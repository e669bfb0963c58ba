use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "season_pass_config")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub season_name: String,
    pub start_date: Date,
    pub end_date: Date,
    pub max_level: i64,
    pub base_xp_per_stamp: i64,
    pub max_xp_bonus: i64,
    pub grace_days: i64,
    pub internal_win_threshold: i64,
    pub is_active: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "super::level::Entity")]
    Levels,
}

impl Related<super::level::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Levels.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
