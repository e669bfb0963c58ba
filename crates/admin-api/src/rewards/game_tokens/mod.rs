//! `/admin/api/game-tokens/`: what operators give to players, and take.

pub(crate) mod batch;
mod batch_answer;
mod batch_orders;
mod ledger;
pub(crate) mod lists;
pub(crate) mod order;
pub(crate) mod payout;
mod play_logs;
mod wallets;

use xmas_http::{
    error::{ApiError, ApiResult},
    extract::reason_text,
};
use xmas_kernel::{Asset, text::Lines};

/// An asset by its name on the wire.
fn asset(name: &str) -> ApiResult<Asset> {
    name.parse()
        .map_err(|_| ApiError::field("token_type", token_types()))
}

/// What a text is told that is no asset.
fn token_types() -> String {
    let names: Vec<&str> = Asset::ALL.iter().map(|asset| asset.as_str()).collect();
    format!("is one of {}", names.join(", "))
}

/// The reason that came in a body, as the audit log keeps it.
fn reason(text: Option<&str>) -> ApiResult<Option<String>> {
    reason_text("reason", text.unwrap_or_default(), Lines::Several)
}
