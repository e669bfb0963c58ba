pub(crate) mod bridge {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_bridge")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub season_id: i64,
        pub keys_required: i64,
        pub settle_on: Date,
        pub auto_settle: bool,
        pub state: String,
        pub open_slot: Option<i64>,
        pub prechecked_at: Option<Timestamp>,
        pub settled_at: Option<Timestamp>,
        pub closing_at: Option<Timestamp>,
        pub closed_at: Option<Timestamp>,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
        pub turn: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod day {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_bridge_day")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub bridge_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day_number: i64,
        pub event_day: Date,
        pub event_type: String,
        pub mission: String,
        pub points: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod progress {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_bridge_progress")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub bridge_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day_number: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub part: String,
        pub created_at: Timestamp,
        pub part_number: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod gift {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_bridge_gift")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub bridge_id: i64,
        pub day_number: i64,
        pub event_type: String,
        pub points: i64,
        pub user_id: Option<i64>,
        pub state: String,
        pub reason: String,
        pub actor: String,
        pub created_at: Timestamp,
        pub finished_at: Option<Timestamp>,
        pub reverted_at: Option<Timestamp>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod gift_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "event_bridge_gift_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub gift_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i64,
        pub state: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
