//! `GET /api/wallet`.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{endpoint::Operation, error::ApiResult, extract::Player, operation};
use xmas_kernel::Asset;
use xmas_rewards::WalletService;

/// What the player holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"balances": {"POINT": 1_500, "ROULETTE_COIN": 3, "DICE_TOKEN": 1,
    "LOTTERY_TICKET": 0, "CC_COIN": 2}}))]
pub(crate) struct WalletAnswer {
    /// Every asset with its amount, also those never held.
    #[schema(value_type = BTreeMap<String, i64>)]
    balances: BTreeMap<Asset, i64>,
}

pub(crate) fn operation() -> Operation {
    operation!(wallet)
}

/// The balances of all assets.
#[utoipa::path(get, path = "/api/wallet", tag = "me",
    responses((status = 200, body = WalletAnswer)), security(("bearer" = [])))]
pub(crate) async fn wallet(
    player: Player,
    wallets: Data<dyn WalletService>,
) -> ApiResult<Json<WalletAnswer>> {
    let balances = wallets.own(&player.0).await?;
    Ok(Json(WalletAnswer { balances }))
}
