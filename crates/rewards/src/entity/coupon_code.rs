use sea_orm::entity::prelude::*;
use xmas_kernel::db::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "coupon_code")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub kind_id: i64,
    pub fingerprint: String,
    /// The fingerprint of the code without regard to case.
    pub folded: Option<String>,
    /// 0, but for codes that an older version gave to several winners.
    pub copy_number: i64,
    pub sealed_code: String,
    pub reward_id: Option<i64>,
    pub created_at: Timestamp,
    pub taken_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
