//! `/admin/api/external-ranking/`: what players did elsewhere.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    Ranking, RankingDeskError,
    ranking::{ExternalEdit, ExternalRow, ExternalRowEdit},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{
        AccountPart, Admin, Body, Column, Content, CsvRow, Echo, Echoes, List, Now, Source, Upload,
        Volatile, seen_version,
    },
    middleware::limits::MAX_CSV_BYTES,
    operation,
};
use xmas_kernel::{ErrorCode, Problem, version::Seen};
use xmas_players::PlayerRef;
use xmas_texts::field;
use xmas_time::Kst;

use crate::game_config::row_player;
use xmas_admin_common::params::{IfMatch, Reason, UserPath, sent};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(post)
            .fails::<RankingDeskError>(&[
                ErrorCode::UserRequired,
                ErrorCode::UserNotFound,
                ErrorCode::RankingConflict,
                ErrorCode::VersionConflict,
            ])
            .bulk(),
        operation!(put).fails::<RankingDeskError>(&[
            ErrorCode::ExternalRankingNotFound,
            ErrorCode::VersionConflict,
        ]),
        operation!(delete).fails::<RankingDeskError>(&[ErrorCode::ExternalRankingNotFound]),
    ]
}

/// Who is not on the board.
const MISSING: ErrorCode = ErrorCode::ExternalRankingNotFound;

/// The external board.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 1, "user_id": 7, "external_id": "rudolf-77",
    "nickname": null, "deposit_amount": 300000, "play_count": 41, "memo": "VIP",
    "created_at": "2025-12-26T09:00:00.000000+09:00",
    "updated_at": "2025-12-26T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}]}))]
pub(crate) struct ExternalRankingAnswer {
    items: Vec<ExternalRankingRow>,
}

/// A player on the external board.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "user_id": 7, "external_id": "rudolf-77", "nickname": null,
    "deposit_amount": 300000, "play_count": 41, "memo": "VIP",
    "created_at": "2025-12-26T09:00:00.000000+09:00",
    "updated_at": "2025-12-26T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct ExternalRankingRow {
    id: i64,
    user_id: i64,
    external_id: String,
    nickname: Option<String>,
    deposit_amount: i64,
    play_count: i64,
    /// Never shown to players.
    memo: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

impl From<ExternalRow> for ExternalRankingRow {
    fn from(row: ExternalRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id.0,
            external_id: row.external_id,
            nickname: row.nickname,
            deposit_amount: row.deposit_amount,
            play_count: row.play_count,
            memo: row.memo,
            created_at: Kst(row.created_at),
            updated_at: Kst(row.updated_at),
            version: row.version.as_str().to_owned(),
        }
    }
}

/// What a player did elsewhere. The player is named by either id.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"external_id": "rudolf-77", "deposit_amount": 300000, "play_count": 41,
    "memo": "VIP"}))]
pub(crate) struct ExternalRankingItem {
    user_id: Option<i64>,
    external_id: Option<String>,
    deposit_amount: i64,
    play_count: i64,
    /// Up to 255 characters. What is left out stays; null takes it away.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>)]
    memo: Option<Option<String>>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    nickname: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
}

/// What is left out stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"deposit_amount": 320000}))]
pub(crate) struct ExternalRankingRequest {
    deposit_amount: Option<i64>,
    play_count: Option<i64>,
    /// Up to 255 characters; null takes it away.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>)]
    memo: Option<Option<String>>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    user_id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    external_id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    nickname: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
}

impl ExternalRankingItem {
    fn echoes(&mut self) -> Echoes {
        Echoes::default()
            .and("id", self.id.take(), field::never_changes())
            .and(
                "nickname",
                self.nickname.take(),
                field::change_account_instead(),
            )
            .and("created_at", self.created_at.take(), field::never_changes())
    }
}

impl ExternalRankingRequest {
    fn echoes(&mut self) -> Echoes {
        Echoes::default()
            .and("id", self.id.take(), field::never_changes())
            .and("user_id", self.user_id.take(), field::named_by_path())
            .and(
                "external_id",
                self.external_id.take(),
                field::change_account_instead(),
            )
            .and(
                "nickname",
                self.nickname.take(),
                field::change_account_instead(),
            )
            .and("created_at", self.created_at.take(), field::never_changes())
    }
}

/// A board as a table, or as JSON of the same size.
type Board = Upload<List<ExternalRankingItem>, MAX_CSV_BYTES>;

const COLUMNS: [Column; 5] = [
    Column::text("user_id"),
    Column::id("external_id"),
    Column::text("deposit_amount").required(),
    Column::text("play_count").required(),
    Column::text("memo"),
];

/// The rows of an upload, and where they came from.
fn rows(upload: Board) -> ApiResult<(Vec<ExternalRowEdit>, Source)> {
    let mut problems = Vec::new();
    let (rows, source) = match upload.content {
        Content::Json(List(items)) => {
            let items = items.into_iter().enumerate();
            let rows = items.map(|(index, item)| of_json(index, item, &mut problems));
            (rows.collect(), Source::Json(""))
        }
        Content::Table(upload) => {
            let table = upload.table(&COLUMNS)?;
            let rows = table.rows.iter().enumerate();
            let rows = rows.map(|(index, row)| of_csv(index, row, &mut problems));
            (rows.collect(), Source::of(&table))
        }
    };
    if problems.is_empty() {
        Ok((rows, source))
    } else {
        Err(source.refuse(problems))
    }
}

/// Refuses items that say something else of their players' places than is stored.
async fn compare_echoes(items: &mut [ExternalRankingItem], desk: &Ranking) -> ApiResult<()> {
    let mut echoes = Vec::new();
    for (index, item) in items.iter_mut().enumerate() {
        let sent = item.echoes();
        if !sent.is_empty() {
            // What is wrong with the ids is told by whoever needs them.
            let external_id = item.external_id.as_deref();
            let player = row_player(index, item.user_id, external_id, &mut Vec::new());
            echoes.push((index, player, sent));
        }
    }
    let players: Vec<PlayerRef> = echoes.iter().map(|(_, player, _)| player.clone()).collect();
    let rows = desk.external_of(&players).await?;
    let (mut by_id, mut by_external_id) = (HashMap::new(), HashMap::new());
    for row in rows {
        let (user_id, external_id) = (row.user_id, row.external_id.clone());
        by_external_id.insert(external_id, user_id);
        let stored = serde_json::to_value(ExternalRankingRow::from(row));
        by_id.insert(user_id, stored.map_err(ApiError::internal)?);
    }
    let mut problems = Vec::new();
    for (index, player, echoes) in echoes {
        let given = player.external_id.as_ref();
        let by_name = given.and_then(|given| given.among(&by_external_id).copied());
        let stored = player.user_id.or(by_name).and_then(|id| by_id.get(&id));
        problems.extend(echoes.problems(&format!("{index}."), stored));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Source::Json("").refuse(problems))
}

fn of_json(
    index: usize,
    item: ExternalRankingItem,
    problems: &mut Vec<Problem>,
) -> ExternalRowEdit {
    ExternalRowEdit {
        player: row_player(index, item.user_id, item.external_id.as_deref(), problems),
        deposit_amount: item.deposit_amount,
        play_count: item.play_count,
        memo: item.memo,
        seen: item.version.map(Seen::one),
    }
}

fn of_csv(index: usize, row: &CsvRow, problems: &mut Vec<Problem>) -> ExternalRowEdit {
    let user_id = row.number_if_any(index, "user_id", problems);
    ExternalRowEdit {
        player: row_player(index, user_id, row.get("external_id"), problems),
        deposit_amount: row.number(index, "deposit_amount", problems),
        play_count: row.number(index, "play_count", problems),
        memo: row.get("memo").map(|memo| Some(memo.to_owned())),
        seen: None,
    }
}

/// The first 10,000 places of the board, in its order; the header `X-Total-Count` says how many there are.
#[utoipa::path(get, operation_id = "list_external_ranking", path = "/admin/api/external-ranking/",
    tag = "admin: ranking", responses((status = 200, body = ExternalRankingAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn list(desk: Data<Ranking>) -> ApiResult<HttpResponse> {
    let board = desk.external().await?;
    Ok(HttpResponse::Ok()
        .insert_header(("x-total-count", board.total))
        .json(ExternalRankingAnswer {
            items: board.rows.into_iter().map(Into::into).collect(),
        }))
}

/// Saves what up to 10,000 players did elsewhere, from a JSON array or from a table with the columns
/// `user_id`, `external_id`, `deposit_amount`, `play_count` and `memo`: all of it, or nothing. Other
/// players' rows stay. An empty cell leaves a memo as it is.
#[utoipa::path(post, operation_id = "save_external_ranking", path = "/admin/api/external-ranking/",
    tag = "admin: ranking", params(Reason),
    request_body(content((Vec<ExternalRankingItem> = "application/json"), (String = "text/csv", example = json!("external_id,deposit_amount,play_count,memo\nvip-001,50000,12,단골\n")))),
    responses((status = 200, body = ExternalRankingAnswer)), security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    mut upload: Board,
    now: Now,
    desk: Data<Ranking>,
) -> ApiResult<Json<ExternalRankingAnswer>> {
    if let Content::Json(List(items)) = &mut upload.content {
        compare_echoes(items, &desk).await?;
    }
    let (rows, source) = rows(upload)?;
    let saved = desk.upsert_external(&admin.actor, &rows, now.0).await;
    let saved = saved.map_err(|error| match error {
        RankingDeskError::Invalid(problems) => source.refuse(problems),
        error => error.into(),
    })?;
    Ok(Json(ExternalRankingAnswer {
        items: saved.into_iter().map(Into::into).collect(),
    }))
}

/// Changes what one player did elsewhere.
#[utoipa::path(put, operation_id = "update_external_ranking",
    path = "/admin/api/external-ranking/{user_id}/", tag = "admin: ranking",
    params(UserPath, Reason, IfMatch), request_body = ExternalRankingRequest,
    responses((status = 200, body = ExternalRankingRow)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    player: AccountPart,
    body: Body<ExternalRankingRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Ranking>,
) -> ApiResult<Json<ExternalRankingRow>> {
    let Body(mut body) = body;
    let user_id = player.id(MISSING)?;
    let stored = async || {
        let named = PlayerRef {
            user_id: Some(user_id),
            external_id: None,
        };
        let found = desk.external_of(&[named]).await?.pop();
        let found = found.ok_or_else(|| ApiError::new(MISSING))?;
        Ok(ExternalRankingRow::from(found))
    };
    body.echoes().compare(stored).await?;
    let edit = ExternalEdit {
        deposit_amount: body.deposit_amount,
        play_count: body.play_count,
        memo: body.memo,
        seen: seen_version(&request, body.version)?,
    };
    let saved = desk.edit_external(&admin.actor, user_id, &edit, now.0);
    Ok(Json(saved.await?.into()))
}

/// Takes one player off the board.
#[utoipa::path(delete, operation_id = "delete_external_ranking",
    path = "/admin/api/external-ranking/{user_id}/", tag = "admin: ranking",
    params(UserPath, Reason), responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    player: AccountPart,
    now: Now,
    desk: Data<Ranking>,
) -> ApiResult<HttpResponse> {
    let user_id = player.id(MISSING)?;
    desk.remove_external(&admin.actor, user_id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
