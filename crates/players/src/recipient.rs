//! Who may be given something, by operators: decided here, under the player's lock, for all that is given.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use xmas_kernel::{UnknownName, UserId, db::DbError};

use crate::{
    Inactive, LockedPlayer, Reach, RecipientError, Status, access::lock_by_id_in_tx, entity::user,
    many::lock_many_in_tx,
};

/// Locks the player to whom an operator gives something, if it may reach them.
pub async fn lock_recipient_in_tx(
    tx: &DatabaseTransaction,
    user_id: UserId,
    inactive: Inactive,
) -> Result<LockedPlayer, RecipientError> {
    let player = lock_by_id_in_tx(tx, user_id).await?;
    let player = player.ok_or(RecipientError::Unknown)?;
    let status = statuses(tx, &[user_id]).await?.remove(&user_id);
    let status = status.ok_or(RecipientError::Unknown)?;
    Reach::of(status, player.is_anonymised()).admit(inactive)?;
    Ok(player)
}

/// Locks players in ascending id, as [`crate::lock_many_in_tx`], and tells whom of them nothing may reach.
/// `ids` are as many as one statement carries.
pub async fn lock_recipients_in_tx(
    tx: &DatabaseTransaction,
    ids: &[UserId],
    inactive: Inactive,
) -> Result<HashSet<UserId>, DbError> {
    let anonymised = lock_many_in_tx(tx, ids).await?;
    let statuses = statuses(tx, ids).await?.into_iter();
    let refused = statuses.filter(|(user_id, status)| {
        let reach = Reach::of(*status, anonymised.contains(user_id));
        reach.admit(inactive).is_err()
    });
    Ok(refused.map(|(user_id, _)| user_id).collect())
}

/// The statuses of players whose profiles are locked: a status changes only under that lock.
async fn statuses(
    tx: &DatabaseTransaction,
    ids: &[UserId],
) -> Result<HashMap<UserId, Status>, DbError> {
    let rows: Vec<(i64, String)> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .column(user::Column::Status)
        .filter(user::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .into_tuple()
        .all(tx)
        .await?;
    let status = |(id, status): (i64, String)| {
        let corrupt = |error: UnknownName| DbError::Corrupt(format!("user {id}: {error}"));
        Ok((UserId(id), status.parse().map_err(corrupt)?))
    };
    rows.into_iter().map(status).collect()
}
