//! `GET /api/me/plays/{play_id}/draw`.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_games::{
    Fairness, FairnessError,
    fairness::receipt::{Draw, DrawReceipt},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Now, PathPart, Player},
    operation,
};
use xmas_kernel::{ErrorCode, Feature, PlayId};
use xmas_time::EventDay;

/// Everything that is needed to check a draw, without asking anybody: `xmas-api verify-draw`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "format": "xmas-draw/1",
    "facts": {
        "day": "2025-12-26",
        "commitment": "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0",
        "seed": "0707070707070707070707070707070707070707070707070707070707070707",
        "feature": "ROULETTE", "user_id": 42, "play_id": 17, "nonce": 0,
        "draws": [{"odds_id": 1, "table": "{\"v\":1,…}", "table_hash": "…", "number": 345,
            "entry_id": 3}],
        "outcome": "{\"id\":3,…}"
    },
    "digest": "…"
}))]
pub(crate) struct DrawReceiptAnswer {
    /// `xmas-draw/1`.
    format: String,
    facts: FactsAnswer,
    /// SHA-256 of the facts as compact JSON, fields in this order.
    digest: String,
}

/// What the receipt states.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactsAnswer {
    #[schema(value_type = String, format = Date)]
    day: EventDay,
    commitment: String,
    seed: String,
    #[schema(value_type = String)]
    feature: Feature,
    user_id: i64,
    play_id: i64,
    nonce: i64,
    /// In the order of the attempts; only the last one counts, the prizes of the others had run
    /// out.
    draws: Vec<DrawAnswer>,
    /// What the player saw, as JSON text.
    outcome: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DrawAnswer {
    odds_id: i64,
    /// The table byte for byte.
    table: String,
    table_hash: String,
    /// What the HMAC came to, below the sum of the table's weights.
    number: u64,
    entry_id: i64,
}

impl From<DrawReceipt> for DrawReceiptAnswer {
    fn from(receipt: DrawReceipt) -> Self {
        let facts = receipt.facts;
        Self {
            format: receipt.format,
            facts: FactsAnswer {
                day: facts.day,
                commitment: facts.commitment,
                seed: facts.seed,
                feature: facts.feature,
                user_id: facts.user_id.0,
                play_id: facts.play_id.0,
                nonce: facts.nonce,
                draws: facts.draws.into_iter().map(Into::into).collect(),
                outcome: facts.outcome,
            },
            digest: receipt.digest,
        }
    }
}

impl From<Draw> for DrawAnswer {
    fn from(draw: Draw) -> Self {
        Self {
            odds_id: draw.odds_id.0,
            table: draw.table,
            table_hash: draw.table_hash,
            number: draw.number,
            entry_id: draw.entry_id,
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(draw).fails::<FairnessError>(&[ErrorCode::PlayNotFound, ErrorCode::SeedNotRevealed])
}

/// The receipt of one's own play's draw, once the seed of its day is revealed.
#[utoipa::path(get, path = "/api/me/plays/{play_id}/draw", tag = "me",
    params(("play_id" = i64, Path, description = "`receipt.play_id` of the play")),
    responses((status = 200, body = DrawReceiptAnswer)), security(("bearer" = [])))]
pub(crate) async fn draw(
    player: Player,
    play_id: PathPart<String>,
    now: Now,
    fairness: Data<Fairness>,
) -> ApiResult<Json<DrawReceiptAnswer>> {
    let play_id = play_id.0.parse();
    let play_id = play_id.map_err(|_| ApiError::new(ErrorCode::PlayNotFound))?;
    let receipt = fairness.receipt(&player.0, PlayId(play_id), now.0).await?;
    Ok(Json(receipt.into()))
}
