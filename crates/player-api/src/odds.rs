//! `GET /api/odds/{feature}`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::{
    Fairness, FairnessError,
    fairness::PublishedOdds,
    odds::{Entry, Odds},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Now, Params, PathPart, is_id},
    operation,
};
use xmas_kernel::{ErrorCode, Feature, OddsId};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct OddsParams {
    /// A table that a receipt names; the one in force now if it is left out.
    #[validate(custom(function = is_id))]
    odds_id: Option<i64>,
}

/// A table of odds, and what is left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "feature_type": "LOTTERY", "odds_id": 3, "total_weight": 1000,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70",
    "content": "{\"v\":1,\"feature\":\"LOTTERY\",\"config_id\":1,\"entries\":[…]}",
    "entries": [
        {"id": 1, "label": "다음 기회에", "weight": 400, "probability": 0.4, "reward_type": "NONE",
            "reward_amount": 0, "stock": null},
        {"id": 5, "label": "배민 2만", "weight": 20, "probability": 0.02, "reward_type": "COUPON",
            "reward_amount": 1, "stock": 20}
    ]
}))]
pub(crate) struct OddsAnswer {
    #[schema(value_type = String)]
    feature_type: Feature,
    /// By what receipts name the table.
    odds_id: i64,
    /// The sum of the weights of what is left.
    total_weight: u64,
    /// SHA-256 of `content`, in hexadecimal digits.
    content_hash: String,
    /// The table byte for byte, which never changes.
    content: String,
    /// In the order in which they are drawn, and then those of which nothing is left.
    entries: Vec<EntryAnswer>,
}

/// One way a draw can end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "probability": 0.02,
    "reward_type": "COUPON", "reward_amount": 1, "stock": 20}))]
pub(crate) struct EntryAnswer {
    id: i64,
    label: String,
    weight: u64,
    /// `weight` divided by `total_weight`; 0 for what has run out.
    probability: f64,
    reward_type: &'static str,
    reward_amount: i64,
    /// How many are left; null if there is no limit, or for a table that a receipt names.
    stock: Option<i64>,
}

impl From<PublishedOdds> for OddsAnswer {
    fn from(published: PublishedOdds) -> Self {
        let odds = &published.odds;
        let stock = published.stock.unwrap_or_default();
        let answer = |entry: &Entry, probability| EntryAnswer {
            id: entry.id,
            label: entry.label.clone(),
            weight: entry.weight,
            probability,
            reward_type: entry.reward_type.as_str(),
            reward_amount: entry.reward_amount,
            stock: stock.get(&entry.id).copied(),
        };
        let possible = odds.entries().iter();
        let possible = possible.map(|entry| answer(entry, probability(entry, odds)));
        let sold_out = published.sold_out.iter().map(|entry| answer(entry, 0.0));
        Self {
            feature_type: odds.feature(),
            odds_id: published.odds_id.0,
            total_weight: odds.total(),
            content_hash: odds.hash().to_owned(),
            content: odds.content().to_owned(),
            entries: possible.chain(sold_out).collect(),
        }
    }
}

/// Weights are far below 2^53, so both numbers are exact.
fn probability(entry: &Entry, odds: &Odds) -> f64 {
    entry.weight as f64 / odds.total() as f64
}

pub(crate) fn operation() -> Operation {
    operation!(odds).fails::<FairnessError>(&[
        ErrorCode::OddsNotFound,
        ErrorCode::InvalidRouletteConfig,
        ErrorCode::InvalidDiceConfig,
        ErrorCode::InvalidLotteryConfig,
    ])
}

/// How probable everything is that a game can bring, and how much of it is left. Needs no token.
#[utoipa::path(get, path = "/api/odds/{feature}", tag = "fairness",
    params(("feature" = String, Path, description = "`ROULETTE`, `DICE` or `LOTTERY`"), OddsParams),
    responses((status = 200, body = OddsAnswer)))]
pub(crate) async fn odds(
    feature: PathPart<String>,
    params: Params<OddsParams>,
    now: Now,
    fairness: Data<Fairness>,
) -> ApiResult<Json<OddsAnswer>> {
    let feature: Result<Feature, _> = feature.0.to_ascii_uppercase().parse();
    let feature = feature.map_err(|_| ApiError::new(ErrorCode::OddsNotFound))?;
    let odds = match params.0.odds_id {
        Some(id) => fairness.past_odds(feature, OddsId(id)).await?,
        None => fairness.odds(feature, now.0).await?,
    };
    Ok(Json(odds.into()))
}
