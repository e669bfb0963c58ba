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

use actix_web::web::ServiceConfig;
use xmas_kernel::{Asset, audit::Actor};

use crate::error::{ApiError, ApiResult};

pub(super) fn configure(cfg: &mut ServiceConfig) {
    order::configure(cfg);
    batch::configure(cfg);
    payout::configure(cfg);
    lists::configure(cfg);
}

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
    let text = text.unwrap_or_default().trim();
    let is_plain = |character: char| !character.is_control() || character.is_whitespace();
    if text.chars().count() > Actor::REASON_CHARACTERS || !text.chars().all(is_plain) {
        let problem = format!("has up to {} characters", Actor::REASON_CHARACTERS);
        return Err(ApiError::field("reason", problem));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
