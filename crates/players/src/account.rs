use std::str::FromStr;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    UserId,
    db::{Constraint, DbError, Timestamp},
};

use crate::{
    access::{Identity, LockedPlayer, raise_epoch_in_tx},
    entity::{user, user_profiles},
};

/// The id by which people know a player: trimmed, 1 to 100 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalId(String);

/// Text that cannot be an external id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an external id is 1 to 100 characters without control characters")]
pub struct MalformedExternalId;

impl ExternalId {
    pub const MAX_CHARS: usize = 100;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ExternalId {
    type Error = MalformedExternalId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(MalformedExternalId);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name that others see: trimmed, 1 to 100 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

/// Text that cannot be a nickname.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a nickname is 1 to 100 characters without control characters")]
pub struct MalformedNickname;

impl Nickname {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Nickname {
    type Error = MalformedNickname;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let id = ExternalId::try_from(text).map_err(|_| MalformedNickname)?;
        Ok(Self(id.0))
    }
}

/// What an account may do. Each role's token carries its own scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    Player,
    Admin,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Player, Role::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Player => "PLAYER",
            Role::Admin => "ADMIN",
        }
    }
}

/// A name that is not one of [`Role::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role {0:?}")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == name)
            .ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

/// Whether an account may be used (domain.md, "Players").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    Active,
    /// As if it did not exist; reversible.
    Inactive,
    Blocked,
}

impl Status {
    pub const ALL: [Status; 3] = [Status::Active, Status::Inactive, Status::Blocked];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Active => "ACTIVE",
            Status::Inactive => "INACTIVE",
            Status::Blocked => "BLOCKED",
        }
    }
}

/// A name that is not one of [`Status::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {0:?}")]
pub struct UnknownStatus(pub String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or_else(|| UnknownStatus(name.to_owned()))
    }
}

/// An account as logging in needs it.
#[derive(Clone, Debug)]
pub struct Account {
    pub user_id: UserId,
    pub external_id: String,
    pub nickname: Option<String>,
    pub password_hash: String,
    pub role: Role,
    pub status: Status,
    pub account_level: i64,
    pub token_epoch: i64,
}

impl Account {
    pub fn identity(&self) -> Identity {
        Identity {
            user_id: self.user_id,
            token_epoch: self.token_epoch,
        }
    }
}

/// An account to be created.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub external_id: ExternalId,
    pub nickname: Option<Nickname>,
    pub password_hash: String,
    pub role: Role,
}

#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("the external id is taken")]
    ExternalIdExists,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Whether anybody has an account here.
pub async fn has_accounts(conn: &impl ConnectionTrait) -> Result<bool, DbError> {
    Ok(user::Entity::find().one(conn).await?.is_some())
}

/// The account level that everyone starts at.
pub(crate) const FIRST_LEVEL: i64 = 1;
pub(crate) const FIRST_EPOCH: i64 = 0;

/// Creates an active account with its profile at level 1.
pub async fn create_in_tx(
    tx: &DatabaseTransaction,
    account: NewAccount,
    now: DateTime<Utc>,
) -> Result<LockedPlayer, CreateError> {
    let inserted = user::Entity::insert(user::ActiveModel {
        external_id: Set(account.external_id.0),
        nickname: Set(account.nickname.map(|nickname| nickname.0)),
        password_hash: Set(account.password_hash),
        role: Set(account.role.as_str().to_owned()),
        status: Set(Status::Active.as_str().to_owned()),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
        last_login_at: Set(None),
        ..Default::default()
    })
    .exec(tx)
    .await
    .map_err(DbError::from);
    let user_id = match inserted {
        Ok(inserted) => UserId(inserted.last_insert_id),
        Err(error) if error.constraint() == Some(Constraint::UserExternalId) => {
            return Err(CreateError::ExternalIdExists);
        }
        Err(error) => return Err(error.into()),
    };
    let profile = user_profiles::Model {
        user_id: user_id.0,
        level: FIRST_LEVEL,
        event_key_count: 0,
        event_pending_points: 0,
        last_key_on: None,
        is_blocked: false,
        token_epoch: FIRST_EPOCH,
        updated_at: Timestamp(now),
    };
    let locked = LockedPlayer::new(&profile);
    user_profiles::Entity::insert(profile.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await
        .map_err(DbError::from)?;
    Ok(locked)
}

pub async fn find_by_external_id(
    conn: &impl ConnectionTrait,
    external_id: &ExternalId,
) -> Result<Option<Account>, DbError> {
    find(conn, user::Column::ExternalId.eq(external_id.as_str())).await
}

pub async fn find_by_id(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<Account>, DbError> {
    find(conn, user::Column::Id.eq(user_id.0)).await
}

async fn find(conn: &impl ConnectionTrait, which: Expr) -> Result<Option<Account>, DbError> {
    let row = user::Entity::find()
        .find_also_related(user_profiles::Entity)
        .filter(which)
        .one(conn)
        .await?;
    let Some((user, profile)) = row else {
        return Ok(None);
    };
    let id = user.id;
    let profile = profile.ok_or_else(|| DbError::Corrupt(format!("user {id} has no profile")))?;
    let role = user.role.parse();
    let role = role.map_err(|error| DbError::Corrupt(format!("user {id}: {error}")))?;
    let status = user.status.parse();
    let status = status.map_err(|error| DbError::Corrupt(format!("user {id}: {error}")))?;
    Ok(Some(Account {
        user_id: UserId(id),
        external_id: user.external_id,
        nickname: user.nickname,
        password_hash: user.password_hash,
        role,
        status,
        account_level: profile.level,
        token_epoch: profile.token_epoch,
    }))
}

pub async fn record_login_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    user::Entity::update_many()
        .col_expr(user::Column::LastLoginAt, Expr::value(Timestamp(now)))
        .filter(user::Column::Id.eq(player.user_id().0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Changes the status at once: the next use case of this player sees it, whatever token is held.
pub async fn set_status_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    status: Status,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    user::Entity::update_many()
        .col_expr(user::Column::Status, Expr::value(status.as_str()))
        .col_expr(user::Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(user::Column::Id.eq(player.user_id().0))
        .exec(tx)
        .await?;
    let is_blocked = status == Status::Blocked;
    user_profiles::Entity::update_many()
        .col_expr(user_profiles::Column::IsBlocked, Expr::value(is_blocked))
        .filter(user_profiles::Column::UserId.eq(player.user_id().0))
        .exec(tx)
        .await?;
    if status != Status::Active {
        // A token from before never works again, not even when the account does.
        raise_epoch_in_tx(tx, player, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_external_id_is_trimmed_and_bounded() {
        let id = ExternalId::try_from("  산타-01\t").unwrap();
        assert_eq!(id.as_str(), "산타-01");
        let longest = "가".repeat(100);
        assert!(ExternalId::try_from(longest.as_str()).is_ok());
        let too_long = "가".repeat(101);
        for bad in ["", "   ", "a\0b", "a\nb", too_long.as_str()] {
            assert!(ExternalId::try_from(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in ".{0,120}") {
            if let Ok(id) = ExternalId::try_from(text.as_str()) {
                prop_assert_eq!(ExternalId::try_from(id.as_str()).unwrap(), id);
            }
        }
    }
}
