//! Codes row by row, whichever of the two tables they are in: the stock, or what is withheld.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{CouponKindId, db::DbError, seal::Claimed};

use super::SealedCode;
use crate::entity::{coupon_code, coupon_withheld};

/// A code that lies in the stock, or is withheld.
pub(crate) struct CodeInTable {
    pub(crate) id: i64,
    pub(crate) kind: CouponKindId,
    pub(crate) fingerprint: String,
    /// Whether its fingerprint without regard to case was made.
    pub(crate) is_folded: bool,
    pub(crate) sealed: String,
}

/// One of the two tables.
pub(crate) trait CodeTable: EntityTrait<Model: Into<CodeInTable> + Send + Sync> {
    const ID: Self::Column;
    const KIND: Self::Column;
    const FINGERPRINT: Self::Column;
    const FOLDED: Self::Column;
    const SEALED: Self::Column;
}

macro_rules! code_table {
    ($table:ident) => {
        impl CodeTable for $table::Entity {
            const ID: Self::Column = $table::Column::Id;
            const KIND: Self::Column = $table::Column::KindId;
            const FINGERPRINT: Self::Column = $table::Column::Fingerprint;
            const FOLDED: Self::Column = $table::Column::Folded;
            const SEALED: Self::Column = $table::Column::SealedCode;
        }

        impl From<$table::Model> for CodeInTable {
            fn from(row: $table::Model) -> Self {
                Self {
                    id: row.id,
                    kind: CouponKindId(row.kind_id),
                    fingerprint: row.fingerprint,
                    is_folded: row.folded.is_some(),
                    sealed: row.sealed_code,
                }
            }
        }
    };
}

code_table!(coupon_code);
code_table!(coupon_withheld);

/// Any code, still sealed, and its kind. Schemas of older versions are read too.
pub(crate) async fn any_code<T: CodeTable>(
    conn: &impl ConnectionTrait,
) -> Result<Option<(CouponKindId, String)>, DbError> {
    let any = T::find().order_by_asc(T::ID).select_only();
    let any = any.column(T::KIND).column(T::SEALED);
    let any: Option<(i64, String)> = any.into_tuple().one(conn).await?;
    Ok(any.map(|(kind, sealed)| (CouponKindId(kind), sealed)))
}

/// The next codes behind this one.
pub(crate) async fn codes_after<T: CodeTable>(
    conn: &impl ConnectionTrait,
    after: i64,
    most: u64,
) -> Result<Vec<CodeInTable>, DbError> {
    let rows = T::find()
        .filter(Expr::col(T::ID).gt(after))
        .order_by_asc(T::ID)
        .limit(most);
    let rows = rows.all(conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn count_codes<T: CodeTable>(conn: &impl ConnectionTrait) -> Result<u64, DbError> {
    Ok(T::find().count(conn).await?)
}

/// These codes, which nobody else changes until the transaction ends.
pub(crate) async fn lock_codes<T: CodeTable>(
    tx: &DatabaseTransaction,
    ids: &[i64],
) -> Result<Vec<CodeInTable>, DbError> {
    let rows = T::find()
        .filter(Expr::col(T::ID).is_in(ids.iter().copied()))
        .order_by_asc(T::ID)
        .lock_exclusive();
    let rows = rows.all(tx).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The same code under another key.
pub(crate) async fn reseal<T: CodeTable>(
    tx: &DatabaseTransaction,
    _: &Claimed<'_>,
    id: i64,
    code: SealedCode,
) -> Result<(), DbError> {
    T::update_many()
        .col_expr(T::FINGERPRINT, Expr::value(code.fingerprint))
        .col_expr(T::FOLDED, Expr::value(code.folded))
        .col_expr(T::SEALED, Expr::value(code.sealed))
        .filter(Expr::col(T::ID).eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
