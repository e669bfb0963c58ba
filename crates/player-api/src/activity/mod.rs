//! `/api/activity/*`.

pub(crate) mod record;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![record::operation()]
}
