//! Many players at once, in a number of statements that hardly depends on how many.

use std::collections::{HashMap, HashSet};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    UnknownName, UserId,
    db::{DbError, Timestamp},
};

use crate::{
    GivenId, Reach, Role,
    entity::{user, user_profiles},
};

/// A player by both names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerName {
    pub user_id: UserId,
    pub external_id: String,
    /// As it is now; whoever gives something asks again under the player's lock.
    pub reach: Reach,
}

/// The players among these who were anonymised.
pub async fn anonymised_among(
    conn: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<HashSet<UserId>, DbError> {
    use user_profiles::Column;
    let mut found = HashSet::new();
    for ids in ids.chunks(AT_ONCE) {
        let anonymised: Vec<i64> = user_profiles::Entity::find()
            .select_only()
            .column(Column::UserId)
            .filter(Column::UserId.is_in(ids.iter().map(|id| id.0)))
            .filter(Column::AnonymisedAt.is_not_null())
            .into_tuple()
            .all(conn)
            .await?;
        found.extend(anonymised.into_iter().map(UserId));
    }
    Ok(found)
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
    let rows: Vec<(i64, String, String, String, Option<Timestamp>)> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .column(user::Column::ExternalId)
        .column(user::Column::Role)
        .column(user::Column::Status)
        .column(user_profiles::Column::AnonymisedAt)
        .left_join(user_profiles::Entity)
        .filter(which)
        .into_tuple()
        .all(conn)
        .await?;
    let account = |(id, external_id, role, status, anonymised_at): (_, _, _, String, Option<_>)| {
        let corrupt = |error: UnknownName| DbError::Corrupt(format!("user {id}: {error}"));
        let status = status.parse().map_err(corrupt)?;
        let name = PlayerName {
            user_id: UserId(id),
            external_id,
            reach: Reach::of(status, anonymised_at.is_some()),
        };
        Ok((name, role))
    };
    rows.into_iter().map(account).collect()
}

/// Locks players as [`crate::lock_by_id_in_tx`] does, in ascending id, so that two who lock many never
/// wait for each other, and tells who of them was anonymised. `ids` are as many as one statement carries.
pub async fn lock_many_in_tx(
    tx: &DatabaseTransaction,
    ids: &[UserId],
) -> Result<HashSet<UserId>, DbError> {
    use user_profiles::Column;
    let locked: Vec<(i64, Option<Timestamp>)> = user_profiles::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::AnonymisedAt)
        .filter(Column::UserId.is_in(ids.iter().map(|id| id.0)))
        .order_by_asc(Column::UserId)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    let is_locked = |id: &UserId| locked.binary_search_by_key(&id.0, |row| row.0).is_ok();
    if let Some(id) = ids.iter().find(|id| !is_locked(id)) {
        return Err(DbError::Corrupt(format!("user {id} has no profile")));
    }
    let anonymised = locked.into_iter().filter(|(_, at)| at.is_some());
    Ok(anonymised.map(|(id, _)| UserId(id)).collect())
}
