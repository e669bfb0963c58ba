//! `/api/season-pass/*`.

mod bridge;
pub(crate) mod claim;
pub(crate) mod internal_wins;
mod reward;
pub(crate) mod stamp;
pub(crate) mod status;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        status::operation(),
        stamp::operation(),
        claim::operation(),
        internal_wins::operation(),
    ]
}
