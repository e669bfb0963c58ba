//! `/api/ranking/*`.

pub(crate) mod today;

use xmas_http::endpoint::Operation;

pub(crate) fn operations() -> Vec<Operation> {
    vec![today::operation()]
}
