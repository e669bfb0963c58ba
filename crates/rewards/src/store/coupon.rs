use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, NotSet, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, Query},
};
use xmas_kernel::{
    CouponKindId, RewardId, UserId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
};

use crate::{
    CodeState, CouponKind, CouponStock, NewCouponKind, RewardState, RewardType,
    entity::{coupon_code, coupon_kind, coupon_withheld, reward_log},
};

pub(crate) async fn insert_coupon_kind(
    tx: &DatabaseTransaction,
    kind: &NewCouponKind,
    now: DateTime<Utc>,
) -> Result<CouponKindId, DbError> {
    let inserted = coupon_kind::Entity::insert(coupon_kind::ActiveModel {
        id: NotSet,
        name: Set(kind.name.clone()),
        is_manual: Set(kind.manual),
        ignores_case: Set(kind.ignores_case),
        created_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    Ok(CouponKindId(inserted.last_insert_id))
}

/// The kinds of coupon among these that exist, and whether an admin looks at each coupon.
pub(crate) async fn coupon_kinds(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = CouponKindId>,
) -> Result<Vec<(CouponKindId, bool)>, DbError> {
    let ids: Vec<i64> = ids.into_iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = coupon_kind::Entity::find()
        .filter(coupon_kind::Column::Id.is_in(ids))
        .all(conn)
        .await?;
    let kind = |row: coupon_kind::Model| (CouponKindId(row.id), row.is_manual);
    Ok(rows.into_iter().map(kind).collect())
}

/// A code of the stock, still sealed.
pub(crate) struct CodeRow {
    pub(crate) id: i64,
    pub(crate) sealed: String,
    pub(crate) reward_id: Option<RewardId>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) taken_at: Option<DateTime<Utc>>,
}

/// Codes of a kind, newest first.
pub(crate) async fn code_page(
    conn: &impl ConnectionTrait,
    kind: CouponKindId,
    state: Option<CodeState>,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<CodeRow>, DbError> {
    use coupon_code::Column;
    let mut query = coupon_code::Entity::find().filter(Column::KindId.eq(kind.0));
    query = match state {
        None => query,
        Some(CodeState::Free) => query.filter(Column::RewardId.is_null()),
        Some(CodeState::Taken) => query.filter(Column::RewardId.is_not_null()),
    };
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let code = |row: coupon_code::Model| CodeRow {
        id: row.id,
        sealed: row.sealed_code,
        reward_id: row.reward_id.map(RewardId),
        created_at: row.created_at.0,
        taken_at: row.taken_at.map(|at| at.0),
    };
    let rows = rows.into_iter().map(code).collect();
    Ok(Page::from_overfetched(rows, limit, |code: &CodeRow| {
        code.id
    }))
}

/// Kinds of coupons with their stock, newest first: four statements.
pub(crate) async fn coupon_kind_page(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<CouponKind>, DbError> {
    use coupon_kind::Column;
    let mut query = coupon_kind::Entity::find();
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let kinds = with_stock(conn, rows).await?;
    Ok(Page::from_overfetched(kinds, limit, |kind| kind.id.0))
}

pub(crate) async fn coupon_kind(
    conn: &impl ConnectionTrait,
    id: CouponKindId,
) -> Result<Option<CouponKind>, DbError> {
    let row = coupon_kind::Entity::find_by_id(id.0).one(conn).await?;
    let kinds = with_stock(conn, row.into_iter().collect()).await?;
    Ok(kinds.into_iter().next())
}

/// The kinds of these names; the database may take names for the same that are not.
pub(crate) async fn coupon_kinds_named(
    conn: &impl ConnectionTrait,
    names: &[&str],
) -> Result<Vec<CouponKind>, DbError> {
    let named = coupon_kind::Entity::find()
        .filter(coupon_kind::Column::Name.is_in(names.iter().copied()))
        .all(conn)
        .await?;
    with_stock(conn, named).await
}

/// The kinds of these ids.
pub(crate) async fn coupon_kinds_of(
    conn: &impl ConnectionTrait,
    ids: &[i64],
) -> Result<Vec<CouponKind>, DbError> {
    let those = coupon_kind::Entity::find()
        .filter(coupon_kind::Column::Id.is_in(ids.iter().copied()))
        .all(conn)
        .await?;
    with_stock(conn, those).await
}

async fn with_stock(
    conn: &impl ConnectionTrait,
    kinds: Vec<coupon_kind::Model>,
) -> Result<Vec<CouponKind>, DbError> {
    let mut stock: HashMap<i64, CouponStock> = HashMap::new();
    if !kinds.is_empty() {
        let ids: Vec<i64> = kinds.iter().map(|kind| kind.id).collect();
        let codes: Vec<(i64, i64, i64)> = coupon_code::Entity::find()
            .select_only()
            .column(coupon_code::Column::KindId)
            .column_as(Expr::col(coupon_code::Column::Id).count(), "codes")
            .column_as(Expr::col(coupon_code::Column::RewardId).count(), "taken")
            .filter(coupon_code::Column::KindId.is_in(ids.iter().copied()))
            .group_by(coupon_code::Column::KindId)
            .into_tuple()
            .all(conn)
            .await?;
        for (kind, codes, taken) in codes {
            let stock = stock.entry(kind).or_default();
            stock.free = (codes - taken).unsigned_abs();
            stock.taken = taken.unsigned_abs();
        }
        let withheld: Vec<(i64, i64)> = coupon_withheld::Entity::find()
            .select_only()
            .column(coupon_withheld::Column::KindId)
            .column_as(Expr::col(coupon_withheld::Column::Id).count(), "withheld")
            .filter(coupon_withheld::Column::KindId.is_in(ids.iter().copied()))
            .group_by(coupon_withheld::Column::KindId)
            .into_tuple()
            .all(conn)
            .await?;
        for (kind, withheld) in withheld {
            stock.entry(kind).or_default().withheld = withheld.unsigned_abs();
        }
        use reward_log::Column;
        let waiting: Vec<(i64, i64)> = reward_log::Entity::find()
            .select_only()
            .column(Column::RewardItem)
            .column_as(Expr::col(Column::Id).count(), "waiting")
            .filter(Column::State.eq(RewardState::PendingReview.as_str()))
            .filter(Column::RewardType.eq(RewardType::Coupon.as_str()))
            .filter(Column::RewardItem.is_in(ids))
            .group_by(Column::RewardItem)
            .into_tuple()
            .all(conn)
            .await?;
        for (kind, waiting) in waiting {
            stock.entry(kind).or_default().waiting = waiting.unsigned_abs();
        }
    }
    let kind = |row: coupon_kind::Model| CouponKind {
        stock: stock.remove(&row.id).unwrap_or_default(),
        id: CouponKindId(row.id),
        name: row.name,
        manual: row.is_manual,
        ignores_case: row.ignores_case,
        created_at: row.created_at.0,
    };
    Ok(kinds.into_iter().map(kind).collect())
}

pub(crate) async fn update_coupon_kind(
    tx: &DatabaseTransaction,
    id: CouponKindId,
    kind: &NewCouponKind,
) -> Result<(), DbError> {
    use coupon_kind::Column;
    coupon_kind::Entity::update_many()
        .col_expr(Column::Name, Expr::value(&kind.name))
        .col_expr(Column::IsManual, Expr::value(kind.manual))
        .col_expr(Column::IgnoresCase, Expr::value(kind.ignores_case))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// A code that the transaction has reserved for one receipt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReservedCode(i64);

/// Reserves the oldest free code of a kind that the transaction has not reserved before; `None` only if there is none
/// left.
///
/// Two who win at once do not wait for each other: each skips the codes that another has locked.
/// Only when nothing but locked codes is left does one wait, since the other may yet give its code
/// back.
pub(crate) async fn reserve_code(
    tx: &DatabaseTransaction,
    kind: CouponKindId,
    reserved: impl Iterator<Item = ReservedCode>,
) -> Result<Option<ReservedCode>, DbError> {
    use coupon_code::Column;
    let reserved: Vec<i64> = reserved.map(|ReservedCode(id)| id).collect();
    let free = coupon_code::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::KindId.eq(kind.0))
        .filter(Column::RewardId.is_null())
        .filter(Column::Id.is_not_in(reserved))
        .order_by_asc(Column::Id)
        .limit(1);
    let unlocked = free
        .clone()
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .one(tx)
        .await?;
    let id = match unlocked {
        Some(id) => Some(id),
        None => free.lock(LockType::Update).into_tuple().one(tx).await?,
    };
    Ok(id.map(ReservedCode))
}

/// Gives a reserved code to a receipt.
pub(crate) async fn take_code_for(
    tx: &DatabaseTransaction,
    ReservedCode(id): ReservedCode,
    grant_key: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use coupon_code::Column;
    let receipt = Query::select()
        .column(reward_log::Column::Id)
        .from(reward_log::Entity)
        .and_where(reward_log::Column::GrantKey.eq(grant_key))
        .take();
    let taken = coupon_code::Entity::update_many()
        .col_expr(
            Column::RewardId,
            Expr::SubQuery(None, Box::new(receipt.into())),
        )
        .col_expr(Column::TakenAt, Timestamp(now).into())
        .filter(Column::Id.eq(id))
        .filter(Column::RewardId.is_null())
        .exec(tx)
        .await?;
    if taken.rows_affected == 1 {
        return Ok(());
    }
    // Over another node of a cluster, whose locks nobody sees.
    Err(DbError::Overtaken(format!("coupon code {id}")))
}

/// The sealed codes of a player's delivered grants: grant key, kind and code.
pub(crate) async fn codes_of_grants(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    grant_keys: &[String],
) -> Result<Vec<(String, CouponKindId, String)>, DbError> {
    let receipts: Vec<(i64, String)> = reward_log::Entity::find()
        .select_only()
        .column(reward_log::Column::Id)
        .column(reward_log::Column::GrantKey)
        .filter(reward_log::Column::UserId.eq(user_id.0))
        .filter(reward_log::Column::GrantKey.is_in(grant_keys))
        .filter(reward_log::Column::State.eq(RewardState::Delivered.as_str()))
        .into_tuple()
        .all(conn)
        .await?;
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    let ids = receipts.iter().map(|(id, _)| *id);
    let codes = coupon_code::Entity::find()
        .filter(coupon_code::Column::RewardId.is_in(ids))
        .all(conn)
        .await?;
    let codes = codes.into_iter().filter_map(|code| {
        let (_, key) = receipts
            .iter()
            .find(|(id, _)| Some(*id) == code.reward_id)?;
        Some((key.clone(), CouponKindId(code.kind_id), code.sealed_code))
    });
    Ok(codes.collect())
}
