use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "feature_config")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub feature_type: String,
    pub title: String,
    pub page_path: String,
    pub is_enabled: bool,
    pub config_json: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
