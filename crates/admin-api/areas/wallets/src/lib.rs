//! `/admin/api/game-tokens/`: what operators give to players, and take.

pub mod batch;
mod batch_answer;
mod batch_orders;
mod ledger;
pub mod lists;
pub mod order;
pub mod payout;
mod play_logs;
mod wallets;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::reason_text,
};
use xmas_kernel::{Asset, UnknownName, text::Lines};
use xmas_reporting::Payouts;
use xmas_rewards::{Batches, Wallets};
use xmas_texts::{Text, wallet};

/// What the paths of wallets work with.
#[derive(Clone)]
pub struct Services {
    pub wallets: Arc<Wallets>,
    pub batches: Arc<Batches>,
    pub payouts: Arc<Payouts>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            wallets,
            batches,
            payouts,
        } = self;
        cfg.app_data(Data::from(wallets.clone()))
            .app_data(Data::from(batches.clone()))
            .app_data(Data::from(payouts.clone()));
    }
}

/// An asset by its name on the wire.
fn asset(name: &str) -> ApiResult<Asset> {
    let asset = name.parse();
    asset.map_err(|error: UnknownName| ApiError::field("token_type", error))
}

/// What an order is told that names no asset.
fn no_token_type() -> Text {
    wallet::token_type_missing(Asset::ALL.map(Asset::as_str).to_vec())
}

/// The reason that came in a body, as the audit log keeps it.
fn reason(text: Option<&str>) -> ApiResult<Option<String>> {
    reason_text("reason", text.unwrap_or_default(), Lines::Several)
}
