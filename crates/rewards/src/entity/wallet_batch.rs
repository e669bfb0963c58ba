use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "wallet_batch")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub batch_key: String,
    pub kind: String,
    pub fingerprint: String,
    pub state: String,
    pub reason: Option<String>,
    pub actor: String,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub reverts: Option<i64>,
    pub turn: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
