//! `/admin/api/game-tokens/wallets`, `/play-logs` and `/ledger`: what players have, played and got.

use xmas_http::{endpoint::Operation, operation};

use crate::{ledger, play_logs, wallets};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(wallets::list),
        operation!(wallets::export),
        operation!(play_logs::list),
        operation!(play_logs::export),
        operation!(ledger::list),
        operation!(ledger::export),
    ]
}
