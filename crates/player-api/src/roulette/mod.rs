//! `/api/roulette/*`.

pub(crate) mod play;
mod segment;
pub(crate) mod status;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![status::operation(), play::operation()]
}
