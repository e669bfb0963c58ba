use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use xmas_kernel::UserId;
use xmas_players::{GivenId, Identity, Password, Role, Status};

/// What a token lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Player,
    Admin,
}

impl From<Role> for Scope {
    fn from(role: Role) -> Self {
        match role {
            Role::Player => Scope::Player,
            Role::Admin => Scope::Admin,
        }
    }
}

/// Whom a verified access token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    pub identity: Identity,
    pub scope: Scope,
    /// The session (refresh family) that the token belongs to.
    pub session_id: String,
}

#[derive(Clone, Debug)]
pub struct LoginCommand {
    pub external_id: GivenId,
    pub password: String,
    /// Where the request came from, if that is known.
    pub address: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct RefreshCommand {
    pub refresh_token: String,
    /// Where the request came from, if that is known.
    pub address: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub struct LogoutCommand {
    pub identity: Identity,
    pub session_id: String,
    /// Every session of the account, access tokens included.
    pub everywhere: bool,
}

#[derive(Clone, Debug)]
pub struct PasswordCommand {
    pub identity: Identity,
    pub current: String,
    pub new: Password,
}

/// What a client gets for logging in.
#[derive(Clone, Debug)]
pub struct Session {
    pub access_token: String,
    pub expires_in: Duration,
    pub refresh_token: String,
    pub account: AccountView,
}

/// The account as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    pub user_id: UserId,
    pub external_id: String,
    pub nickname: Option<String>,
    pub status: Status,
    pub account_level: i64,
}
