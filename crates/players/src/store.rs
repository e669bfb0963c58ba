use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use xmas_kernel::{
    UserId,
    db::{Constraint, DbError, Timestamp},
};

use crate::{
    ExternalId, LockedPlayer, NO_PASSWORD, Nickname, PlayerDeskError, PlayerRecord, Standing,
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
        role: role.map_err(|error: crate::UnknownRole| corrupt(error.to_string()))?,
        status: status.map_err(|error: crate::UnknownStatus| corrupt(error.to_string()))?,
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

/// Puts something that tells nothing in the place of whatever tells who a player is.
pub(crate) async fn anonymise(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    now: DateTime<Utc>,
) -> Result<(), PlayerDeskError> {
    let row = user::ActiveModel {
        external_id: Set(format!("anon-{}", player.user_id())),
        nickname: Set(None),
        password_hash: Set(NO_PASSWORD.to_owned()),
        updated_at: Set(Timestamp(now)),
        ..Default::default()
    };
    update(tx, player, row).await
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
        Err(error) if error.constraint() == Some(Constraint::UserExternalId) => {
            Err(PlayerDeskError::ExternalIdExists)
        }
        Err(error) => Err(error.into()),
    }
}
