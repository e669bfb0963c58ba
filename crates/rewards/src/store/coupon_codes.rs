//! Codes of all kinds of coupons: which there are, and which are withheld.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, NotSet,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr, Query},
};
use xmas_kernel::{
    CouponKindId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
    seal::Claimed,
};

use crate::entity::{coupon_code, coupon_kind, coupon_withheld};

/// A code to be stored.
#[derive(Clone, Debug)]
pub(crate) struct SealedCode {
    pub(crate) fingerprint: String,
    /// The fingerprint without regard to case; `None` if it is still to be made.
    pub(crate) folded: Option<String>,
    pub(crate) sealed: String,
}

/// What finds a code's like: its fingerprints under each key that may have made one.
#[derive(Clone, Debug)]
pub(crate) struct CodePrints {
    pub(crate) exact: Vec<String>,
    /// Without regard to case.
    pub(crate) folded: Vec<String>,
}

/// A code that is there.
#[derive(Clone, Debug)]
pub(crate) struct KnownCode {
    pub(crate) kind: CouponKindId,
    pub(crate) fingerprint: String,
    pub(crate) folded: Option<String>,
    pub(crate) is_withheld: bool,
}

/// What it takes to say whether a kind's codes clash.
#[derive(Clone, Debug)]
pub(crate) struct KindOfCodes {
    pub(crate) name: String,
    pub(crate) ignores_case: bool,
}

/// How many codes one statement carries, well below the servers' limits.
const CODES_AT_ONCE: usize = 500;

/// Every kind of coupon.
pub(crate) async fn kinds_of_codes(
    conn: &impl ConnectionTrait,
) -> Result<HashMap<CouponKindId, KindOfCodes>, DbError> {
    let rows = coupon_kind::Entity::find().all(conn).await?;
    let kinds = rows.into_iter().map(|row| {
        let kind = KindOfCodes {
            name: row.name,
            ignores_case: row.ignores_case,
        };
        (CouponKindId(row.id), kind)
    });
    Ok(kinds.collect())
}

/// The codes of all kinds, withheld or not, that are among these; with `by_case` also those that
/// differ from one of these in case only.
pub(crate) async fn known_codes(
    conn: &impl ConnectionTrait,
    codes: &[CodePrints],
    by_case: bool,
) -> Result<Vec<KnownCode>, DbError> {
    let mut known = Vec::new();
    for codes in codes.chunks(CODES_AT_ONCE) {
        let exact = codes.iter().flat_map(|code| &code.exact);
        let stocked = coupon_code::Column::Fingerprint.is_in(exact.clone());
        known.extend(stocked_codes(conn, stocked).await?);
        let withheld = coupon_withheld::Column::Fingerprint.is_in(exact);
        known.extend(withheld_codes(conn, withheld).await?);
        if by_case {
            let folded = codes.iter().flat_map(|code| &code.folded);
            let stocked = coupon_code::Column::Folded.is_in(folded.clone());
            known.extend(stocked_codes(conn, stocked).await?);
            let withheld = coupon_withheld::Column::Folded.is_in(folded);
            known.extend(withheld_codes(conn, withheld).await?);
        }
    }
    Ok(known)
}

async fn stocked_codes(
    conn: &impl ConnectionTrait,
    which: Expr,
) -> Result<Vec<KnownCode>, DbError> {
    let rows = coupon_code::Entity::find().filter(which).all(conn).await?;
    let code = |row: coupon_code::Model| KnownCode {
        kind: CouponKindId(row.kind_id),
        fingerprint: row.fingerprint,
        folded: row.folded,
        is_withheld: false,
    };
    Ok(rows.into_iter().map(code).collect())
}

async fn withheld_codes(
    conn: &impl ConnectionTrait,
    which: Expr,
) -> Result<Vec<KnownCode>, DbError> {
    let rows = coupon_withheld::Entity::find()
        .filter(which)
        .all(conn)
        .await?;
    let code = |row: coupon_withheld::Model| KnownCode {
        kind: CouponKindId(row.kind_id),
        fingerprint: row.fingerprint,
        folded: row.folded,
        is_withheld: true,
    };
    Ok(rows.into_iter().map(code).collect())
}

pub(crate) async fn insert_codes(
    tx: &DatabaseTransaction,
    _: &Claimed<'_>,
    kind: CouponKindId,
    codes: &[SealedCode],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    for codes in codes.chunks(CODES_AT_ONCE) {
        let rows = codes.iter().map(|code| coupon_code::ActiveModel {
            id: NotSet,
            kind_id: Set(kind.0),
            fingerprint: Set(code.fingerprint.clone()),
            folded: Set(code.folded.clone()),
            copy_number: Set(0),
            sealed_code: Set(code.sealed.clone()),
            reward_id: Set(None),
            created_at: Set(Timestamp(now)),
            taken_at: Set(None),
        });
        coupon_code::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// How many codes of a kind differ from another code in case only.
pub(crate) async fn alike_but_for_case(
    conn: &impl ConnectionTrait,
    kind: CouponKindId,
) -> Result<u64, DbError> {
    let (own, other) = (coupon_code::Column::Folded, "other");
    let alike = Query::select()
        .expr(Expr::value(1))
        .from_as(coupon_code::Entity, other)
        .and_where(Expr::col((other, own)).equals((coupon_code::Entity, own)))
        .and_where(
            Expr::col((other, coupon_code::Column::Fingerprint))
                .not_equals((coupon_code::Entity, coupon_code::Column::Fingerprint)),
        )
        .to_owned();
    let count = coupon_code::Entity::find()
        .filter(coupon_code::Column::KindId.eq(kind.0))
        .filter(Expr::exists(alike))
        .count(conn)
        .await?;
    Ok(count)
}

/// A code whose fingerprint without regard to case is missing.
pub(crate) struct Unfolded {
    pub(crate) id: i64,
    pub(crate) kind: CouponKindId,
    pub(crate) fingerprint: String,
    pub(crate) sealed: String,
    pub(crate) is_withheld: bool,
}

/// The first codes that miss it: those of the stock, or else those that are withheld.
pub(crate) async fn unfolded(conn: &impl ConnectionTrait) -> Result<Vec<Unfolded>, DbError> {
    let limit = CODES_AT_ONCE as u64;
    let stocked = coupon_code::Entity::find()
        .filter(coupon_code::Column::Folded.is_null())
        .order_by_asc(coupon_code::Column::Id)
        .limit(limit)
        .all(conn)
        .await?;
    if !stocked.is_empty() {
        let code = |row: coupon_code::Model| Unfolded {
            id: row.id,
            kind: CouponKindId(row.kind_id),
            fingerprint: row.fingerprint,
            sealed: row.sealed_code,
            is_withheld: false,
        };
        return Ok(stocked.into_iter().map(code).collect());
    }
    let withheld = coupon_withheld::Entity::find()
        .filter(coupon_withheld::Column::Folded.is_null())
        .order_by_asc(coupon_withheld::Column::Id)
        .limit(limit)
        .all(conn)
        .await?;
    let code = |row: coupon_withheld::Model| Unfolded {
        id: row.id,
        kind: CouponKindId(row.kind_id),
        fingerprint: row.fingerprint,
        sealed: row.sealed_code,
        is_withheld: true,
    };
    Ok(withheld.into_iter().map(code).collect())
}

/// Notes fingerprints without regard to case: of codes of the stock, or of withheld ones.
pub(crate) async fn set_folded(
    tx: &DatabaseTransaction,
    are_withheld: bool,
    folded: &[(i64, String)],
) -> Result<(), DbError> {
    if folded.is_empty() {
        return Ok(());
    }
    let ids = folded.iter().map(|(id, _)| *id);
    let mut case = CaseStatement::new();
    for (id, folded) in folded {
        case = case.case(Expr::col("id").eq(*id), Expr::value(folded.as_str()));
    }
    if are_withheld {
        coupon_withheld::Entity::update_many()
            .col_expr(coupon_withheld::Column::Folded, case.into())
            .filter(coupon_withheld::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    } else {
        coupon_code::Entity::update_many()
            .col_expr(coupon_code::Column::Folded, case.into())
            .filter(coupon_code::Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Gives a code of the stock the fingerprint of its composed form.
pub(crate) async fn set_fingerprint(
    tx: &DatabaseTransaction,
    id: i64,
    fingerprint: &str,
) -> Result<(), DbError> {
    coupon_code::Entity::update_many()
        .col_expr(coupon_code::Column::Fingerprint, Expr::value(fingerprint))
        .filter(coupon_code::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes those of these codes that nobody has yet out of the stock and withholds them.
pub(crate) async fn withhold(tx: &DatabaseTransaction, which: Expr) -> Result<(), DbError> {
    let free = coupon_code::Entity::find()
        .filter(coupon_code::Column::RewardId.is_null())
        .filter(which)
        .order_by_asc(coupon_code::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    for row in free {
        coupon_code::Entity::delete_by_id(row.id).exec(tx).await?;
        coupon_withheld::Entity::insert(coupon_withheld::ActiveModel {
            id: NotSet,
            kind_id: Set(row.kind_id),
            fingerprint: Set(row.fingerprint),
            folded: Set(row.folded),
            sealed_code: Set(row.sealed_code),
            created_at: Set(row.created_at),
        })
        .exec_without_returning(tx)
        .await?;
    }
    Ok(())
}

/// Withheld codes, newest first.
pub(crate) async fn withheld_page(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<coupon_withheld::Model>, DbError> {
    use coupon_withheld::{Column, Entity};
    let mut query = Entity::find();
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    Ok(Page::from_overfetched(rows, limit, |row| row.id))
}

pub(crate) async fn find_withheld(
    conn: &impl ConnectionTrait,
    id: i64,
) -> Result<Option<coupon_withheld::Model>, DbError> {
    Ok(coupon_withheld::Entity::find_by_id(id).one(conn).await?)
}

pub(crate) async fn count_withheld(conn: &impl ConnectionTrait) -> Result<u64, DbError> {
    Ok(coupon_withheld::Entity::find().count(conn).await?)
}

pub(crate) async fn delete_withheld(tx: &DatabaseTransaction, id: i64) -> Result<(), DbError> {
    coupon_withheld::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Of these fingerprints, those that are in a stock: whether a copy was given to a winner, and whether
/// one was not.
pub(crate) async fn copies_in_stock(
    conn: &impl ConnectionTrait,
    fingerprints: impl IntoIterator<Item = &str>,
) -> Result<HashMap<String, (bool, bool)>, DbError> {
    let rows: Vec<(String, Option<i64>)> = coupon_code::Entity::find()
        .select_only()
        .column(coupon_code::Column::Fingerprint)
        .column(coupon_code::Column::RewardId)
        .filter(coupon_code::Column::Fingerprint.is_in(fingerprints))
        .into_tuple()
        .all(conn)
        .await?;
    let mut copies: HashMap<String, (bool, bool)> = HashMap::new();
    for (fingerprint, reward) in rows {
        let (is_given, is_stocked) = copies.entry(fingerprint).or_default();
        *is_given |= reward.is_some();
        *is_stocked |= reward.is_none();
    }
    Ok(copies)
}
