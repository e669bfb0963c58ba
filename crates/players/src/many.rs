//! Many players at once, in a number of statements that hardly depends on how many.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use xmas_kernel::{UserId, db::DbError};

use crate::{
    GivenId, Role,
    entity::{user, user_profiles},
};

/// A player by both names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerName {
    pub user_id: UserId,
    pub external_id: String,
}

/// How many ids one statement carries.
const AT_ONCE: usize = 1_000;

/// The players among these, whatever their status; admins are not players.
pub async fn players_by_id(
    conn: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<HashMap<UserId, PlayerName>, DbError> {
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let which = user::Column::Id.is_in(ids.iter().map(|id| id.0));
        let players = accounts(conn, which).await?.into_iter();
        let players = players.filter_map(|(player, role)| is_player(&role).then_some(player));
        found.extend(players.map(|player| (player.user_id, player)));
    }
    Ok(found)
}

/// As [`players_by_id`], by external id. Whoever has an id to the byte is meant by it, and is not found if
/// that is an admin.
pub async fn players_by_external_id(
    conn: &impl ConnectionTrait,
    given: &[&GivenId],
) -> Result<HashMap<GivenId, PlayerName>, DbError> {
    let mut found = HashMap::with_capacity(given.len());
    for given in given.chunks(AT_ONCE) {
        let spellings = given.iter().flat_map(|given| given.spellings());
        let which = user::Column::ExternalId.is_in(spellings);
        let accounts = accounts(conn, which).await?.into_iter();
        let accounts: HashMap<String, (PlayerName, String)> = accounts
            .map(|(name, role)| (name.external_id.clone(), (name, role)))
            .collect();
        let player = |given: &&GivenId| {
            let meant = given.among(&accounts);
            let (player, _) = meant.filter(|(_, role)| is_player(role))?;
            Some(((*given).clone(), player.clone()))
        };
        found.extend(given.iter().filter_map(player));
    }
    Ok(found)
}

fn is_player(role: &str) -> bool {
    role == Role::Player.as_str()
}

/// Accounts with their roles.
async fn accounts(
    conn: &impl ConnectionTrait,
    which: Expr,
) -> Result<Vec<(PlayerName, String)>, DbError> {
    let rows: Vec<(i64, String, String)> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .column(user::Column::ExternalId)
        .column(user::Column::Role)
        .filter(which)
        .into_tuple()
        .all(conn)
        .await?;
    let account = |(id, external_id, role)| {
        let name = PlayerName {
            user_id: UserId(id),
            external_id,
        };
        (name, role)
    };
    Ok(rows.into_iter().map(account).collect())
}

/// Locks players as [`crate::lock_by_id_in_tx`] does, in ascending id, so that two who lock many never
/// wait for each other. `ids` are as many as one statement carries.
pub async fn lock_many_in_tx(tx: &DatabaseTransaction, ids: &[UserId]) -> Result<(), DbError> {
    use user_profiles::Column;
    let locked: Vec<i64> = user_profiles::Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::UserId.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(Column::UserId)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    match ids.iter().find(|id| locked.binary_search(&id.0).is_err()) {
        None => Ok(()),
        Some(id) => Err(DbError::Corrupt(format!("user {id} has no profile"))),
    }
}
