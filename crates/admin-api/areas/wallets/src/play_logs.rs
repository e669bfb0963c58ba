//! `GET /admin/api/game-tokens/play-logs`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_games::catalog;
use xmas_http::{
    error::ApiResult,
    export::{self, Cell},
    extract::{Params, SpanParams, given},
};
use xmas_kernel::Feature;
use xmas_reporting::{PlayFilter, PlayRecord, Records, Slice};
use xmas_texts::{Text, field, quoted};
use xmas_time::Kst;

use xmas_admin_common::records::{ListPage, WhoseParams, WhoseRows, export_page, row_id};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlayParams {
    /// `ROULETTE`, `DICE` or `LOTTERY`, in upper or lower case.
    #[serde(default)]
    game: String,
}

fn filter(
    params: &PlayParams,
    WhoseRows(whose): WhoseRows,
    span: &SpanParams,
) -> ApiResult<PlayFilter> {
    Ok(PlayFilter {
        whose,
        game: given("game", &params.game.to_ascii_uppercase(), game)?,
        span: span.span()?,
    })
}

fn game(text: &str) -> Result<Feature, Text> {
    match text.parse() {
        Ok(game) if catalog::find(game).is_some() => Ok(game),
        _ => {
            let games = Feature::ALL
                .into_iter()
                .filter(|it| catalog::find(*it).is_some());
            let games: Vec<&str> = games.map(Feature::as_str).collect();
            Err(field::one_of(games, quoted(text)))
        }
    }
}

/// One play.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 17, "user_id": 42, "external_id": "santa", "game": "ROULETTE",
    "reward_type": "TICKET_ROULETTE", "reward_amount": 3, "reward_label": "룰렛 티켓 3장",
    "created_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct PlayLogAnswer {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    /// `ROULETTE`, `DICE` or `LOTTERY`.
    game: String,
    reward_type: String,
    reward_amount: i64,
    /// What came up; for dice `WIN`, `DRAW` or `LOSE`.
    reward_label: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

impl From<PlayRecord> for PlayLogAnswer {
    fn from(record: PlayRecord) -> Self {
        Self {
            id: record.id,
            user_id: record.user_id,
            external_id: record.external_id,
            game: record.game,
            reward_type: record.reward_type,
            reward_amount: record.reward_amount,
            reward_label: record.reward_label,
            created_at: record.created_at,
        }
    }
}

/// Plays of all games, newest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/play-logs", tag = "admin: reports",
    params(WhoseParams, PlayParams, SpanParams, ListPage),
    responses((status = 200, body = [PlayLogAnswer])), security(("bearer" = [])))]
pub(crate) async fn list(
    whose: WhoseRows,
    params: Params<PlayParams>,
    span: Params<SpanParams>,
    page: Params<ListPage>,
    records: Data<Records>,
) -> ApiResult<Json<Vec<PlayLogAnswer>>> {
    let filter = filter(&params.0, whose, &span.0)?;
    let plays = records.plays(&filter, &page.0.slice(row_id)?).await?;
    Ok(Json(plays.into_iter().map(Into::into).collect()))
}

/// The same as a table for spreadsheets, the oldest first.
#[utoipa::path(get, path = "/admin/api/game-tokens/play-logs.csv", tag = "admin: reports",
    params(WhoseParams, PlayParams, SpanParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("id,user_id,external_id,game,reward_type,reward_amount,reward_label,created_at\n1,1,demo-01,ROULETTE,TICKET_ROULETTE,3,룰렛 티켓 3장,2025-12-25T09:00:00.000000+09:00\n"))), security(("bearer" = [])))]
pub(crate) async fn export(
    whose: WhoseRows,
    params: Params<PlayParams>,
    span: Params<SpanParams>,
    records: Data<Records>,
) -> ApiResult<HttpResponse> {
    const COLUMNS: &[&str] = &[
        "id",
        "user_id",
        "external_id",
        "game",
        "reward_type",
        "reward_amount",
        "reward_label",
        "created_at",
    ];
    let filter = Arc::new(filter(&params.0, whose, &span.0)?);
    export::answer("play-logs", COLUMNS, move |after| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let found = records.plays(&filter, &Slice::Export { after }).await?;
            Ok(export_page(found, |record| record.id, cells))
        }
    })
    .await
}

fn cells(record: PlayRecord) -> Vec<Cell> {
    vec![
        Cell::Number(record.id),
        Cell::Number(record.user_id),
        Cell::maybe(record.external_id),
        Cell::text(record.game),
        Cell::text(record.reward_type),
        Cell::Number(record.reward_amount),
        Cell::maybe(record.reward_label),
        Cell::text(record.created_at.to_string()),
    ]
}
