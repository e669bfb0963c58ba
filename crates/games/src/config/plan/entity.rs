pub(super) mod odds_plan {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "odds_plan")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub feature_type: String,
        pub config_id: i64,
        pub state: String,
        pub takes_over_at: Timestamp,
        pub open_slot: Option<i64>,
        pub odds_id: i64,
        pub config: String,
        pub replaced: Option<String>,
        pub announced_at: Timestamp,
        pub ended_at: Option<Timestamp>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
