//! `/admin/api/ranking/{date}`: the board of a day.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    Ranking, RankingDeskError,
    ranking::{DayBoard, DayRow, DayRowEdit},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{
        Admin, Column, Content, CsvRow, Echo, Echoes, Now, PathPart, Source, Upload, Volatile,
        refuse, seen_version,
    },
    middleware::limits::MAX_CSV_BYTES,
    operation,
};
use xmas_kernel::{ErrorCode, Problem};
use xmas_texts::field;
use xmas_time::EventDay;

use crate::game_config::row_player;
use xmas_admin_common::params::{IfMatch, Reason};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(get).fails::<RankingDeskError>(&[ErrorCode::RankingNotFound]),
        operation!(put)
            .fails::<RankingDeskError>(&[
                ErrorCode::RankingNotFound,
                ErrorCode::UserNotFound,
                ErrorCode::RankingConflict,
                ErrorCode::VersionConflict,
            ])
            .bulk(),
        operation!(delete).fails::<RankingDeskError>(&[ErrorCode::RankingNotFound]),
    ]
}

/// The board of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"date": "2025-12-26", "items": [{"rank": 1, "user_id": 7,
    "external_id": "rudolf-77", "display_name": "", "shown_name": "ru***", "score": 9100}],
    "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct DayRankingAnswer {
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    /// Ascending by rank.
    items: Vec<DayRankingRow>,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"rank": 1, "user_id": 7, "external_id": "rudolf-77", "display_name": "",
    "shown_name": "ru***", "score": 9100}))]
pub(crate) struct DayRankingRow {
    rank: i64,
    /// Null for somebody who is no player.
    user_id: Option<i64>,
    external_id: Option<String>,
    /// What was entered; empty for the player's own public name.
    display_name: String,
    /// What players see.
    shown_name: String,
    score: i64,
}

impl From<DayBoard> for DayRankingAnswer {
    fn from(board: DayBoard) -> Self {
        Self {
            date: board.day,
            items: board.rows.into_iter().map(Into::into).collect(),
            version: board.version.as_str().to_owned(),
        }
    }
}

impl From<DayRow> for DayRankingRow {
    fn from(row: DayRow) -> Self {
        Self {
            rank: row.rank,
            user_id: row.user_id.map(|id| id.0),
            external_id: row.external_id,
            display_name: row.display_name,
            shown_name: row.shown_name,
            score: row.score,
        }
    }
}

/// The whole board, of 1 to 10,000 places.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"items": [
    {"rank": 1, "external_id": "rudolf-77", "score": 9100},
    {"rank": 2, "display_name": "손님", "score": 8700}]}))]
pub(crate) struct DayRankingRequest {
    items: Vec<DayRankingItem>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    date: Option<Echo>,
}

/// A place. A player is named by either id; anybody else by a name alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rank": 1, "external_id": "rudolf-77", "score": 9100}))]
pub(crate) struct DayRankingItem {
    /// From 1; once a day.
    rank: i64,
    user_id: Option<i64>,
    external_id: Option<String>,
    /// Up to 100 characters; without it a player has their own public name.
    display_name: Option<String>,
    score: i64,
    /// Read-only, and not looked at: it follows the player's nickname.
    #[serde(rename = "shown_name")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _shown_name: Option<Volatile>,
}

/// A board as a table, or as JSON of the same size.
type Board = Upload<DayRankingRequest, MAX_CSV_BYTES>;

const COLUMNS: [Column; 5] = [
    Column::text("rank").required(),
    Column::text("user_id"),
    Column::id("external_id"),
    Column::text("display_name"),
    Column::text("score").required(),
];

/// The rows of an upload, where they came from, and the version that comes with them.
fn rows(day: EventDay, upload: Board) -> ApiResult<(Vec<DayRowEdit>, Source, Option<String>)> {
    let mut problems = Vec::new();
    let (rows, source, version) = match upload.content {
        Content::Json(DayRankingRequest {
            items,
            version,
            date,
        }) => {
            let echoes = Echoes::default().and("date", date, field::named_by_path());
            refuse(echoes.problems("", Some(&json!({ "date": day }))))?;
            let items = items.into_iter().enumerate();
            let rows = items.map(|(index, item)| of_json(index, item, &mut problems));
            (rows.collect(), Source::Json("items"), version)
        }
        Content::Table(upload) => {
            let table = upload.table(&COLUMNS)?;
            let rows = table.rows.iter().enumerate();
            let rows = rows.map(|(index, row)| of_csv(index, row, &mut problems));
            (rows.collect(), Source::of(&table), None)
        }
    };
    if problems.is_empty() {
        Ok((rows, source, version))
    } else {
        Err(source.refuse(problems))
    }
}

fn of_json(index: usize, item: DayRankingItem, problems: &mut Vec<Problem>) -> DayRowEdit {
    DayRowEdit {
        rank: item.rank,
        player: row_player(index, item.user_id, item.external_id.as_deref(), problems),
        display_name: item.display_name.unwrap_or_default(),
        score: item.score,
    }
}

fn of_csv(index: usize, row: &CsvRow, problems: &mut Vec<Problem>) -> DayRowEdit {
    let rank = row.number(index, "rank", problems);
    let user_id = row.number_if_any(index, "user_id", problems);
    DayRowEdit {
        rank,
        player: row_player(index, user_id, row.get("external_id"), problems),
        display_name: row.get("display_name").unwrap_or_default().to_owned(),
        score: row.number(index, "score", problems),
    }
}

/// The board of a day as it was entered.
#[utoipa::path(get, operation_id = "get_day_ranking", path = "/admin/api/ranking/{date}",
    tag = "admin: ranking", params(("date" = String, Path, description = "`2025-12-26`")),
    responses((status = 200, body = DayRankingAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    day: PathPart<String>,
    desk: Data<Ranking>,
) -> ApiResult<Json<DayRankingAnswer>> {
    Ok(Json(desk.day(date(&day)?).await?.into()))
}

/// Replaces the board of a day, from JSON or from a table with the columns `rank`, `user_id`,
/// `external_id`, `display_name` and `score`: all of it, or nothing.
#[utoipa::path(put, operation_id = "replace_day_ranking", path = "/admin/api/ranking/{date}",
    tag = "admin: ranking",
    params(("date" = String, Path, description = "`2025-12-26`"), Reason, IfMatch),
    request_body(content((DayRankingRequest = "application/json"), (String = "text/csv", example = json!("rank,external_id,display_name,score\n1,vip-001,산타,50000\n")))),
    responses((status = 200, body = DayRankingAnswer)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    day: PathPart<String>,
    upload: Board,
    now: Now,
    request: HttpRequest,
    desk: Data<Ranking>,
) -> ApiResult<Json<DayRankingAnswer>> {
    let day = date(&day)?;
    let (rows, source, version) = rows(day, upload)?;
    let seen = seen_version(&request, version)?;
    let saved = desk.replace_day(&admin.actor, day, &rows, seen.as_ref(), now.0);
    let saved = saved.await.map_err(|error| match error {
        RankingDeskError::Invalid(problems) => source.refuse(problems),
        error => error.into(),
    })?;
    Ok(Json(saved.into()))
}

/// Empties the board of a day.
#[utoipa::path(delete, operation_id = "delete_day_ranking", path = "/admin/api/ranking/{date}",
    tag = "admin: ranking", params(("date" = String, Path, description = "`2025-12-26`"), Reason),
    responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    day: PathPart<String>,
    now: Now,
    desk: Data<Ranking>,
) -> ApiResult<HttpResponse> {
    desk.delete_day(&admin.actor, date(&day)?, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The day that a path names; what is no day has no ranking.
fn date(day: &PathPart<String>) -> ApiResult<EventDay> {
    let day = day.0.parse();
    day.map_err(|_| ApiError::new(ErrorCode::RankingNotFound))
}
