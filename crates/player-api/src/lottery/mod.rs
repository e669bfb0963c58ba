//! `/api/lottery/*`.

pub(crate) mod play;
mod prize;
pub(crate) mod status;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![status::operation(), play::operation()]
}
