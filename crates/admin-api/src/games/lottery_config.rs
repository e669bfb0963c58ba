//! `/admin/api/lottery-config/`.

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
    config::{ConfigEdit, Saved},
    lottery::{Lottery, PrizeConfig, PrizeEdit, PrizeList},
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
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::InvalidLotteryWeight,
            ErrorCode::InvalidLotteryStock,
            ErrorCode::DuplicatePrizeLabel,
            ErrorCode::NoActivePrize,
            ErrorCode::ZeroTotalWeight,
        ]),
        operation!(get).fails::<ConfigError>(&[ErrorCode::LotteryConfigNotFound]),
        operation!(put).fails::<ConfigError>(&[
            ErrorCode::LotteryConfigNotFound,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::InvalidLotteryWeight,
            ErrorCode::InvalidLotteryStock,
            ErrorCode::DuplicatePrizeLabel,
            ErrorCode::NoActivePrize,
            ErrorCode::ZeroTotalWeight,
            ErrorCode::VersionConflict,
        ]),
        operation!(delete)
            .fails::<ConfigError>(&[ErrorCode::LotteryConfigNotFound, ErrorCode::ConfigInUse]),
        operation!(versions).fails::<ConfigError>(&[ErrorCode::LotteryConfigNotFound]),
        operation!(restore).fails::<ConfigError>(&[
            ErrorCode::LotteryConfigNotFound,
            ErrorCode::InvalidMaxDailyPlays,
            ErrorCode::InvalidLotteryWeight,
            ErrorCode::InvalidLotteryStock,
            ErrorCode::DuplicatePrizeLabel,
            ErrorCode::NoActivePrize,
            ErrorCode::ZeroTotalWeight,
            ErrorCode::VersionConflict,
            ErrorCode::ConfigVersionNotFound,
        ]),
    ]
}

const MISSING: ErrorCode = ErrorCode::LotteryConfigNotFound;

/// A lottery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 복권", "is_active": true, "max_daily_plays": 0,
    "max_daily_tickets": 0, "prizes": [{"id": 5, "label": "배민 2만", "weight": 20, "stock": 20,
        "reward_type": "COUPON", "reward_value": 1, "reward_amount": 1, "reward_item": 2,
        "is_active": true}],
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct LotteryConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_plays: i64,
    /// As `max_daily_plays`.
    max_daily_tickets: i64,
    /// In the order of their ids.
    prizes: Vec<PrizeConfigAnswer>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    /// Changes also when a limited prize is won.
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "stock": 20,
    "reward_type": "COUPON", "reward_value": 1, "reward_amount": 1, "reward_item": 2,
    "is_active": true}))]
pub(crate) struct PrizeConfigAnswer {
    id: Option<i64>,
    label: String,
    /// How likely it is, relative to the others.
    weight: i64,
    /// How many are left; null means no limit.
    stock: Option<i64>,
    reward_type: String,
    reward_value: i64,
    /// As `reward_value`.
    reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    reward_item: Option<i64>,
    /// Whether it takes part.
    is_active: bool,
}

impl From<Saved<PrizeList>> for LotteryConfigAnswer {
    fn from(saved: Saved<PrizeList>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let prizes = config.body.prizes.into_iter();
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_plays: config.max_daily,
            max_daily_tickets: config.max_daily,
            prizes: prizes.map(Into::into).collect(),
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

impl From<PrizeConfig> for PrizeConfigAnswer {
    fn from(prize: PrizeConfig) -> Self {
        Self {
            id: prize.id,
            label: prize.label,
            weight: prize.weight,
            stock: prize.stock,
            reward_type: prize.reward.reward_type,
            reward_value: prize.reward.reward_amount,
            reward_amount: prize.reward.reward_amount,
            reward_item: prize.reward.reward_item,
            is_active: prize.is_active,
        }
    }
}

/// What is left out stays. A new lottery has a name and prizes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 복권", "is_active": true, "max_daily_plays": 10,
    "prizes": [{"label": "다음 기회에", "weight": 400, "stock": null, "reward_type": "NONE"},
        {"label": "배민 2만", "weight": 20, "stock": 20, "reward_type": "COUPON",
            "reward_item": 2}]}))]
pub(crate) struct LotteryConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_plays: Option<i64>,
    max_daily_tickets: Option<i64>,
    /// All of them. One that is left out is removed, or switched off if it was ever drawn. Without the
    /// list all stay.
    prizes: Option<Vec<PrizeConfigRequest>>,
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

/// What is left out stays as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "stock": 30,
    "reward_type": "COUPON", "reward_value": 1, "is_active": true}))]
pub(crate) struct PrizeConfigRequest {
    /// Which prize is meant; without it, the one with this label.
    id: Option<i64>,
    label: Option<String>,
    weight: Option<i64>,
    /// How many are left from now on; null for no limit. Without `version`, a number between what is left
    /// and what was left by the last edit was loaded before somebody won, and changes nothing.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    stock: Option<Option<i64>>,
    reward_type: Option<String>,
    /// 0 for `NONE`, 1 for `BUNDLE` and `COUPON`, which may be left out; 0 or more for every other type.
    reward_value: Option<i64>,
    reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    reward_item: Option<Option<i64>>,
    is_active: Option<bool>,
}

impl LotteryConfigRequest {
    fn echoes(&mut self) -> Echoes {
        config_echoes(self.id.take(), self.created_at.take())
    }

    fn edit(self, request: &HttpRequest) -> ApiResult<ConfigEdit<Option<Vec<PrizeEdit>>>> {
        let prizes = self.prizes;
        Ok(ConfigEdit {
            name: self.name,
            is_active: self.is_active,
            max_daily: two_names((self.max_daily_plays, self.max_daily_tickets)),
            body: prizes.map(|prizes| prizes.into_iter().map(Into::into).collect()),
            seen: seen_version(request, self.version)?,
        })
    }
}

impl From<PrizeConfigRequest> for PrizeEdit {
    fn from(prize: PrizeConfigRequest) -> Self {
        let amount = (prize.reward_value, prize.reward_amount);
        Self {
            id: prize.id,
            label: prize.label,
            weight: prize.weight,
            stock: prize.stock,
            reward: reward(prize.reward_type, amount, prize.reward_item),
            is_active: prize.is_active,
        }
    }
}

/// Every lottery, newest first.
#[utoipa::path(get, operation_id = "list_lottery_configs", path = "/admin/api/lottery-config/",
    tag = "admin: games", responses((status = 200, body = [LotteryConfigAnswer])),
    security(("bearer" = [])))]
pub(crate) async fn list(desk: Data<Engine<Lottery>>) -> ApiResult<Json<Vec<LotteryConfigAnswer>>> {
    let configs = desk.configs().await?;
    Ok(Json(configs.into_iter().map(Into::into).collect()))
}

/// Adds a lottery. It is checked as a whole, also if it is not active yet.
#[utoipa::path(post, operation_id = "create_lottery_config", path = "/admin/api/lottery-config/",
    tag = "admin: games", params(Reason), request_body = LotteryConfigRequest,
    responses((status = 201, body = LotteryConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    body: Body<LotteryConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<(Json<LotteryConfigAnswer>, StatusCode)> {
    let Body(mut body) = body;
    body.echoes().expect_none()?;
    let new = body.edit(&request)?;
    let saved = desk.create(&admin.actor, &new, now.0).await?;
    Ok((Json(saved.into()), StatusCode::CREATED))
}

/// One lottery.
#[utoipa::path(get, operation_id = "get_lottery_config", path = "/admin/api/lottery-config/{id}",
    tag = "admin: games", params(("id" = i64, Path)),
    responses((status = 200, body = LotteryConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<Json<LotteryConfigAnswer>> {
    Ok(Json(desk.config(id(&part, MISSING)?).await?.into()))
}

/// Changes a lottery. It takes effect within a second; a play that is under way ends with the table that it
/// was drawn from. The answer shows what is left in truth.
#[utoipa::path(put, operation_id = "update_lottery_config", path = "/admin/api/lottery-config/{id}",
    tag = "admin: games", params(("id" = i64, Path), Reason, IfMatch),
    request_body = LotteryConfigRequest, responses((status = 200, body = LotteryConfigAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    part: PathPart<String>,
    body: Body<LotteryConfigRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<Json<LotteryConfigAnswer>> {
    let id = id(&part, MISSING)?;
    let Body(mut body) = body;
    let stored = async || Ok(LotteryConfigAnswer::from(desk.config(id).await?));
    body.echoes().compare(stored).await?;
    let edit = body.edit(&request)?;
    let saved = desk.update(&admin.actor, id, &edit, now.0).await?;
    Ok(Json(saved.into()))
}

/// Removes a lottery that was never played; any other can be switched off.
#[utoipa::path(delete, operation_id = "delete_lottery_config",
    path = "/admin/api/lottery-config/{id}", tag = "admin: games",
    params(("id" = i64, Path), Reason), responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    part: PathPart<String>,
    now: Now,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<HttpResponse> {
    let id = id(&part, MISSING)?;
    desk.delete(&admin.actor, id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every state in which a lottery was saved, newest first: who saved it, and from when to when it was so.
#[utoipa::path(get, operation_id = "list_lottery_config_versions",
    path = "/admin/api/lottery-config/{id}/versions", tag = "admin: games",
    params(("id" = i64, Path), CursorParams),
    responses((status = 200, body = VersionPage<LotteryConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn versions(
    part: PathPart<String>,
    params: Params<CursorParams>,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<Json<VersionPage<LotteryConfigAnswer>>> {
    config_versions::page(&desk, id(&part, MISSING)?, &params.0).await
}

/// Puts a version back by one call, checked like any other edit: the name, the daily limit and what there is
/// to win. Whether it is switched on stays as it is. A prize that was limited is limited again: to what the
/// version had without what was won since, and to no more than is left now. One that had no limit keeps the
/// one that it has now.
#[utoipa::path(post, operation_id = "restore_lottery_config",
    path = "/admin/api/lottery-config/{id}/versions/{version}/restore", tag = "admin: games",
    params(("id" = i64, Path), ("version" = i64, Path, minimum = 0, description = "its `id` in the list of versions"),
        Reason, IfMatch), request_body = Option<RestoreRequest>,
    responses((status = 200, body = RestoredAnswer<LotteryConfigAnswer>)), security(("bearer" = [])))]
pub(crate) async fn restore(
    admin: Admin,
    path: VersionPath,
    body: OptionalBody<RestoreRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Engine<Lottery>>,
) -> ApiResult<Json<RestoredAnswer<LotteryConfigAnswer>>> {
    let path = (path, MISSING);
    config_versions::restore(&desk, &admin, path, body.0, &request, now.0).await
}
