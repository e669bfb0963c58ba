use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "season_pass_level")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub season_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub level: i64,
    pub required_xp: i64,
    pub reward_type: String,
    pub reward_amount: i64,
    pub reward_item: Option<i64>,
    pub reward_label: String,
    pub auto_claim: bool,
    pub is_manual: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::config::Entity",
        from = "Column::SeasonId",
        to = "super::config::Column::Id"
    )]
    Season,
}

impl Related<super::config::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Season.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
