pub(crate) mod odds_table {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "odds_table")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub feature_type: String,
        pub content_hash: String,
        pub content: String,
        pub created_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod draw_seed {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "draw_seed")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub event_day: Date,
        pub commitment: String,
        pub sealed_seed: String,
        pub created_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod odds_change {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "odds_change")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub feature_type: String,
        pub kind: String,
        pub odds_id: Option<i64>,
        pub plan_id: Option<i64>,
        pub takes_over_at: Option<Timestamp>,
        pub changed_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod odds_observed {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "odds_observed")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub odds_id: i64,
        pub draws: String,
        pub first_play_at: Option<Timestamp>,
        pub last_play_at: Option<Timestamp>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
