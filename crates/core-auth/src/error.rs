use std::time::Duration;

use xmas_kernel::db::DbError;
use xmas_players::AccessError;

use crate::PasswordError;

/// Why an access token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is not valid")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, inactive, or the wrong password: these look alike.
    #[error("the id or the password is wrong")]
    InvalidCredentials,
    /// The current password given with a new one is wrong.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    #[error("the token is not accepted")]
    Token(#[from] TokenError),
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("too many attempts")]
    Throttled { retry_after: Duration },
    #[error("passwords cannot be checked")]
    Password(#[from] PasswordError),
    #[error("the database failed")]
    Db(#[from] DbError),
}
