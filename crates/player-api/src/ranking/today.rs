//! `GET /api/ranking/today`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::{
    GameError,
    ranking::{ExternalEntry, RankingEntry, RankingService, RankingToday},
};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Now, Params, Player},
    operation,
};
use xmas_kernel::{ErrorCode, Feature};
use xmas_time::EventDay;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct RankingParams {
    /// How many places of each board to send.
    #[serde(default = "usual_top")]
    #[validate(range(min = 1, max = 100))]
    #[param(default = 10, minimum = 1, maximum = 100)]
    top: u64,
}

fn usual_top() -> u64 {
    10
}

/// Today's boards.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "date": "2025-12-26",
    "entries": [{"rank": 1, "display_name": "산타", "score": 9_100, "is_me": false}],
    "my_entry": {"rank": 12, "display_name": "루돌프", "score": 2_300, "is_me": true},
    "external_entries": [{"rank": 1, "user_id": 7, "user_name": "ru***", "deposit_amount": 300_000,
        "play_count": 41, "memo": null}],
    "my_external_entry": null,
    "feature_type": "RANKING"
}))]
pub(crate) struct RankingAnswer {
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    /// Ascending by rank.
    entries: Vec<RankingEntryAnswer>,
    /// The player's own place, also when it is not among the entries; null without one.
    my_entry: Option<RankingEntryAnswer>,
    /// By deposits, then plays, then who came first.
    external_entries: Vec<ExternalEntryAnswer>,
    /// The player's own place, also when it is not among the entries; null without one.
    my_external_entry: Option<ExternalEntryAnswer>,
    #[schema(value_type = String)]
    feature_type: Feature,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rank": 1, "display_name": "산타", "score": 9_100, "is_me": false}))]
pub(crate) struct RankingEntryAnswer {
    /// From 1.
    rank: i64,
    display_name: String,
    score: i64,
    is_me: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rank": 1, "user_id": 7, "user_name": "ru***", "deposit_amount": 300_000,
    "play_count": 41, "memo": null}))]
pub(crate) struct ExternalEntryAnswer {
    /// From 1.
    rank: i64,
    user_id: i64,
    user_name: String,
    deposit_amount: i64,
    play_count: i64,
    /// Always null: what operators note stays with them.
    #[schema(value_type = Option<String>)]
    memo: Option<()>,
}

impl From<RankingToday> for RankingAnswer {
    fn from(today: RankingToday) -> Self {
        Self {
            date: today.day,
            entries: today.entries.into_iter().map(Into::into).collect(),
            my_entry: today.my_entry.map(Into::into),
            external_entries: today.external_entries.into_iter().map(Into::into).collect(),
            my_external_entry: today.my_external_entry.map(Into::into),
            feature_type: Feature::Ranking,
        }
    }
}

impl From<RankingEntry> for RankingEntryAnswer {
    fn from(entry: RankingEntry) -> Self {
        Self {
            rank: entry.rank,
            display_name: entry.display_name,
            score: entry.score,
            is_me: entry.is_me,
        }
    }
}

impl From<ExternalEntry> for ExternalEntryAnswer {
    fn from(entry: ExternalEntry) -> Self {
        Self {
            rank: entry.rank,
            user_id: entry.user_id.0,
            user_name: entry.user_name,
            deposit_amount: entry.deposit_amount,
            play_count: entry.play_count,
            memo: None,
        }
    }
}

pub(crate) fn operation() -> Operation {
    operation!(today).fails::<GameError>(&[ErrorCode::FeatureDisabled, ErrorCode::NoFeatureToday])
}

/// The first places of the day's board and of the external one, and the player's own.
#[utoipa::path(get, path = "/api/ranking/today", tag = "ranking", params(RankingParams),
    responses((status = 200, body = RankingAnswer)), security(("bearer" = [])))]
pub(crate) async fn today(
    player: Player,
    params: Params<RankingParams>,
    now: Now,
    ranking: Data<dyn RankingService>,
) -> ApiResult<Json<RankingAnswer>> {
    let today = ranking.today(&player.0, params.0.top, now.0).await?;
    Ok(Json(today.into()))
}
