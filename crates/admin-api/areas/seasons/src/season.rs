//! `/admin/api/seasons/` and `/admin/api/seasons/{id}`.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_http::{
    error::ApiResult,
    extract::{Admin, Body, Echo, Echoes, Now, Params, PathPart, Volatile, seen_version},
};
use xmas_kernel::{Problem, text};
use xmas_season_pass::{EditedSeason, NewSeason, SavedSeason, SeasonEdit, SeasonPass, SettleDay};
use xmas_texts::field;
use xmas_time::{EventDay, Kst};

use crate::{id, levels::LevelRequest};
use xmas_admin_common::{
    paging::PageParams,
    params::{IfMatch, Reason},
    two_names::{Differ, one_of},
};

/// A season, without its ladder.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminSeasonAnswer, example = json!({"id": 1, "name": "XMAS_1WEEK_2025", "season_name": "XMAS_1WEEK_2025",
    "start_date": "2025-12-25", "end_date": "2025-12-31", "max_level": 10, "base_xp_per_stamp": 20,
    "max_xp_bonus": 20, "grace_days": 7, "internal_win_threshold": 50, "is_active": true,
    "is_sound": true, "created_at": "2025-12-01T09:00:00.000000+09:00",
    "updated_at": "2025-12-01T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct SeasonAnswer {
    id: i64,
    name: String,
    season_name: String,
    #[schema(value_type = String, format = Date)]
    start_date: EventDay,
    /// The last day, included.
    #[schema(value_type = String, format = Date)]
    end_date: EventDay,
    max_level: i64,
    base_xp_per_stamp: i64,
    /// The largest bonus that a client may propose with a stamp.
    max_xp_bonus: i64,
    /// Days after the end on which status and claims still answer.
    grace_days: u32,
    /// Wins that earn the once-a-season bonus stamp.
    internal_win_threshold: i64,
    is_active: bool,
    /// Whether its ladder is whole: players meet `INVALID_CONFIG` while it is not.
    is_sound: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

impl From<SavedSeason> for SeasonAnswer {
    fn from(saved: SavedSeason) -> Self {
        let version = saved.version().as_str().to_owned();
        let rules = saved.season.rules;
        Self {
            id: saved.season.id.0,
            name: rules.name.clone(),
            season_name: rules.name,
            start_date: rules.start,
            end_date: rules.end,
            max_level: rules.max_level,
            base_xp_per_stamp: rules.base_xp_per_stamp,
            max_xp_bonus: rules.max_xp_bonus,
            grace_days: rules.grace_days,
            internal_win_threshold: rules.internal_win_threshold,
            is_active: rules.is_active,
            is_sound: saved.season.is_sound,
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

/// A season after an edit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EditedSeasonAnswer, example = json!({"id": 1, "name": "XMAS_1WEEK_2025", "season_name": "XMAS_1WEEK_2025",
    "start_date": "2025-12-25", "end_date": "2026-01-01", "max_level": 10, "base_xp_per_stamp": 20,
    "max_xp_bonus": 20, "grace_days": 7, "internal_win_threshold": 50, "is_active": true,
    "is_sound": true, "created_at": "2025-12-01T09:00:00.000000+09:00",
    "updated_at": "2025-12-31T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d",
    "warnings": [{"bridge_id": 1, "settle_on": "2026-01-01", "usual_settle_on": "2026-01-02",
        "moved_from": null, "message": "bridge 1 is settled on 2026-01-01, before the season has ended"}]}))]
pub(crate) struct EditedSeasonAnswer {
    #[serde(flatten)]
    season: SeasonAnswer,
    /// What else the operator should decide, now that the season ends later. Left out if that is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<SettleDayAnswer>,
}

/// A settlement that is, or was, due before its season has ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"bridge_id": 1, "settle_on": "2026-01-01", "usual_settle_on": "2026-01-02",
    "moved_from": null, "message": "bridge 1 is settled on 2026-01-01, before the season has ended"}))]
pub(crate) struct SettleDayAnswer {
    bridge_id: i64,
    /// As it is now.
    #[schema(value_type = String, format = Date)]
    settle_on: EventDay,
    /// The day after the season's last one.
    #[schema(value_type = String, format = Date)]
    usual_settle_on: EventDay,
    /// Where this edit has moved it from; null if it has not.
    #[schema(value_type = Option<String>, format = Date)]
    moved_from: Option<EventDay>,
    /// The same in words, and what to do about it.
    message: String,
}

impl From<SettleDay> for SettleDayAnswer {
    fn from(day: SettleDay) -> Self {
        let (bridge, settle_on, usual) = (day.bridge, day.settle_on, day.usual);
        let said = match day.moved_from {
            Some(from) => format!(
                "the settlement of bridge {bridge} has been moved from {from} to {settle_on}"
            ),
            None => format!(
                "bridge {bridge} is settled on {settle_on}, before the season has ended; usual would \
                 be {usual}: send move_settle_on: true to move it there"
            ),
        };
        Self {
            bridge_id: bridge.0,
            settle_on,
            usual_settle_on: usual,
            moved_from: day.moved_from,
            message: format!(
                "{said}. The days of the bridge stay as they are: if the new day is to have a key, \
                 edit them at /admin/api/event-bridge/"
            ),
        }
    }
}

impl From<EditedSeason> for EditedSeasonAnswer {
    fn from(edited: EditedSeason) -> Self {
        Self {
            season: edited.saved.into(),
            warnings: edited.settle_day.into_iter().map(Into::into).collect(),
        }
    }
}

/// A page of seasons, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 1, "name": "XMAS_1WEEK_2025",
    "start_date": "2025-12-25", "end_date": "2025-12-31", "is_active": true}],
    "total": 1, "page": 1, "size": 50}))]
pub(crate) struct SeasonPage {
    items: Vec<SeasonAnswer>,
    total: u64,
    page: u64,
    size: u64,
}

/// What is left out stays; for a new season it is usual.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "XMAS_1WEEK_2026", "start_date": "2026-12-25",
    "end_date": "2026-12-31", "base_xp_per_stamp": 20, "is_active": false}))]
pub(crate) struct SeasonRequest {
    name: Option<String>,
    /// Another name for `name`.
    season_name: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    start_date: Option<EventDay>,
    #[schema(value_type = Option<String>, format = Date)]
    end_date: Option<EventDay>,
    max_level: Option<i64>,
    base_xp_per_stamp: Option<i64>,
    max_xp_bonus: Option<i64>,
    grace_days: Option<u32>,
    internal_win_threshold: Option<i64>,
    is_active: Option<bool>,
    /// The whole ladder, if it is to be saved along.
    levels: Option<Vec<LevelRequest>>,
    /// Whether a settlement that is due while the season still runs moves to the day after the season's
    /// last one. Only of a season that is there.
    move_settle_on: Option<bool>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    is_sound: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "warnings")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _warnings: Option<Volatile>,
}

impl SeasonRequest {
    fn echoes(&mut self) -> Echoes {
        Echoes::default()
            .and("id", self.id.take(), field::never_changes())
            .and(
                "is_sound",
                self.is_sound.take(),
                field::follows_from_the_rest(),
            )
            .and("created_at", self.created_at.take(), field::never_changes())
    }

    /// The edit, but for the name of the season, and both names that were sent.
    fn edit(self, request: &HttpRequest) -> ApiResult<(SeasonEdit, Names)> {
        let levels = self.levels.map(LevelRequest::edits).transpose()?;
        let names = Names(self.name, self.season_name);
        let edit = SeasonEdit {
            name: None,
            start: self.start_date,
            end: self.end_date,
            max_level: self.max_level,
            base_xp_per_stamp: self.base_xp_per_stamp,
            max_xp_bonus: self.max_xp_bonus,
            grace_days: self.grace_days,
            internal_win_threshold: self.internal_win_threshold,
            is_active: self.is_active,
            levels,
            move_settle_on: self.move_settle_on.unwrap_or(false),
            seen: seen_version(request, self.version)?,
            problems: Vec::new(),
        };
        Ok((edit, names))
    }
}

/// The name of a season, under both names of the field.
struct Names(Option<String>, Option<String>);

impl Names {
    /// The edit with the one name that counts; `stored` is the name that the season has.
    fn add_to(&self, edit: &SeasonEdit, stored: Option<&str>) -> SeasonEdit {
        let mut edit = edit.clone();
        let sent = |name: &Option<String>| name.as_deref().map(|name| text::edited(name, stored));
        let (first, second) = (sent(&self.0), sent(&self.1));
        match one_of(first, second, stored.map(str::to_owned).as_ref()) {
            Ok(name) => edit.name = name,
            Err(Differ) => {
                edit.name.clone_from(&self.0);
                let text = field::two_names_differ();
                edit.problems.push(Problem::new("season_name", text));
            }
        }
        edit
    }
}

/// All seasons, newest first.
#[utoipa::path(get, operation_id = "list_seasons", path = "/admin/api/seasons/", tag = "admin: season", params(PageParams),
    responses((status = 200, body = SeasonPage)), security(("bearer" = [])))]
pub(crate) async fn list(
    params: Params<PageParams>,
    desk: Data<SeasonPass>,
) -> ApiResult<Json<SeasonPage>> {
    let (page, size) = (params.0.page(), params.0.size());
    let (seasons, total) = desk.list(params.0.offset(), size).await?;
    Ok(Json(SeasonPage {
        items: seasons.into_iter().map(Into::into).collect(),
        total,
        page,
        size,
    }))
}

/// Saves a new season. Without `levels` it has no ladder yet, and cannot run today.
#[utoipa::path(post, operation_id = "create_season", path = "/admin/api/seasons/", tag = "admin: season", params(Reason),
    request_body = SeasonRequest, responses((status = 201, body = SeasonAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn post(
    admin: Admin,
    body: Body<SeasonRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<SeasonPass>,
) -> ApiResult<HttpResponse> {
    let Body(mut body) = body;
    body.echoes().expect_none()?;
    let (edit, names) = body.edit(&request)?;
    let edit = names.add_to(&edit, None);
    let saved = desk.create(&admin.actor, &edit, now.0).await?;
    Ok(HttpResponse::Created().json(SeasonAnswer::from(saved)))
}

/// One season.
#[utoipa::path(get, operation_id = "get_season", path = "/admin/api/seasons/{id}", tag = "admin: season",
    params(("id" = i64, Path)), responses((status = 200, body = SeasonAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn get(
    part: PathPart<String>,
    desk: Data<SeasonPass>,
) -> ApiResult<Json<SeasonAnswer>> {
    Ok(Json(desk.find(id(&part)?).await?.into()))
}

/// Changes a season. Active seasons never share a day; what players have reached is never taken back.
/// One that ends later warns of a settlement that is now due before its end, and moves it if asked to.
#[utoipa::path(put, operation_id = "update_season", path = "/admin/api/seasons/{id}", tag = "admin: season",
    params(("id" = i64, Path), Reason, IfMatch), request_body = SeasonRequest,
    responses((status = 200, body = EditedSeasonAnswer)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    part: PathPart<String>,
    body: Body<SeasonRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<SeasonPass>,
) -> ApiResult<Json<EditedSeasonAnswer>> {
    let id = id(&part)?;
    let Body(mut body) = body;
    let stored = async || Ok(SeasonAnswer::from(desk.find(id).await?));
    body.echoes().compare(stored).await?;
    let (edit, names) = body.edit(&request)?;
    let edit = |stored: &NewSeason| names.add_to(&edit, Some(&stored.name));
    let edited = desk.update(&admin.actor, id, &edit, now.0).await?;
    Ok(Json(edited.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_come_under_either_name_but_not_as_two() {
        let edit = |name: Option<&str>, season_name: Option<&str>, stored: Option<&str>| {
            let own = |name: Option<&str>| name.map(str::to_owned);
            let names = Names(own(name), own(season_name));
            let edit = names.add_to(&SeasonEdit::default(), stored);
            (edit.name, edit.problems.len())
        };
        // A client that sends back all that it has loaded changes one of the two.
        for (name, season_name, after) in [
            (Some("S"), Some("S"), "S"),
            (Some("T"), None, "T"),
            (None, Some("T"), "T"),
            (Some("T"), Some("S"), "T"),
            (Some("S"), Some("T"), "T"),
            (Some("T"), Some("T"), "T"),
        ] {
            let after = (Some(after.to_owned()), 0);
            assert_eq!(edit(name, season_name, Some("S")), after);
        }
        let refused = (Some("T".to_owned()), 1);
        assert_eq!(edit(Some("T"), Some("U"), Some("S")), refused);
        assert_eq!(edit(Some("T"), Some("U"), None), refused);
        assert_eq!(edit(None, Some("T"), None), (Some("T".to_owned()), 0));
        assert_eq!(edit(None, None, Some("S")), (None, 0));
    }
}
