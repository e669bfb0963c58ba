use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use xmas_kernel::{
    CouponKindId, RewardId, UserId,
    db::{DbError, Timestamp},
};

use crate::{
    NewCouponKind, RewardState,
    entity::{coupon_code, coupon_kind, reward_log},
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

/// A code to be stored.
pub(crate) struct SealedCode {
    pub(crate) fingerprint: String,
    pub(crate) sealed: String,
}

/// How many codes one statement carries, well below the servers' limits.
const CODES_AT_ONCE: usize = 500;

/// The fingerprints among these that the kind has codes for.
pub(crate) async fn known_codes(
    conn: &impl ConnectionTrait,
    kind: CouponKindId,
    codes: &[SealedCode],
) -> Result<HashSet<String>, DbError> {
    use coupon_code::Column;
    let mut known = HashSet::new();
    for codes in codes.chunks(CODES_AT_ONCE) {
        let fingerprints = codes.iter().map(|code| code.fingerprint.as_str());
        let rows: Vec<String> = coupon_code::Entity::find()
            .select_only()
            .column(Column::Fingerprint)
            .filter(Column::KindId.eq(kind.0))
            .filter(Column::Fingerprint.is_in(fingerprints))
            .into_tuple()
            .all(conn)
            .await?;
        known.extend(rows);
    }
    Ok(known)
}

pub(crate) async fn insert_codes(
    tx: &DatabaseTransaction,
    kind: CouponKindId,
    codes: Vec<SealedCode>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut rows = codes.into_iter().map(|code| coupon_code::ActiveModel {
        id: NotSet,
        kind_id: Set(kind.0),
        fingerprint: Set(code.fingerprint),
        sealed_code: Set(code.sealed),
        reward_id: Set(None),
        created_at: Set(Timestamp(now)),
        taken_at: Set(None),
    });
    loop {
        let some: Vec<_> = rows.by_ref().take(CODES_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(());
        }
        coupon_code::Entity::insert_many(some)
            .exec_without_returning(tx)
            .await?;
    }
}

/// How many codes of a kind nobody has yet.
pub(crate) async fn free_codes(
    conn: &impl ConnectionTrait,
    kind: CouponKindId,
) -> Result<u64, DbError> {
    Ok(coupon_code::Entity::find()
        .filter(coupon_code::Column::KindId.eq(kind.0))
        .filter(coupon_code::Column::RewardId.is_null())
        .count(conn)
        .await?)
}

/// A code that the transaction has reserved for one receipt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReservedCode(i64);

/// Reserves the oldest free code of a kind; `None` only if there is none left.
///
/// Two who win at once do not wait for each other: each skips the codes that another has locked.
/// Only when nothing but locked codes is left does one wait, since the other may yet give its code
/// back.
pub(crate) async fn reserve_code(
    tx: &DatabaseTransaction,
    kind: CouponKindId,
) -> Result<Option<ReservedCode>, DbError> {
    use coupon_code::Column;
    let free = coupon_code::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::KindId.eq(kind.0))
        .filter(Column::RewardId.is_null())
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
pub(crate) async fn take_code(
    tx: &DatabaseTransaction,
    ReservedCode(id): ReservedCode,
    receipt: RewardId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use coupon_code::Column;
    let taken = coupon_code::Entity::update_many()
        .set(coupon_code::ActiveModel {
            reward_id: Set(Some(receipt.0)),
            taken_at: Set(Some(Timestamp(now))),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .filter(Column::RewardId.is_null())
        .exec(tx)
        .await?;
    if taken.rows_affected == 1 {
        return Ok(());
    }
    Err(DbError::Corrupt(format!(
        "coupon code {id} was taken under its lock"
    )))
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
