//! What stands in `user.password_hash`. It is made and checked in `core-auth`; here it is kept.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};
use xmas_kernel::db::{DbError, Timestamp};

use crate::{
    access::{Identity, LockedPlayer, raise_epoch_in_tx},
    entity::user::{Column, Entity},
};

/// How many characters a password has.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=256;
/// Stands in the place of a hash if no password fits.
pub const NO_PASSWORD: &str = "!";
/// What goes before the hash of an imported player: the old system's SHA-256, in 64 lower-case
/// hexadecimal digits. The first login replaces it.
pub const OLD_HASH_PREFIX: &str = "sha256$";

/// Replaces the password and, with it, every token minted so far.
pub async fn set_password_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Identity, DbError> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::Id.eq(player.user_id().0))
        .exec(tx)
        .await?;
    raise_epoch_in_tx(tx, player, now).await
}

/// Replaces a hash by a better one of the same password. Tokens stay good. Nothing happens if the
/// hash is not `old` any more: another login was faster.
pub async fn replace_hash_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    old: &str,
    new: &str,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(new))
        .filter(Column::Id.eq(player.user_id().0))
        .filter(Column::PasswordHash.eq(old))
        .exec(tx)
        .await?;
    Ok(())
}
