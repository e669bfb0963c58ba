//! `/api/auth/*`.

pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refresh;
mod session;
pub(crate) mod token;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        token::operation(),
        refresh::operation(),
        logout::operation(),
        password::operation(),
    ]
}
