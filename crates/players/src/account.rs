use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction,
    EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    UnknownName, UserId,
    db::{DbError, Timestamp},
    text::{self, LABEL_CHARACTERS, Unfit},
};
use xmas_texts::Text;

use crate::{
    access::{Identity, LockedPlayer, raise_epoch_in_tx},
    constraints,
    entity::{user, user_profiles},
};

/// The id by which people know a player: in NFC, trimmed, 1 to 100 characters of one line, of which one is
/// visible and none hidden. Nobody chooses one that begins as those of anonymised players do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalId(String);

/// Text that cannot be an external id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an external id {0}")]
pub struct MalformedExternalId(pub Unfit);

impl From<MalformedExternalId> for Text {
    fn from(malformed: MalformedExternalId) -> Self {
        malformed.0.into()
    }
}

impl ExternalId {
    pub const MAX_CHARS: usize = *LABEL_CHARACTERS.end();
    /// What the ids of anonymised players begin with.
    pub const ANONYMOUS: &'static str = "anon-";

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text in NFC as ids and nicknames have it.
fn label(text: &str) -> Result<String, Unfit> {
    let text = text::tidy(text);
    text::check_label(&text, LABEL_CHARACTERS)?;
    Ok(text)
}

impl TryFrom<&str> for ExternalId {
    type Error = MalformedExternalId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let text = label(text).map_err(MalformedExternalId)?;
        let beginning = text.get(..Self::ANONYMOUS.len());
        if beginning.is_some_and(|it| it.eq_ignore_ascii_case(Self::ANONYMOUS)) {
            return Err(MalformedExternalId(Unfit::Reserved(Self::ANONYMOUS)));
        }
        Ok(Self(text))
    }
}

/// An external id as somebody gives it to find an account. An account is found by it to the byte, or else
/// in NFC; so ids from before the rules of [`ExternalId`] are found too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GivenId {
    sent: String,
    composed: String,
}

impl GivenId {
    /// Any text, which may be nobody's id.
    pub fn any(text: &str) -> Self {
        Self {
            sent: text.trim().to_owned(),
            composed: text::tidy(text),
        }
    }

    /// In NFC.
    pub fn as_str(&self) -> &str {
        &self.composed
    }

    /// As it was sent, and in NFC.
    pub(crate) fn spellings(&self) -> [&str; 2] {
        [&self.sent, &self.composed]
    }

    /// Whoever is meant among those who were found, by their ids.
    pub fn among<'a, T>(&self, found: &'a HashMap<String, T>) -> Option<&'a T> {
        found.get(&self.sent).or_else(|| found.get(&self.composed))
    }
}

impl TryFrom<&str> for GivenId {
    type Error = MalformedExternalId;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let given = Self::any(text);
        let length = given.composed.chars().count();
        if !LABEL_CHARACTERS.contains(&length) {
            return Err(MalformedExternalId(Unfit::Length(LABEL_CHARACTERS, length)));
        }
        match given.composed.chars().find(|it| it.is_control()) {
            Some(control) => Err(MalformedExternalId(Unfit::Hidden(control))),
            None => Ok(given),
        }
    }
}

impl From<&ExternalId> for GivenId {
    fn from(id: &ExternalId) -> Self {
        Self::any(id.as_str())
    }
}

/// The name that others see. The rules are those of [`ExternalId`], but for its reserved beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nickname(String);

/// Text that cannot be a nickname.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a nickname {0}")]
pub struct MalformedNickname(pub Unfit);

impl From<MalformedNickname> for Text {
    fn from(malformed: MalformedNickname) -> Self {
        malformed.0.into()
    }
}

impl Nickname {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Nickname {
    type Error = MalformedNickname;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        label(text).map(Self).map_err(MalformedNickname)
    }
}

/// What an account may do. Each role's token carries its own scope.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_role)]
pub enum Role {
    Player,
    Admin,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Player, Role::Admin];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_role(name: &str) -> UnknownName {
    UnknownName::new("role", name, Role::ALL.map(Role::as_str))
}

/// Whether an account may be used (docs/rules.md, "Players").
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", parse_err_ty = UnknownName, parse_err_fn = unknown_status)]
pub enum Status {
    Active,
    /// As if it did not exist; reversible.
    Inactive,
    Blocked,
}

impl Status {
    pub const ALL: [Status; 3] = [Status::Active, Status::Inactive, Status::Blocked];

    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_status(name: &str) -> UnknownName {
    UnknownName::new("status", name, Status::ALL.map(Status::as_str))
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

/// In whose name the program does something by itself, since every row in the operators' log is somebody's: that of
/// the first admin, or else of the first account.
pub async fn caretaker(conn: &impl ConnectionTrait) -> Result<Option<UserId>, DbError> {
    let first = user::Entity::find()
        // `ADMIN` comes before `PLAYER`.
        .order_by_asc(user::Column::Role)
        .order_by_asc(user::Column::Id)
        .one(conn)
        .await?;
    Ok(first.map(|account| UserId(account.id)))
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
        Err(error) if error.violates(&constraints::EXTERNAL_ID) => {
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
        anonymised_at: None,
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
    given: &GivenId,
) -> Result<Option<Account>, DbError> {
    let found = find(conn, user::Column::ExternalId.is_in(given.spellings())).await?;
    let found = found.into_iter();
    let found = found.map(|account| (account.external_id.clone(), account));
    Ok(given.among(&found.collect()).cloned())
}

pub async fn find_by_id(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<Account>, DbError> {
    let found = find(conn, user::Column::Id.eq(user_id.0)).await?;
    Ok(found.into_iter().next())
}

async fn find(conn: &impl ConnectionTrait, which: Expr) -> Result<Vec<Account>, DbError> {
    let rows = user::Entity::find()
        .find_also_related(user_profiles::Entity)
        .filter(which)
        .all(conn)
        .await?;
    rows.into_iter().map(account).collect()
}

fn account(
    (user, profile): (user::Model, Option<user_profiles::Model>),
) -> Result<Account, DbError> {
    let id = user.id;
    let profile = profile.ok_or_else(|| DbError::Corrupt(format!("user {id} has no profile")))?;
    let role = user.role.parse();
    let role = role.map_err(|error| DbError::Corrupt(format!("user {id}: {error}")))?;
    let status = user.status.parse();
    let status = status.map_err(|error| DbError::Corrupt(format!("user {id}: {error}")))?;
    Ok(Account {
        user_id: UserId(id),
        external_id: user.external_id,
        nickname: user.nickname,
        password_hash: user.password_hash,
        role,
        status,
        account_level: profile.level,
        token_epoch: profile.token_epoch,
    })
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
    fn an_external_id_is_composed_trimmed_and_bounded() {
        let id = ExternalId::try_from("  산타-01\t").unwrap();
        assert_eq!(id.as_str(), "산타-01");
        let decomposed = "\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}-01";
        assert_eq!(ExternalId::try_from(decomposed), Ok(id));
        let longest = "가".repeat(100);
        assert!(ExternalId::try_from(longest.as_str()).is_ok());
        let too_long = "가".repeat(101);
        for bad in [
            "",
            "   ",
            "a\0b",
            "a\nb",
            "a\u{200b}",
            "\u{3164}",
            "anon-7",
            " ANON-x ",
            "Anon-\u{1112}\u{1161}\u{11ab}",
            too_long.as_str(),
        ] {
            assert!(ExternalId::try_from(bad).is_err(), "{bad:?}");
        }
        for good in ["anon", "anon7", "anonymous-7", "the anon-7", "안on-7"] {
            assert!(ExternalId::try_from(good).is_ok(), "{good:?}");
        }
        // Nobody is found by a nickname, so it blocks nobody.
        assert!(Nickname::try_from("anon-7").is_ok());
    }

    #[test]
    fn an_account_is_found_to_the_byte_and_else_composed() {
        let decomposed = "e\u{301}lf";
        let given = GivenId::try_from(" e\u{301}lf ").unwrap();
        assert_eq!(given.as_str(), "élf");
        assert_eq!(given.spellings(), [decomposed, "élf"]);
        let both = HashMap::from([(decomposed.to_owned(), 1), ("élf".to_owned(), 2)]);
        assert_eq!(given.among(&both), Some(&1));
        assert_eq!(GivenId::any("élf").among(&both), Some(&2));
        let one = HashMap::from([("élf".to_owned(), 2)]);
        assert_eq!(given.among(&one), Some(&2));
        // Whoever has had a hidden character in it for long finds their account.
        assert!(GivenId::try_from("a\u{200b}").is_ok());
        for bad in ["", " ", "a\0", &"가".repeat(101)] {
            assert!(GivenId::try_from(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in ".{0,120}") {
            if let Ok(id) = ExternalId::try_from(text.as_str()) {
                prop_assert_eq!(ExternalId::try_from(id.as_str()).unwrap(), id);
            }
            if let Ok(name) = Nickname::try_from(text.as_str()) {
                prop_assert_eq!(Nickname::try_from(name.as_str()).unwrap(), name);
            }
        }

        #[test]
        fn whatever_is_given_names_an_account_or_is_refused(text in prop_oneof![".{0,120}", any::<String>()]) {
            let Ok(given) = GivenId::try_from(text.as_str()) else {
                return Ok(());
            };
            prop_assert!(LABEL_CHARACTERS.contains(&given.as_str().chars().count()));
            prop_assert!(!given.as_str().chars().any(char::is_control));
            // However it is spelled, it counts as one.
            let again = GivenId::try_from(given.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), given.as_str());
            // An account that may be made with it is found by it.
            if let Ok(id) = ExternalId::try_from(text.as_str()) {
                prop_assert_eq!(given.as_str(), id.as_str());
            }
        }
    }
}
