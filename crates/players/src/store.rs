use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QuerySelect,
};
use xmas_kernel::{
    UnknownName, UserId,
    db::{DbError, Timestamp},
};

use crate::{
    ExternalId, LockedPlayer, NO_PASSWORD, Nickname, PlayerDeskError, PlayerRecord, Standing,
    constraints,
    entity::{user, user_profiles},
};

/// An account; its standing is for the season to say.
pub(crate) async fn record(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    standing: Standing,
) -> Result<PlayerRecord, DbError> {
    let corrupt = |problem: String| DbError::Corrupt(format!("user {user_id}: {problem}"));
    let row = user::Entity::find_by_id(user_id.0)
        .find_also_related(user_profiles::Entity)
        .one(conn)
        .await?;
    let (user, profile) = row.ok_or_else(|| corrupt("is gone".to_owned()))?;
    let profile = profile.ok_or_else(|| corrupt("has no profile".to_owned()))?;
    let role = user.role.parse();
    let status = user.status.parse();
    Ok(PlayerRecord {
        user_id,
        external_id: user.external_id,
        nickname: user.nickname,
        role: role.map_err(|error: UnknownName| corrupt(error.to_string()))?,
        status: status.map_err(|error: UnknownName| corrupt(error.to_string()))?,
        account_level: profile.level,
        standing,
        created_at: user.created_at.0,
        updated_at: user.updated_at.0,
        last_login_at: user.last_login_at.map(|at| at.0),
    })
}

/// Changes the names of a locked player; what is `None` stays.
pub(crate) async fn rename(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    external_id: Option<&ExternalId>,
    nickname: Option<Option<&Nickname>>,
    now: DateTime<Utc>,
) -> Result<(), PlayerDeskError> {
    let mut row = user::ActiveModel {
        updated_at: Set(Timestamp(now)),
        ..Default::default()
    };
    if let Some(external_id) = external_id {
        row.external_id = Set(external_id.as_str().to_owned());
    }
    if let Some(nickname) = nickname {
        row.nickname = Set(nickname.map(|nickname| nickname.as_str().to_owned()));
    }
    update(tx, player, row).await
}

/// Puts something that tells nothing in the place of whatever tells who a player is, and marks them.
pub(crate) async fn anonymise(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    now: DateTime<Utc>,
) -> Result<(), PlayerDeskError> {
    let row = user::ActiveModel {
        external_id: Set(free_anonymous_id(tx, player).await?),
        nickname: Set(None),
        password_hash: Set(NO_PASSWORD.to_owned()),
        updated_at: Set(Timestamp(now)),
        ..Default::default()
    };
    update(tx, player, row).await?;
    user_profiles::Entity::update_many()
        .set(user_profiles::ActiveModel {
            anonymised_at: Set(Some(Timestamp(now))),
            ..Default::default()
        })
        .filter(user_profiles::Column::UserId.eq(player.user_id().0))
        .exec(tx)
        .await
        .map_err(DbError::from)?;
    Ok(())
}

/// `anon-42`, or else the first of `anon-42-2`, `anon-42-3`, … that nobody has. Ids that begin so were open to
/// everybody once, so that some may be taken; today nobody can be given one in between.
async fn free_anonymous_id(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
) -> Result<String, DbError> {
    let usual = format!("{}{}", ExternalId::ANONYMOUS, player.user_id());
    let taken: HashSet<String> = user::Entity::find()
        .select_only()
        .column(user::Column::ExternalId)
        .filter(user::Column::ExternalId.starts_with(&usual))
        .filter(user::Column::Id.ne(player.user_id().0))
        .into_tuple()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let mut others = (2_u64..).map(|number| format!("{usual}-{number}"));
    let is_free = |id: &String| !taken.contains(id);
    let free = Some(usual.clone()).filter(is_free);
    Ok(free.or_else(|| others.find(is_free)).unwrap_or(usual))
}

async fn update(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    row: user::ActiveModel,
) -> Result<(), PlayerDeskError> {
    let updated = user::Entity::update_many()
        .set(row)
        .filter(user::Column::Id.eq(player.user_id().0))
        .exec(tx)
        .await
        .map_err(DbError::from);
    match updated {
        Ok(_) => Ok(()),
        Err(error) if error.violates(&constraints::EXTERNAL_ID) => {
            Err(PlayerDeskError::ExternalIdExists)
        }
        Err(error) => Err(error.into()),
    }
}
