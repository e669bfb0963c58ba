//! `/api/me/*`.

pub(crate) mod draw;
pub(crate) mod history;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![history::operation(), draw::operation()]
}
