//! `/admin/api/seasons/{id}/levels`.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Echo, Echoes, Now, PathPart, seen_version},
};
use xmas_kernel::UnknownName;
use xmas_season_pass::{Level, LevelEdit, SavedSeason, SeasonEdit, SeasonPass};
use xmas_texts::field;

use crate::id;
use xmas_admin_common::params::{IfMatch, Reason, sent};

/// The whole ladder of a season.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"season_id": 1, "max_level": 1, "levels": [{"level": 1, "required_xp": 20,
    "reward_type": "TICKET_ROULETTE", "reward_amount": 1, "reward_item": null,
    "reward_label": "룰렛 티켓 1장", "auto_claim": true, "is_manual": false}],
    "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct LadderAnswer {
    season_id: i64,
    max_level: i64,
    levels: Vec<AdminLevelAnswer>,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"level": 1, "required_xp": 20, "reward_type": "TICKET_ROULETTE",
    "reward_amount": 1, "reward_item": null, "reward_label": "룰렛 티켓 1장", "auto_claim": true,
    "is_manual": false}))]
pub(crate) struct AdminLevelAnswer {
    level: i64,
    /// Cumulative.
    required_xp: i64,
    reward_type: &'static str,
    reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    reward_item: Option<i64>,
    reward_label: String,
    /// Pays by itself; otherwise it waits for a claim.
    auto_claim: bool,
    /// An admin looks at the reward before it is delivered.
    is_manual: bool,
}

impl From<SavedSeason> for LadderAnswer {
    fn from(saved: SavedSeason) -> Self {
        let version = saved.version().as_str().to_owned();
        let season = saved.season;
        let answer = |level: Level| AdminLevelAnswer {
            level: level.level,
            required_xp: level.required_xp,
            reward_type: level.reward.kind().as_str(),
            reward_amount: level.reward.amount(),
            reward_item: level.reward.item(),
            reward_label: level.reward_label,
            auto_claim: level.auto_claim,
            is_manual: level.manual,
        };
        Self {
            season_id: season.id.0,
            max_level: season.rules.max_level,
            levels: season.rules.levels.into_iter().map(answer).collect(),
            version,
        }
    }
}

/// What is left out stays as it was on the level of this number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": 1, "required_xp": 20, "reward_type": "TICKET_ROULETTE",
    "reward_amount": 1, "reward_label": "룰렛 티켓 1장", "auto_claim": true}))]
pub(crate) struct LevelRequest {
    level: i64,
    required_xp: Option<i64>,
    reward_type: Option<String>,
    /// 0 for `NONE`, 1 for `BUNDLE` and `COUPON`, 0 or more for every other type.
    reward_amount: Option<i64>,
    /// Null names no bundle or kind of coupon any more.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    reward_item: Option<Option<i64>>,
    reward_label: Option<String>,
    auto_claim: Option<bool>,
    is_manual: Option<bool>,
}

impl LevelRequest {
    pub(crate) fn edits(levels: Vec<Self>) -> ApiResult<Vec<LevelEdit>> {
        let edit = |(index, level): (usize, Self)| {
            let reward_type = level.reward_type.map(|name| name.parse()).transpose();
            let reward_type = reward_type.map_err(|error: UnknownName| {
                ApiError::field(format!("levels.{index}.reward_type"), error)
            })?;
            Ok(LevelEdit {
                level: level.level,
                required_xp: level.required_xp,
                reward_type,
                reward_amount: level.reward_amount,
                reward_item: level.reward_item,
                reward_label: level.reward_label,
                auto_claim: level.auto_claim,
                manual: level.is_manual,
            })
        };
        levels.into_iter().enumerate().map(edit).collect()
    }
}

/// The whole ladder: levels 1, 2, 3 and so on, with rising XP.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"levels": [{"level": 1, "required_xp": 20, "reward_type": "TICKET_ROULETTE",
    "reward_amount": 1, "reward_label": "룰렛 티켓 1장", "auto_claim": true}]}))]
pub(crate) struct LadderRequest {
    levels: Vec<LevelRequest>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    season_id: Option<Echo>,
    /// Read-only: left out, as it is stored, or how many levels there are.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    max_level: Option<Echo>,
}

impl LadderRequest {
    fn echoes(&mut self) -> Echoes {
        let max_level = self.max_level.take();
        let max_level = max_level.filter(|sent| !sent.says(self.levels.len()));
        Echoes::default()
            .and("season_id", self.season_id.take(), field::never_changes())
            .and("max_level", max_level, field::change_levels_instead())
    }
}

/// The ladder of a season.
#[utoipa::path(get, operation_id = "get_levels", path = "/admin/api/seasons/{id}/levels", tag = "admin: season",
    params(("id" = i64, Path)), responses((status = 200, body = LadderAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    desk: Data<SeasonPass>,
) -> ApiResult<Json<LadderAnswer>> {
    Ok(Json(desk.find(id(&part)?).await?.into()))
}

/// Saves the whole ladder, and `max_level` with it. Whoever has reached a level keeps what it paid; a
/// level that now pays by itself pays with the player's next move.
#[utoipa::path(put, operation_id = "update_levels", path = "/admin/api/seasons/{id}/levels", tag = "admin: season",
    params(("id" = i64, Path), Reason, IfMatch), request_body = LadderRequest,
    responses((status = 200, body = LadderAnswer)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    part: PathPart<String>,
    body: Body<LadderRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<SeasonPass>,
) -> ApiResult<Json<LadderAnswer>> {
    let id = id(&part)?;
    let Body(mut body) = body;
    let stored = async || Ok(LadderAnswer::from(desk.find(id).await?));
    body.echoes().compare(stored).await?;
    let edit = SeasonEdit {
        levels: Some(LevelRequest::edits(body.levels)?),
        seen: seen_version(&request, body.version)?,
        ..SeasonEdit::default()
    };
    let edited = desk
        .update(&admin.actor, id, &|_| edit.clone(), now.0)
        .await?;
    Ok(Json(edited.saved.into()))
}
