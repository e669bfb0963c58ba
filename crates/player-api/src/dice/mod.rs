//! `/api/dice/*`.

pub(crate) mod play;
pub(crate) mod status;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![status::operation(), play::operation()]
}
