//! `/admin/api/dice-config/`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    ConfigError, Engine,
    config::{ConfigEdit, Saved, TwoNames},
    dice::{Dice, DiceEdit, DiceRewards},
};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{
        Admin, Body, Echo, Echoes, Now, OptionalBody, Params, PathPart, Volatile, seen_version,
    },
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_time::Kst;

use crate::{
    games::{
        config_versions::{self, RestoreRequest, RestoredAnswer, VersionPage, VersionPath},
        game_config::{config_echoes, id, reward},
    },
    paging::CursorParams,
    params::{IfMatch, Reason, sent},
};

/// Its paths.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(post).fails::<ConfigError>(&[ErrorCode::InvalidMaxDailyPlays]),
        operation!(get).fails::<ConfigError>(&[ErrorCode::DiceConfigNotFound]),
        operation!(put).fails::<ConfigError>(&[
            ErrorCode::DiceConfigNotFound,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::VersionConflict,
        ]),
        operation!(delete)
            .fails::<ConfigError>(&[ErrorCode::DiceConfigNotFound, ErrorCode::ConfigInUse]),
        operation!(versions).fails::<ConfigError>(&[ErrorCode::DiceConfigNotFound]),
        operation!(restore).fails::<ConfigError>(&[
            ErrorCode::DiceConfigNotFound,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::VersionConflict,
            ErrorCode::ConfigVersionNotFound,
        ]),
    ]
}

const MISSING: ErrorCode = ErrorCode::DiceConfigNotFound;

/// A dice game. `…_reward_amount` is the same as `…_reward_value`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 주사위", "is_active": true, "max_daily_plays": 0,
    "win_reward_type": "POINT", "win_reward_value": 500, "win_reward_amount": 500, "win_reward_item": null,
    "draw_reward_type": "POINT", "draw_reward_value": 100, "draw_reward_amount": 100,
    "draw_reward_item": null, "lose_reward_type": "NONE", "lose_reward_value": 0,
    "lose_reward_amount": 0, "lose_reward_item": null,
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct DiceConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_plays: i64,
    win_reward_type: String,
    win_reward_value: i64,
    win_reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    win_reward_item: Option<i64>,
    draw_reward_type: String,
    draw_reward_value: i64,
    draw_reward_amount: i64,
    draw_reward_item: Option<i64>,
    lose_reward_type: String,
    lose_reward_value: i64,
    lose_reward_amount: i64,
    lose_reward_item: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

impl From<Saved<DiceRewards>> for DiceConfigAnswer {
    fn from(saved: Saved<DiceRewards>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let DiceRewards { win, draw, lose } = config.body;
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_plays: config.max_daily,
            win_reward_type: win.reward_type,
            win_reward_value: win.reward_amount,
            win_reward_amount: win.reward_amount,
            win_reward_item: win.reward_item,
            draw_reward_type: draw.reward_type,
            draw_reward_value: draw.reward_amount,
            draw_reward_amount: draw.reward_amount,
            draw_reward_item: draw.reward_item,
            lose_reward_type: lose.reward_type,
            lose_reward_value: lose.reward_amount,
            lose_reward_amount: lose.reward_amount,
            lose_reward_item: lose.reward_item,
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

/// What is left out stays. A new game has a name and the type of each reward. Values are 0 for `NONE`, and 1
/// for `BUNDLE` and `COUPON`, and may then be left out; they are 0 or more for every other type.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 주사위", "is_active": true, "max_daily_plays": 10,
    "win_reward_type": "POINT", "win_reward_value": 500, "draw_reward_type": "POINT",
    "draw_reward_value": 100, "lose_reward_type": "NONE", "lose_reward_value": 0}))]
pub(crate) struct DiceConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_plays: Option<i64>,
    win_reward_type: Option<String>,
    win_reward_value: Option<i64>,
    win_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    win_reward_item: Option<Option<i64>>,
    draw_reward_type: Option<String>,
    draw_reward_value: Option<i64>,
    draw_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    draw_reward_item: Option<Option<i64>>,
    lose_reward_type: Option<String>,
    lose_reward_value: Option<i64>,
    lose_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    lose_reward_item: Option<Option<i64>>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
}

impl DiceConfigRequest {
    fn echoes(&mut self) -> Echoes {
        config_echoes(self.id.take(), self.created_at.take())
    }

    fn edit(self, request: &HttpRequest) -> ApiResult<ConfigEdit<DiceEdit>> {
        let win = (self.win_reward_value, self.win_reward_amount);
        let draw = (self.draw_reward_value, self.draw_reward_amount);
        let lose = (self.lose_reward_value, self.lose_reward_amount);
        Ok(ConfigEdit {
            name: self.name,
            is_active: self.is_active,
            max_daily: TwoNames::one(self.max_daily_plays),
            body: DiceEdit {
                win: reward(self.win_reward_type, win, self.win_reward_item),
                draw: reward(self.draw_reward_type, draw, self.draw_reward_item),
                lose: reward(self.lose_reward_type, lose, self.lose_reward_item),
            },
            seen: seen_version(request, self.version)?,
        })
    }
}

/// Every dice game, newest first.
#[utoipa::path(get, operation_id = "list_dice_configs", path = "/admin/api/dice-config/",
    tag = "admin: games", responses((status = 200, body = [DiceConfigAnswer])),
    security(("bearer" = [])))]
pub(crate) async fn list(desk: Data<Engine<Dice>>) -> ApiResult<Json<Vec<DiceConfigAnswer>>> {
    let configs = desk.configs().await?;
    Ok(Json(configs.into_iter().map(Into::into).collect()))
}

/// Adds a dice game. It is checked as a whole, also if it is not active yet.
#[utoipa::path(post, operation_id = "create_dice_config", path = "/admin/api/dice-config/",
    tag = "admin: games", params(Reason), request_body = DiceConfigRequest,
    responses((status = 201, body = DiceConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    body: Body<DiceConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Dice>>,
) -> ApiResult<(Json<DiceConfigAnswer>, StatusCode)> {
    let Body(mut body) = body;
    body.echoes().expect_none()?;
    let new = body.edit(&request)?;
    let saved = desk.create(&admin.actor, &new, now.0).await?;
    Ok((Json(saved.into()), StatusCode::CREATED))
}

/// One dice game.
#[utoipa::path(get, operation_id = "get_dice_config", path = "/admin/api/dice-config/{id}",
    tag = "admin: games", params(("id" = i64, Path)),
    responses((status = 200, body = DiceConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    desk: Data<Engine<Dice>>,
) -> ApiResult<Json<DiceConfigAnswer>> {
    Ok(Json(desk.config(id(&part, MISSING)?).await?.into()))
}

/// Changes a dice game. It takes effect within a second.
#[utoipa::path(put, operation_id = "update_dice_config", path = "/admin/api/dice-config/{id}",
    tag = "admin: games", params(("id" = i64, Path), Reason, IfMatch),
    request_body = DiceConfigRequest, responses((status = 200, body = DiceConfigAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    part: PathPart<String>,
    body: Body<DiceConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Dice>>,
) -> ApiResult<Json<DiceConfigAnswer>> {
    let id = id(&part, MISSING)?;
    let Body(mut body) = body;
    let stored = async || Ok(DiceConfigAnswer::from(desk.config(id).await?));
    body.echoes().compare(stored).await?;
    let edit = body.edit(&request)?;
    let saved = desk.update(&admin.actor, id, &edit, now.0).await?;
    Ok(Json(saved.into()))
}

/// Removes a dice game that was never played; any other can be switched off.
#[utoipa::path(delete, operation_id = "delete_dice_config", path = "/admin/api/dice-config/{id}",
    tag = "admin: games", params(("id" = i64, Path), Reason), responses((status = 204)),
    security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    part: PathPart<String>,
    now: Now,
    desk: Data<Engine<Dice>>,
) -> ApiResult<HttpResponse> {
    let id = id(&part, MISSING)?;
    desk.delete(&admin.actor, id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every state in which a dice game was saved, newest first: who saved it, and from when to when it was so.
#[utoipa::path(get, operation_id = "list_dice_config_versions",
    path = "/admin/api/dice-config/{id}/versions", tag = "admin: games",
    params(("id" = i64, Path), CursorParams),
    responses((status = 200, body = VersionPage<DiceConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn versions(
    part: PathPart<String>,
    params: Params<CursorParams>,
    desk: Data<Engine<Dice>>,
) -> ApiResult<Json<VersionPage<DiceConfigAnswer>>> {
    config_versions::page(&desk, id(&part, MISSING)?, &params.0).await
}

/// Puts a version back by one call, checked like any other edit: the name, the daily limit and what there is
/// to win. Whether it is switched on stays as it is.
#[utoipa::path(post, operation_id = "restore_dice_config",
    path = "/admin/api/dice-config/{id}/versions/{version}/restore", tag = "admin: games",
    params(("id" = i64, Path), ("version" = i64, Path, minimum = 0, description = "its `id` in the list of versions"),
        Reason, IfMatch), request_body = Option<RestoreRequest>,
    responses((status = 200, body = RestoredAnswer<DiceConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn restore(
    admin: Admin,
    path: VersionPath,
    body: OptionalBody<RestoreRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Dice>>,
) -> ApiResult<Json<RestoredAnswer<DiceConfigAnswer>>> {
    let path = (path, MISSING);
    config_versions::restore(&desk, &admin, path, body.0, &request, now.0).await
}
