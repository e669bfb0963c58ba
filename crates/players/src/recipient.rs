//! Who may be given something, by operators: decided here, under the player's lock, for all that is given.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use xmas_kernel::{UserId, db::DbError};

use crate::{
    LockedPlayer, Status, UnknownStatus, entity::user, lock_by_id_in_tx, many::lock_many_in_tx,
};

/// How far an operator's hand reaches to a player.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// ACTIVE or BLOCKED: whoever is blocked may be let in again, and then has what was given meanwhile.
    Open,
    /// As if the player did not exist: only whoever says so reaches them.
    Inactive,
    /// For good: nobody reaches them.
    Anonymised,
}

impl Reach {
    pub(crate) fn of(status: Status, is_anonymised: bool) -> Self {
        match (is_anonymised, status) {
            (true, _) => Reach::Anonymised,
            (false, Status::Inactive) => Reach::Inactive,
            (false, Status::Active | Status::Blocked) => Reach::Open,
        }
    }

    /// Whether something may reach the player.
    ///
    /// # Errors
    /// Why it may not.
    pub fn admit(self, inactive: Inactive) -> Result<(), RecipientError> {
        match (self, inactive) {
            (Reach::Open, _) | (Reach::Inactive, Inactive::Reached) => Ok(()),
            (Reach::Inactive, Inactive::Refused) => Err(RecipientError::Inactive),
            (Reach::Anonymised, _) => Err(RecipientError::Anonymised),
        }
    }
}

/// What becomes of players who are INACTIVE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Inactive {
    /// Nothing is given to them by mistake.
    #[default]
    Refused,
    /// The operator has said so, or something is taken.
    Reached,
}

impl Inactive {
    /// `force`, as an operator has said it.
    pub fn forced(force: bool) -> Self {
        match force {
            true => Inactive::Reached,
            false => Inactive::Refused,
        }
    }
}

/// Why something cannot reach a player.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    #[error("there is no such player")]
    Unknown,
    #[error("the player was anonymised")]
    Anonymised,
    #[error("the player is INACTIVE")]
    Inactive,
    #[error("the database failed")]
    Db(#[from] DbError),
}

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
        let corrupt = |error: UnknownStatus| DbError::Corrupt(format!("user {id}: {error}"));
        Ok((UserId(id), status.parse().map_err(corrupt)?))
    };
    rows.into_iter().map(status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn force_reaches_whoever_is_inactive_and_nobody_who_was_anonymised() {
        let admits = |status, is_anonymised, force| {
            let reach = Reach::of(status, is_anonymised);
            reach.admit(Inactive::forced(force)).is_ok()
        };
        for status in Status::ALL {
            for force in [false, true] {
                assert_eq!(
                    admits(status, false, force),
                    force || status != Status::Inactive
                );
                assert!(!admits(status, true, force), "{status:?} {force}");
            }
        }
    }
}
