use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, NotSet,
    QueryFilter, QuerySelect,
    sea_query::{CaseStatement, Expr},
};
use xmas_kernel::{
    UnknownName, UserId,
    db::{DbError, Timestamp},
};

use super::rules::Existing;
use crate::{
    GivenId, PlayerDeskError, Role, Status,
    account::{FIRST_EPOCH, FIRST_LEVEL},
    constraints,
    entity::{user, user_profiles},
    many::lock_many_in_tx,
};

/// How many rows one statement carries, well below what the servers take.
const ROWS_AT_ONCE: usize = 500;

/// A player to be created, with the hash of a password or with none that fits.
pub(crate) struct Created<'a> {
    pub(crate) external_id: &'a str,
    pub(crate) nickname: Option<&'a str>,
    pub(crate) password_hash: &'a str,
    pub(crate) status: Status,
}

/// What changes about a player; what is `None` stays.
pub(crate) struct Updated<'a> {
    pub(crate) user_id: UserId,
    pub(crate) nickname: Option<&'a str>,
    pub(crate) password_hash: Option<&'a str>,
    pub(crate) status: Option<Status>,
}

/// The players with these external ids, by them.
pub(crate) async fn existing_players(
    conn: &impl ConnectionTrait,
    given: &[&GivenId],
) -> Result<HashMap<String, Existing>, DbError> {
    let mut existing = HashMap::with_capacity(given.len());
    for given in given.chunks(ROWS_AT_ONCE) {
        let spellings = given.iter().flat_map(|given| given.spellings());
        let rows = user::Entity::find()
            .find_also_related(user_profiles::Entity)
            .filter(user::Column::ExternalId.is_in(spellings))
            .all(conn)
            .await?;
        for (row, profile) in rows {
            let corrupt = |problem: String| DbError::Corrupt(format!("user {}: {problem}", row.id));
            let status = row.status.parse();
            let role = row.role.parse();
            let player = Existing {
                user_id: UserId(row.id),
                status: status.map_err(|error: UnknownName| corrupt(error.to_string()))?,
                role: role.map_err(|error: UnknownName| corrupt(error.to_string()))?,
                nickname: row.nickname,
                password_hash: row.password_hash,
                is_anonymised: profile.is_some_and(|it| it.anonymised_at.is_some()),
            };
            existing.insert(row.external_id, player);
        }
    }
    Ok(existing)
}

/// Creates players with their profiles.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    players: &[Created<'_>],
    now: DateTime<Utc>,
) -> Result<(), PlayerDeskError> {
    for chunk in players.chunks(ROWS_AT_ONCE) {
        let rows = chunk.iter().map(|player| user::ActiveModel {
            id: NotSet,
            external_id: Set(player.external_id.to_owned()),
            nickname: Set(player.nickname.map(str::to_owned)),
            password_hash: Set(player.password_hash.to_owned()),
            role: Set(Role::Player.as_str().to_owned()),
            status: Set(player.status.as_str().to_owned()),
            created_at: Set(Timestamp(now)),
            updated_at: Set(Timestamp(now)),
            last_login_at: Set(None),
        });
        let inserted = user::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await;
        inserted.map_err(DbError::from).map_err(|error| {
            // Somebody else has created one of them in between.
            match error.violates(&constraints::EXTERNAL_ID) {
                true => PlayerDeskError::ExternalIdExists,
                false => error.into(),
            }
        })?;
        let ids: Vec<(i64, String)> = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .column(user::Column::Status)
            .filter(user::Column::ExternalId.is_in(chunk.iter().map(|player| player.external_id)))
            .into_tuple()
            .all(tx)
            .await
            .map_err(DbError::from)?;
        let profiles = ids.iter().map(|(id, status)| user_profiles::ActiveModel {
            user_id: Set(*id),
            level: Set(FIRST_LEVEL),
            event_key_count: Set(0),
            event_pending_points: Set(0),
            last_key_on: Set(None),
            is_blocked: Set(status == Status::Blocked.as_str()),
            token_epoch: Set(FIRST_EPOCH),
            updated_at: Set(Timestamp(now)),
            anonymised_at: Set(None),
        });
        user_profiles::Entity::insert_many(profiles)
            .exec_without_returning(tx)
            .await
            .map_err(DbError::from)?;
    }
    Ok(())
}

/// Locks players in ascending id and changes them; `players` are in that order.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    players: &[Updated<'_>],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    for chunk in players.chunks(ROWS_AT_ONCE) {
        let ids: Vec<UserId> = chunk.iter().map(|player| player.user_id).collect();
        if let Some(gone) = lock_many_in_tx(tx, &ids).await?.iter().next() {
            // Since the plan was made; the next one does not know them any more.
            let gone = DbErr::Custom(format!("player {gone} was anonymised meanwhile"));
            return Err(DbError::Contention(gone));
        }
        let nicknames = chunk
            .iter()
            .filter_map(|player| Some((player.user_id, player.nickname?)));
        set_each(tx, user::Column::Nickname, nicknames.collect(), now).await?;
        let hashes = chunk
            .iter()
            .filter_map(|player| Some((player.user_id, player.password_hash?)));
        set_each(tx, user::Column::PasswordHash, hashes.collect(), now).await?;
        for status in [Status::Active, Status::Inactive, Status::Blocked] {
            let those = chunk.iter().filter(|player| player.status == Some(status));
            let those: Vec<i64> = those.map(|player| player.user_id.0).collect();
            set_status(tx, &those, status, now).await?;
        }
        let outdated = chunk.iter().filter(|player| {
            let is_shut_out = player.status.is_some_and(|status| status != Status::Active);
            player.password_hash.is_some() || is_shut_out
        });
        let outdated: Vec<i64> = outdated.map(|player| player.user_id.0).collect();
        raise_epochs(tx, &outdated, now).await?;
    }
    Ok(())
}

/// Gives each player a value of its own in one statement.
async fn set_each(
    tx: &DatabaseTransaction,
    column: user::Column,
    values: Vec<(UserId, &str)>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if values.is_empty() {
        return Ok(());
    }
    let mut case = CaseStatement::new();
    for (user_id, value) in &values {
        case = case.case(user::Column::Id.eq(user_id.0), Expr::value(*value));
    }
    user::Entity::update_many()
        .col_expr(column, case.finally(Expr::col(column)).into())
        .col_expr(user::Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(user::Column::Id.is_in(values.iter().map(|(user_id, _)| user_id.0)))
        .exec(tx)
        .await?;
    Ok(())
}

async fn set_status(
    tx: &DatabaseTransaction,
    players: &[i64],
    status: Status,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if players.is_empty() {
        return Ok(());
    }
    user::Entity::update_many()
        .col_expr(user::Column::Status, Expr::value(status.as_str()))
        .col_expr(user::Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(user::Column::Id.is_in(players.iter().copied()))
        .exec(tx)
        .await?;
    let is_blocked = status == Status::Blocked;
    user_profiles::Entity::update_many()
        .col_expr(user_profiles::Column::IsBlocked, Expr::value(is_blocked))
        .filter(user_profiles::Column::UserId.is_in(players.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

async fn raise_epochs(
    tx: &DatabaseTransaction,
    players: &[i64],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use user_profiles::Column;
    if players.is_empty() {
        return Ok(());
    }
    user_profiles::Entity::update_many()
        .col_expr(Column::TokenEpoch, Expr::col(Column::TokenEpoch).add(1))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.is_in(players.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}
