//! `/admin/api/roulette-config/`.

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
    roulette::{Roulette, SegmentConfig, SegmentEdit, Segments},
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
        game_config::{config_echoes, id, reward, two_names},
    },
    paging::CursorParams,
    params::{IfMatch, Reason, sent},
};

/// Its paths.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(post).fails::<ConfigError>(&[
            ErrorCode::InvalidRouletteConfig,
            ErrorCode::InvalidMaxDailyPlays,
        ]),
        operation!(get).fails::<ConfigError>(&[ErrorCode::RouletteConfigNotFound]),
        operation!(put).fails::<ConfigError>(&[
            ErrorCode::RouletteConfigNotFound,
            ErrorCode::InvalidRouletteConfig,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::VersionConflict,
        ]),
        operation!(delete)
            .fails::<ConfigError>(&[ErrorCode::RouletteConfigNotFound, ErrorCode::ConfigInUse]),
        operation!(versions).fails::<ConfigError>(&[ErrorCode::RouletteConfigNotFound]),
        operation!(restore).fails::<ConfigError>(&[
            ErrorCode::RouletteConfigNotFound,
            ErrorCode::InvalidRouletteConfig,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::VersionConflict,
            ErrorCode::ConfigVersionNotFound,
        ]),
    ]
}

const MISSING: ErrorCode = ErrorCode::RouletteConfigNotFound;

/// A wheel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 룰렛", "is_active": true, "max_daily_spins": 0,
    "segments": [{"id": 1, "index": 0, "slot_index": 0, "label": "다음 기회에", "weight": 120,
        "reward_type": "NONE", "reward_value": 0, "reward_amount": 0, "reward_item": null,
        "is_jackpot": false}],
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct RouletteConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_spins: i64,
    /// Six, by slot.
    segments: Vec<SegmentConfigAnswer>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "index": 0, "slot_index": 0, "label": "다음 기회에",
    "weight": 120, "reward_type": "NONE", "reward_value": 0, "reward_amount": 0,
    "reward_item": null, "is_jackpot": false}))]
pub(crate) struct SegmentConfigAnswer {
    id: Option<i64>,
    /// Its slot, 0 to 5.
    index: i64,
    /// As `index`.
    slot_index: i64,
    label: String,
    /// How likely it is, relative to the others.
    weight: i64,
    reward_type: String,
    reward_value: i64,
    /// As `reward_value`.
    reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    reward_item: Option<i64>,
    is_jackpot: bool,
}

impl From<Saved<Segments>> for RouletteConfigAnswer {
    fn from(saved: Saved<Segments>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let segments = config.body.segments.into_iter();
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_spins: config.max_daily,
            segments: segments.map(Into::into).collect(),
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

impl From<SegmentConfig> for SegmentConfigAnswer {
    fn from(segment: SegmentConfig) -> Self {
        Self {
            id: segment.id,
            index: segment.slot_index,
            slot_index: segment.slot_index,
            label: segment.label,
            weight: segment.weight,
            reward_type: segment.reward.reward_type,
            reward_value: segment.reward.reward_amount,
            reward_amount: segment.reward.reward_amount,
            reward_item: segment.reward.reward_item,
            is_jackpot: segment.is_jackpot,
        }
    }
}

/// What is left out stays. A new wheel has a name and six segments.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 룰렛", "is_active": true, "max_daily_spins": 10,
    "segments": [{"index": 0, "label": "다음 기회에", "weight": 120, "reward_type": "NONE"}]}))]
pub(crate) struct RouletteConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_spins: Option<i64>,
    /// All six, or none of them to keep them.
    segments: Option<Vec<SegmentConfigRequest>>,
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

/// What is left out stays as it was in this slot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"index": 0, "label": "다음 기회에", "weight": 120,
    "reward_type": "NONE", "reward_value": 0, "is_jackpot": false}))]
pub(crate) struct SegmentConfigRequest {
    /// Its slot, 0 to 5; without it, its place in the list.
    index: Option<i64>,
    slot_index: Option<i64>,
    label: Option<String>,
    weight: Option<i64>,
    reward_type: Option<String>,
    /// 0 for `NONE`, 1 for `BUNDLE` and `COUPON`, which may be left out; 0 or more for every other type.
    reward_value: Option<i64>,
    reward_amount: Option<i64>,
    /// The id of the bundle or kind of coupon.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    reward_item: Option<Option<i64>>,
    is_jackpot: Option<bool>,
    /// Read-only: left out, or that of the slot.
    id: Option<i64>,
}

impl RouletteConfigRequest {
    fn echoes(&mut self) -> Echoes {
        config_echoes(self.id.take(), self.created_at.take())
    }

    fn edit(self, request: &HttpRequest) -> ApiResult<ConfigEdit<Option<Vec<SegmentEdit>>>> {
        let segments = self.segments;
        Ok(ConfigEdit {
            name: self.name,
            is_active: self.is_active,
            max_daily: TwoNames::one(self.max_daily_spins),
            body: segments.map(|segments| segments.into_iter().map(Into::into).collect()),
            seen: seen_version(request, self.version)?,
        })
    }
}

impl From<SegmentConfigRequest> for SegmentEdit {
    fn from(segment: SegmentConfigRequest) -> Self {
        let amount = (segment.reward_value, segment.reward_amount);
        Self {
            id: segment.id,
            slot_index: two_names((segment.index, segment.slot_index)),
            label: segment.label,
            weight: segment.weight,
            reward: reward(segment.reward_type, amount, segment.reward_item),
            is_jackpot: segment.is_jackpot,
        }
    }
}

/// Every wheel, newest first.
#[utoipa::path(get, operation_id = "list_roulette_configs", path = "/admin/api/roulette-config/",
    tag = "admin: games", responses((status = 200, body = [RouletteConfigAnswer])),
    security(("bearer" = [])))]
pub(crate) async fn list(
    desk: Data<Engine<Roulette>>,
) -> ApiResult<Json<Vec<RouletteConfigAnswer>>> {
    let configs = desk.configs().await?;
    Ok(Json(configs.into_iter().map(Into::into).collect()))
}

/// Adds a wheel. It is checked as a whole, also if it is not active yet.
#[utoipa::path(post, operation_id = "create_roulette_config", path = "/admin/api/roulette-config/",
    tag = "admin: games", params(Reason), request_body = RouletteConfigRequest,
    responses((status = 201, body = RouletteConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    body: Body<RouletteConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<(Json<RouletteConfigAnswer>, StatusCode)> {
    let Body(mut body) = body;
    body.echoes().expect_none()?;
    let new = body.edit(&request)?;
    let saved = desk.create(&admin.actor, &new, now.0).await?;
    Ok((Json(saved.into()), StatusCode::CREATED))
}

/// One wheel.
#[utoipa::path(get, operation_id = "get_roulette_config", path = "/admin/api/roulette-config/{id}",
    tag = "admin: games", params(("id" = i64, Path)),
    responses((status = 200, body = RouletteConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<Json<RouletteConfigAnswer>> {
    Ok(Json(desk.config(id(&part, MISSING)?).await?.into()))
}

/// Changes a wheel. It takes effect within a second; a spin that is under way ends with the table that it
/// was drawn from.
#[utoipa::path(put, operation_id = "update_roulette_config", path = "/admin/api/roulette-config/{id}",
    tag = "admin: games", params(("id" = i64, Path), Reason, IfMatch),
    request_body = RouletteConfigRequest, responses((status = 200, body = RouletteConfigAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    part: PathPart<String>,
    body: Body<RouletteConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<Json<RouletteConfigAnswer>> {
    let id = id(&part, MISSING)?;
    let Body(mut body) = body;
    let stored = async || Ok(RouletteConfigAnswer::from(desk.config(id).await?));
    body.echoes().compare(stored).await?;
    let edit = body.edit(&request)?;
    let saved = desk.update(&admin.actor, id, &edit, now.0).await?;
    Ok(Json(saved.into()))
}

/// Removes a wheel that was never spun; any other can be switched off.
#[utoipa::path(delete, operation_id = "delete_roulette_config",
    path = "/admin/api/roulette-config/{id}", tag = "admin: games",
    params(("id" = i64, Path), Reason), responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    part: PathPart<String>,
    now: Now,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<HttpResponse> {
    let id = id(&part, MISSING)?;
    desk.delete(&admin.actor, id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every state in which a wheel was saved, newest first: who saved it, and from when to when it was so.
#[utoipa::path(get, operation_id = "list_roulette_config_versions",
    path = "/admin/api/roulette-config/{id}/versions", tag = "admin: games",
    params(("id" = i64, Path), CursorParams),
    responses((status = 200, body = VersionPage<RouletteConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn versions(
    part: PathPart<String>,
    params: Params<CursorParams>,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<Json<VersionPage<RouletteConfigAnswer>>> {
    config_versions::page(&desk, id(&part, MISSING)?, &params.0).await
}

/// Puts a version back by one call, checked like any other edit: the name, the daily limit and what there is
/// to win. Whether it is switched on stays as it is.
#[utoipa::path(post, operation_id = "restore_roulette_config",
    path = "/admin/api/roulette-config/{id}/versions/{version}/restore", tag = "admin: games",
    params(("id" = i64, Path), ("version" = i64, Path, minimum = 0, description = "its `id` in the list of versions"),
        Reason, IfMatch), request_body = Option<RestoreRequest>,
    responses((status = 200, body = RestoredAnswer<RouletteConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn restore(
    admin: Admin,
    path: VersionPath,
    body: OptionalBody<RestoreRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Roulette>>,
) -> ApiResult<Json<RestoredAnswer<RouletteConfigAnswer>>> {
    let path = (path, MISSING);
    config_versions::restore(&desk, &admin, path, body.0, &request, now.0).await
}
