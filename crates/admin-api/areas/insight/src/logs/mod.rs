//! `/admin/api/logs/*`: what players did, and what operators did.

mod audit;
mod events;

use xmas_http::{endpoint::Operation, operation};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(events::list),
        operation!(events::export),
        operation!(audit::list),
        operation!(audit::export),
    ]
}
