//! Who is asking: logging in, tokens, and passwords.
//!
//! Invariants:
//! - Logging in never creates a player and never sets a password.
//! - An unknown player and a wrong password look alike, in body and in work: the same statements, and one
//!   Argon2 call, or two if the password was not sent in NFC.
//! - An access token is checked against the injected clock. Whether its bearer may still act is
//!   checked by every use case, against `user_profiles` (see [`xmas_players::lock_in_tx`]).
//! - Refresh tokens are kept as hashes only. A used one that comes back late revokes its family.
//! - A hash of the old system is replaced at the first login, by one of the same password. No token
//!   suffers from it.
//! - Password hashing runs on the blocking pool, a bounded number at a time, and never inside a
//!   transaction.
//!
//! Owns the table `refresh_token`.

mod entity;
mod error;
mod hs256;
mod model;
mod passwords;
mod rules;
mod service;
mod sessions;
mod store;
mod tokens;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_players::Identity;

pub use error::{AuthError, TokenError};
pub use model::{
    AccountView, Authenticated, LoginCommand, LogoutCommand, PasswordCommand, RefreshCommand,
    Scope, Session,
};
pub use passwords::{PasswordError, Passwords};
pub use service::{Auth, AuthOptions};
pub use sessions::Sessions;
pub use tokens::{AccessTokens, SigningKeys};

/// Authentication for handlers.
#[async_trait]
pub trait AuthService: Send + Sync {
    async fn login(&self, command: &LoginCommand, now: DateTime<Utc>)
    -> Result<Session, AuthError>;

    /// Trades a refresh token for a new session.
    async fn refresh(
        &self,
        command: &RefreshCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError>;

    /// Ends this session, or every session of the account.
    async fn logout(&self, command: &LogoutCommand, now: DateTime<Utc>) -> Result<(), AuthError>;

    /// Replaces the password, which ends every other session; returns a new one.
    async fn change_password(
        &self,
        command: &PasswordCommand,
        now: DateTime<Utc>,
    ) -> Result<Session, AuthError>;

    /// The name of the admin whom a token speaks for, if they may still act.
    async fn admin_name(&self, identity: &Identity) -> Result<String, AuthError>;

    /// Whom an access token speaks for. Reads no database.
    fn authenticate(
        &self,
        access_token: &str,
        now: DateTime<Utc>,
    ) -> Result<Authenticated, TokenError>;
}
