pub(crate) mod config {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "roulette_config")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub is_active: bool,
        pub active_slot: Option<i64>,
        pub max_daily_spins: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod segment {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "roulette_segment")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub config_id: i64,
        pub slot_index: i64,
        pub label: String,
        pub weight: i64,
        pub reward_type: String,
        pub reward_amount: i64,
        pub reward_item: Option<i64>,
        pub is_jackpot: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
