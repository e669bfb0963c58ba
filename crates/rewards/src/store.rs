use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use xmas_kernel::{
    Asset, BundleId, CouponKindId, RewardId, UserId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
};
use xmas_players::LockedPlayer;
use xmas_time::EventDay;

use crate::{
    Grant, GrantSource, LedgerRow, NewBundle, NewCouponKind, Reward, RewardReceipt, RewardState,
    RewardType, UnknownGrantSource,
    entity::{
        coupon_code, coupon_kind, reward_bundle, reward_bundle_item, reward_log, user_game_wallet,
        wallet_ledger,
    },
    rules::are_contents,
};

/// One balance to be changed, and what the ledger will say about it.
pub(crate) struct Change<'a> {
    pub(crate) asset: Asset,
    /// Not 0.
    pub(crate) delta: i64,
    pub(crate) reason: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) actor: &'a str,
}

pub(crate) async fn balance(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    asset: Asset,
) -> Result<Option<i64>, DbError> {
    let row = user_game_wallet::Entity::find_by_id((user_id.0, asset.as_str().to_owned()))
        .one(conn)
        .await?;
    Ok(row.map(|row| row.balance))
}

pub(crate) async fn balances(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<(Asset, i64)>, DbError> {
    let rows = user_game_wallet::Entity::find()
        .filter(user_game_wallet::Column::UserId.eq(user_id.0))
        .all(conn)
        .await?;
    rows.into_iter()
        .map(|row| Ok((asset(&row.asset)?, row.balance)))
        .collect()
}

/// Changes a balance and appends to its ledger. `None` if it would fall below zero or overflow;
/// nothing is changed then.
///
/// The player is locked, so nobody else moves this balance between the read and the update; the
/// update is guarded all the same, and finding it changed is an error of its own.
pub(crate) async fn change(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    change: &Change<'_>,
    now: DateTime<Utc>,
) -> Result<Option<i64>, DbError> {
    use user_game_wallet::Column;
    let user_id = player.user_id();
    let before = balance(tx, user_id, change.asset).await?;
    let after = before.unwrap_or(0).checked_add(change.delta);
    let Some(after) = after.filter(|after| *after >= 0) else {
        return Ok(None);
    };
    if let Some(before) = before {
        let updated = user_game_wallet::Entity::update_many()
            .col_expr(Column::Balance, after.into())
            .col_expr(Column::UpdatedAt, Timestamp(now).into())
            .filter(Column::UserId.eq(user_id.0))
            .filter(Column::Asset.eq(change.asset.as_str()))
            .filter(Column::Balance.eq(before))
            .exec(tx)
            .await?;
        if updated.rows_affected != 1 {
            let asset = change.asset;
            return Err(DbError::Corrupt(format!(
                "the {asset} of {user_id} moved under its lock"
            )));
        }
    } else {
        user_game_wallet::Entity::insert(user_game_wallet::ActiveModel {
            user_id: Set(user_id.0),
            asset: Set(change.asset.as_str().to_owned()),
            balance: Set(after),
            updated_at: Set(Timestamp(now)),
        })
        .exec_without_returning(tx)
        .await?;
    }
    wallet_ledger::Entity::insert(wallet_ledger::ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        asset: Set(change.asset.as_str().to_owned()),
        delta: Set(change.delta),
        balance_after: Set(after),
        reason: Set(change.reason.to_owned()),
        reference: Set(change.reference.to_owned()),
        actor: Set(change.actor.to_owned()),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(Some(after))
}

pub(crate) async fn ledger(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<LedgerRow>, DbError> {
    use wallet_ledger::Column;
    let mut query = wallet_ledger::Entity::find().filter(Column::UserId.eq(user_id.0));
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows = rows.into_iter().map(|row| {
        Ok(LedgerRow {
            id: row.id,
            asset: asset(&row.asset)?,
            delta: row.delta,
            balance_after: row.balance_after,
            reason: row.reason,
            reference: row.reference,
            actor: row.actor,
            created_at: row.created_at.0,
        })
    });
    let rows = rows.collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page::from_overfetched(rows, limit, |row| row.id))
}

/// Writes the receipt of a grant. Its key decides whether this is the first time.
pub(crate) async fn insert_receipt(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    grant: &Grant,
    (state, reason): (RewardState, Option<&str>),
    now: DateTime<Utc>,
) -> Result<RewardId, DbError> {
    let delivered_at = (state == RewardState::Delivered).then_some(Timestamp(now));
    let inserted = reward_log::Entity::insert(reward_log::ActiveModel {
        id: NotSet,
        user_id: Set(player.user_id().0),
        grant_key: Set(grant.grant_key.clone()),
        source: Set(grant.source.as_str().to_owned()),
        reward_type: Set(grant.reward.kind().as_str().to_owned()),
        amount: Set(grant.reward.amount()),
        reward_item: Set(grant.reward.item()),
        label: Set(grant.label.clone()),
        state: Set(state.as_str().to_owned()),
        reason: Set(reason.map(str::to_owned)),
        season_id: Set(grant.season_id.map(|season| season.0)),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
        delivered_at: Set(delivered_at),
        reviewed_at: Set(None),
        reviewed_by: Set(None),
    })
    .exec(tx)
    .await?;
    Ok(RewardId(inserted.last_insert_id))
}

/// The state of the grant with this key.
pub(crate) async fn receipt_state(
    tx: &DatabaseTransaction,
    grant_key: &str,
) -> Result<RewardState, DbError> {
    let row = reward_log::Entity::find()
        .filter(reward_log::Column::GrantKey.eq(grant_key))
        .one(tx)
        .await?
        .ok_or_else(|| DbError::Corrupt(format!("reward_log {grant_key} is there and is not")))?;
    state(&row)
}

fn state(row: &reward_log::Model) -> Result<RewardState, DbError> {
    row.state
        .parse()
        .map_err(|error| DbError::Corrupt(format!("reward_log {}: {error}", row.id)))
}

fn receipt(row: reward_log::Model) -> Result<RewardReceipt, DbError> {
    let corrupt = |problem: String| DbError::Corrupt(format!("reward_log {}: {problem}", row.id));
    let kind: RewardType = row
        .reward_type
        .parse()
        .map_err(|error: crate::UnknownRewardType| corrupt(error.to_string()))?;
    let source = row.source.parse();
    let source = source.map_err(|error: UnknownGrantSource| corrupt(error.to_string()))?;
    let reward = match (source, kind, row.reward_item) {
        // Which may be negative.
        (GrantSource::Correction, RewardType::Xp, None) => Ok(Reward::xp_correction(row.amount)),
        _ => Reward::from_parts(kind, row.amount, row.reward_item),
    };
    Ok(RewardReceipt {
        id: RewardId(row.id),
        user_id: UserId(row.user_id),
        reward: reward.map_err(|error| corrupt(error.to_string()))?,
        state: state(&row)?,
        grant_key: row.grant_key,
        source,
        label: row.label,
        reason: row.reason,
        created_at: row.created_at.0,
    })
}

pub(crate) async fn find_receipt(
    conn: &impl ConnectionTrait,
    id: RewardId,
) -> Result<Option<RewardReceipt>, DbError> {
    let row = reward_log::Entity::find_by_id(id.0).one(conn).await?;
    row.map(receipt).transpose()
}

/// Receipts that wait for an admin, newest first.
pub(crate) async fn pending(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<RewardReceipt>, DbError> {
    use reward_log::Column;
    let mut query =
        reward_log::Entity::find().filter(Column::State.eq(RewardState::PendingReview.as_str()));
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows: Vec<RewardReceipt> = rows.into_iter().map(receipt).collect::<Result<_, _>>()?;
    Ok(Page::from_overfetched(rows, limit, |row| row.id.0))
}

/// Ends the wait of a receipt; `false` if it does not wait any more.
pub(crate) async fn end_wait(
    tx: &DatabaseTransaction,
    id: RewardId,
    (state, reason): (RewardState, Option<&str>),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use reward_log::Column;
    let delivered_at = (state == RewardState::Delivered).then_some(Timestamp(now));
    let updated = reward_log::Entity::update_many()
        .set(reward_log::ActiveModel {
            state: Set(state.as_str().to_owned()),
            reason: Set(reason.map(str::to_owned)),
            delivered_at: Set(delivered_at),
            reviewed_at: Set(Some(Timestamp(now))),
            reviewed_by: Set(Some(actor.to_owned())),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq(RewardState::PendingReview.as_str()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

pub(crate) async fn insert_bundle(
    tx: &DatabaseTransaction,
    bundle: &NewBundle,
    now: DateTime<Utc>,
) -> Result<BundleId, DbError> {
    let inserted = reward_bundle::Entity::insert(reward_bundle::ActiveModel {
        id: NotSet,
        name: Set(bundle.name.clone()),
        created_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    let bundle_id = inserted.last_insert_id;
    let items = (0..).zip(&bundle.items);
    let items = items.map(|(position, item)| reward_bundle_item::ActiveModel {
        bundle_id: Set(bundle_id),
        position: Set(position),
        reward_type: Set(item.kind().as_str().to_owned()),
        amount: Set(item.amount()),
    });
    reward_bundle_item::Entity::insert_many(items)
        .exec_without_returning(tx)
        .await?;
    Ok(BundleId(bundle_id))
}

/// What lies in these bundles, in order, each with its bundle. A bundle of which anything cannot be
/// delivered, or which holds nothing, is left out whole.
pub(crate) async fn bundles(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = BundleId>,
) -> Result<Vec<(BundleId, Vec<Reward>)>, DbError> {
    use reward_bundle_item::Column;
    let ids: Vec<i64> = ids.into_iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = reward_bundle_item::Entity::find()
        .filter(Column::BundleId.is_in(ids))
        .order_by_asc(Column::BundleId)
        .order_by_asc(Column::Position)
        .all(conn)
        .await?;
    let chunks = rows.chunk_by(|a, b| a.bundle_id == b.bundle_id);
    let bundle = |rows: &[reward_bundle_item::Model]| {
        let item = |row: &reward_bundle_item::Model| {
            let kind = row.reward_type.parse().ok()?;
            Reward::new(kind, row.amount).ok()
        };
        let items: Vec<Reward> = rows.iter().map(item).collect::<Option<_>>()?;
        are_contents(&items).then_some((BundleId(rows[0].bundle_id), items))
    };
    Ok(chunks.filter_map(bundle).collect())
}

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

fn asset(name: &str) -> Result<Asset, DbError> {
    name.parse()
        .map_err(|error| DbError::Corrupt(format!("a wallet holds an {error}")))
}
