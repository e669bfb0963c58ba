use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use sha2::{Digest, Sha256};
use xmas_kernel::{
    UserId,
    db::{DbError, Timestamp},
};
use xmas_players::Identity;

use crate::{
    entity::{ActiveModel, Column, Entity},
    rules::Presented,
};

/// A refresh token's row.
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) identity: Identity,
    pub(crate) family_id: String,
    pub(crate) presented: Presented,
}

/// The database keeps this instead of the token.
fn fingerprint(token: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(token).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) async fn find(conn: &impl ConnectionTrait, token: &str) -> Result<Option<Row>, DbError> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(fingerprint(token)))
        .one(conn)
        .await?;
    Ok(row.map(|row| Row {
        id: row.id,
        identity: Identity {
            user_id: UserId(row.user_id),
            token_epoch: row.token_epoch,
        },
        family_id: row.family_id,
        presented: Presented {
            expires_at: row.expires_at.0,
            used_at: row.used_at.map(|at| at.0),
            revoked_at: row.revoked_at.map(|at| at.0),
        },
    }))
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    identity: &Identity,
    family_id: &str,
    token: &str,
    (issued_at, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), DbError> {
    Entity::insert(ActiveModel {
        id: NotSet,
        user_id: Set(identity.user_id.0),
        family_id: Set(family_id.to_owned()),
        token_hash: Set(fingerprint(token)),
        token_epoch: Set(identity.token_epoch),
        issued_at: Set(Timestamp(issued_at)),
        expires_at: Set(Timestamp(expires_at)),
        used_at: Set(None),
        revoked_at: Set(None),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// Notes the first use; a repetition within the grace does not prolong it.
pub(crate) async fn mark_used(
    tx: &DatabaseTransaction,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::UsedAt, Timestamp(now).into())
        .filter(Column::Id.eq(id))
        .filter(Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn revoke_family(
    tx: &DatabaseTransaction,
    user_id: UserId,
    family_id: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Timestamp(now).into())
        .filter(Column::UserId.eq(user_id.0))
        .filter(Column::FamilyId.eq(family_id))
        .filter(Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends every session of a player.
pub(crate) async fn revoke_all(
    tx: &DatabaseTransaction,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Timestamp(now).into())
        .filter(Column::UserId.eq(user_id.0))
        .filter(Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Removes up to `most` refresh tokens that ended before `until`, oldest first, and returns how many. Whoever still
/// presents one is told what they were told before: that it is no good.
pub async fn remove_expired_in_tx(
    tx: &DatabaseTransaction,
    until: DateTime<Utc>,
    most: u64,
) -> Result<u64, DbError> {
    let old: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExpiresAt.lt(Timestamp(until)))
        .order_by_asc(Column::ExpiresAt)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await?;
    let which = Entity::delete_many().filter(Column::Id.is_in(old));
    Ok(which.exec(tx).await?.rows_affected)
}

/// How many refresh tokens are kept, good or not.
pub async fn count_tokens(conn: &impl ConnectionTrait) -> Result<u64, DbError> {
    Ok(Entity::find().count(conn).await?)
}
