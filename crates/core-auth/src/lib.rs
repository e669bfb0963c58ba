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

mod argon2id;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod hs256;
mod login_throttle;
mod model;
mod passwords;
mod rules;
mod service;
mod sessions;
mod store;
mod tokens;

pub use error::{AuthError, TokenError};
pub use login_throttle::LoginThrottle;
pub use model::{
    AccountView, Authenticated, LoginCommand, LogoutCommand, PasswordCommand, RefreshCommand,
    Scope, Session,
};
pub use passwords::{PasswordError, Passwords};
pub use service::{Auth, AuthOptions, AuthService};
pub use sessions::Sessions;
pub use store::{count_tokens, remove_expired_in_tx};
pub use tokens::{AccessTokens, SigningKeys};
