use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "feature_schedule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_day: Date,
    #[sea_orm(primary_key, auto_increment = false)]
    pub feature_type: String,
    pub is_active: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
