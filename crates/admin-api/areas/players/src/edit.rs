//! What a client says about an account.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::{Echo, Echoes, Volatile, refuse},
};
use xmas_kernel::{Problem, Problems, version::Seen};
use xmas_players::{
    ExternalId, NewPlayer, Nickname, Password, PasswordWish, PlayerEdit, SeasonWish, Status,
};
use xmas_texts::field;

/// A new player. Fields that are empty are as good as left out, since forms send them.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"external_id": "santa-01", "nickname": "산타", "status": "ACTIVE"}))]
pub(crate) struct NewUserRequest {
    /// 1 to 100 characters; what the player logs in with.
    external_id: String,
    nickname: Option<String>,
    /// 8 to 256 characters. Without one a password is made up and shown once.
    #[serde(default, deserialize_with = "filled")]
    password: Option<String>,
    /// A season level to start at, by a correction of XP.
    #[validate(range(min = 0))]
    level: Option<i64>,
    /// The same.
    #[validate(range(min = 0))]
    season_level: Option<i64>,
    /// Season XP to start with, by a correction.
    #[validate(range(min = 0))]
    xp: Option<i64>,
    /// `ACTIVE` (if left out), `INACTIVE` or `BLOCKED`.
    #[schema(value_type = Option<String>)]
    status: Option<Status>,
}

/// Any subset; what is left out stays. Without `version` a lower `xp` or level is the echo of what the
/// client once loaded, and is ignored.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"nickname": "루돌프", "status": "ACTIVE", "level": 2, "xp": 60}))]
pub(crate) struct UserEditRequest {
    external_id: Option<String>,
    /// Null or empty takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    nickname: Option<Option<String>>,
    /// 8 to 256 characters; ends every session.
    #[serde(default, deserialize_with = "filled")]
    password: Option<String>,
    /// True makes up a password and shows it once.
    reset_password: Option<bool>,
    /// Higher than it is, and with the XP left as it is: raises the XP to what that level requires.
    #[validate(range(min = 0))]
    level: Option<i64>,
    /// The same.
    #[validate(range(min = 0))]
    season_level: Option<i64>,
    /// Higher than it is: corrects it. With `version` it is exact, and may fall.
    #[validate(range(min = 0))]
    xp: Option<i64>,
    /// `ACTIVE`, `INACTIVE` or `BLOCKED`; acts at once.
    #[schema(value_type = Option<String>)]
    status: Option<Status>,
    pub(crate) version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or what it is or was, since stamps raise it while a form is open.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    account_level: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    is_blocked: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    role: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "last_login_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _last_login_at: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "generated_password")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _generated_password: Option<Volatile>,
}

/// A field that was sent, null or not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A field that was sent with something in it.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// The nickname of a form, which is empty if there is none.
fn nickname(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn password(text: Option<&str>, problems: &mut Problems) -> Option<Password> {
    match Password::try_from(text?) {
        Ok(password) => Some(password),
        Err(unfit) => {
            problems.push(Problem::new("password", unfit));
            None
        }
    }
}

impl NewUserRequest {
    pub(crate) fn into_player(self) -> ApiResult<NewPlayer> {
        let mut problems = Problems::default();
        let external_id = ExternalId::try_from(self.external_id.as_str());
        let external_id = external_id.map_err(|error| {
            problems.push(Problem::new("external_id", error));
        });
        let nickname = nickname(self.nickname);
        let nickname = nickname.as_deref().map(Nickname::try_from).transpose();
        let nickname = nickname.map_err(|error| {
            problems.push(Problem::new("nickname", error));
        });
        let password = password(self.password.as_deref(), &mut problems);
        let (Ok(external_id), Ok(nickname), true) = (external_id, nickname, problems.is_empty())
        else {
            return Err(ApiError::problems(problems.into_vec()));
        };
        Ok(NewPlayer {
            external_id,
            nickname,
            password,
            status: self.status.unwrap_or(Status::Active),
            season: SeasonWish {
                xp: self.xp,
                level: self.level,
                season_level: self.season_level,
            },
        })
    }
}

impl UserEditRequest {
    pub(crate) fn echoes(&mut self) -> Echoes {
        Echoes::default()
            .and("id", self.id.take(), field::never_changes())
            .and_rising(
                "account_level",
                self.account_level.take(),
                field::raised_by_stamps(),
            )
            .and(
                "is_blocked",
                self.is_blocked.take(),
                field::set_status_instead(),
            )
            .and("role", self.role.take(), field::never_changes())
            .and("created_at", self.created_at.take(), field::never_changes())
    }

    /// `seen` is what the client has loaded.
    pub(crate) fn into_edit(self, seen: Option<Seen>) -> ApiResult<PlayerEdit> {
        let mut problems = Problems::default();
        let new = password(self.password.as_deref(), &mut problems);
        let password = match (new, self.reset_password) {
            (Some(_), Some(true)) => {
                let text = field::not_together_with("password");
                problems.push(Problem::new("reset_password", text));
                PasswordWish::Keep
            }
            (Some(password), _) => PasswordWish::Set(password),
            (None, Some(true)) => PasswordWish::Generate,
            (None, _) => PasswordWish::Keep,
        };
        refuse(problems.into_vec())?;
        Ok(PlayerEdit {
            external_id: self.external_id,
            nickname: self.nickname.map(nickname),
            password,
            status: self.status,
            season: SeasonWish {
                xp: self.xp,
                level: self.level,
                season_level: self.season_level,
            },
            seen,
        })
    }
}
