//! `POST /admin/api/event/plan` and `POST /admin/api/event/apply`.

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_admin_common::params::Reason;
use xmas_event_file::{
    Announced, Change, ChangeKind, EventDesk, NewlyReached, OddsEffect, PlacedProblem, Plan,
};
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Now, PreferredLanguage},
};
use xmas_kernel::version::Seen;
use xmas_texts::{Language, event_file as texts};
use xmas_time::Kst;

use super::checked;

/// A file to be looked at.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"file": "[features.ranking]\ntitle = \"랭킹\"\npage_path = \"/ranking\"\n"}))]
pub(crate) struct PlanRequest {
    /// TOML (docs/event-file.md), of at most 256 KiB.
    #[validate(length(min = 1, max = 262_144))]
    #[schema(min_length = 1, max_length = 262_144)]
    file: String,
}

/// A file to be applied.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"file": "[features.ranking]\ntitle = \"랭킹\"\npage_path = \"/ranking\"\n",
    "version": "0c1d2e3f4a5b6c7d", "change_running": true}))]
pub(crate) struct ApplyRequest {
    /// TOML (docs/event-file.md), of at most 256 KiB.
    #[validate(length(min = 1, max = 262_144))]
    #[schema(min_length = 1, max_length = 262_144)]
    file: String,
    /// That of the plan: nothing is changed if the event has changed since, or what is announced of it.
    #[validate(length(max = 100))]
    version: String,
    /// Whether an event that runs may change: it must be said then.
    #[serde(default)]
    change_running: bool,
}

/// What a file would make of the event, or has made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "file_sha256": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70", "version": "0c1d2e3f4a5b6c7d",
    "is_running": true,
    "changes": [{"kind": "CHANGED", "path": "lottery.prizes[배민 2만].weight", "before": "20", "after": "30",
        "is_promise": true}],
    "unchanged": ["season", "bridge", "roulette", "dice"], "not_in_file": ["texts"],
    "odds": [{"game": "lottery", "entries": [{"label": "배민 2만", "before": "2%", "after": "2.9703%"}],
        "payout": [{"reward_type": "COUPON", "before": 0.02, "after": 0.0297}]}],
    "levels": [{"level": 2, "players": 12}], "announced": [], "refused": []
}))]
pub(crate) struct PlanAnswer {
    file_sha256: String,
    /// Of everything that the file says something about, as it was before.
    version: String,
    /// Whether an event runs: a season until the end of its grace days, or a bridge until it is closed. Whatever changes, changes under
    /// players.
    is_running: bool,
    /// In the order of the file.
    changes: Vec<ChangeAnswer>,
    /// The sections of the file that are in the database as they are.
    unchanged: Vec<&'static str>,
    /// The sections that the file does not have: they stay as they are.
    not_in_file: Vec<&'static str>,
    /// Of the games whose odds or payout change.
    odds: Vec<OddsChangeEffect>,
    /// Players who reach a level at once, since they have the XP already.
    levels: Vec<NewlyReachedAnswer>,
    /// What is announced of the games, and takes over whatever the file says.
    announced: Vec<AnnouncedAnswer>,
    /// Why the file cannot be applied: empty if it can.
    refused: Vec<RefusedAnswer>,
}

/// One difference.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"kind": "CHANGED", "path": "lottery.prizes[배민 2만].weight", "before": "20", "after": "30",
    "is_promise": true}))]
pub(crate) struct ChangeAnswer {
    /// `ADDED`, `CHANGED` or `REMOVED`.
    kind: &'static str,
    /// Where it is: a section of the file, the item of a list by its name or number, and a field.
    path: String,
    /// As a file has it; null if it was not there.
    before: Option<String>,
    /// As a file has it; null if it is gone.
    after: Option<String>,
    /// Whether players were promised something else.
    is_promise: bool,
}

/// What becomes of the odds of a game, while everything is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"game": "lottery", "entries": [{"label": "배민 2만", "before": "2%", "after": "2.9703%"}],
    "payout": [{"reward_type": "COUPON", "before": 0.02, "after": 0.0297}]}))]
pub(crate) struct OddsChangeEffect {
    game: &'static str,
    entries: Vec<EntryEffectAnswer>,
    /// What a play brings on the average: bundles by what is in them.
    payout: Vec<PayoutEffectAnswer>,
}

/// What becomes of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"label": "배민 2만", "before": "2%", "after": "2.9703%"}))]
pub(crate) struct EntryEffectAnswer {
    label: String,
    /// Null if it was not there.
    before: Option<String>,
    /// Null if it is gone.
    after: Option<String>,
}

/// What a play brings of one thing on the average.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"reward_type": "COUPON", "before": 0.02, "after": 0.0297}))]
pub(crate) struct PayoutEffectAnswer {
    reward_type: &'static str,
    before: f64,
    after: f64,
}

/// Players who reach a level at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"level": 2, "players": 12}))]
pub(crate) struct NewlyReachedAnswer {
    level: i64,
    players: u64,
}

/// A table that is announced.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"game": "LOTTERY", "plan_id": 3, "effective_from": "2025-12-28T00:00:00.000000+09:00"}))]
pub(crate) struct AnnouncedAnswer {
    game: &'static str,
    plan_id: i64,
    #[schema(value_type = String, format = DateTime)]
    effective_from: Kst,
}

/// Why a file cannot be applied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"line": 32, "column": 2, "field": "bridge",
    "message": "bridge must wait until the bridge of the season before is settled and closed."}))]
pub(crate) struct RefusedAnswer {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    field: String,
    message: String,
}

impl PlanAnswer {
    fn of(plan: Plan, language: Language) -> Self {
        let refused = |it: PlacedProblem| RefusedAnswer {
            line: it.line,
            column: it.column,
            message: it.problem.sentence(language),
            field: it.problem.field,
        };
        let reached = |it: NewlyReached| NewlyReachedAnswer {
            level: it.level,
            players: it.players,
        };
        let announced = |it: Announced| AnnouncedAnswer {
            game: it.game.as_str(),
            plan_id: it.plan.0,
            effective_from: Kst(it.effective_from),
        };
        Self {
            version: plan.version.as_str().to_owned(),
            file_sha256: plan.file_sha256,
            is_running: plan.is_running,
            changes: plan.changes.into_iter().map(Into::into).collect(),
            unchanged: plan.unchanged,
            not_in_file: plan.left,
            odds: plan.odds.into_iter().map(Into::into).collect(),
            levels: plan.levels.into_iter().map(reached).collect(),
            announced: plan.announced.into_iter().map(announced).collect(),
            refused: plan.refused.into_iter().map(refused).collect(),
        }
    }
}

impl From<Change> for ChangeAnswer {
    fn from(change: Change) -> Self {
        Self {
            kind: match change.kind {
                ChangeKind::Added => "ADDED",
                ChangeKind::Changed => "CHANGED",
                ChangeKind::Removed => "REMOVED",
            },
            path: change.path,
            before: change.before,
            after: change.after,
            is_promise: change.is_promise,
        }
    }
}

impl From<OddsEffect> for OddsChangeEffect {
    fn from(effect: OddsEffect) -> Self {
        let entries = effect.entries.into_iter().map(|it| EntryEffectAnswer {
            label: it.label,
            before: it.before,
            after: it.after,
        });
        let payout = effect.payout.into_iter().map(|it| PayoutEffectAnswer {
            reward_type: it.reward_type,
            before: it.before,
            after: it.after,
        });
        Self {
            game: effect.game,
            entries: entries.collect(),
            payout: payout.collect(),
        }
    }
}

/// What a file would make of the event, and what that means. Nothing is changed.
#[utoipa::path(post, path = "/admin/api/event/plan", tag = "admin: configuration",
    request_body = PlanRequest, responses((status = 200, body = PlanAnswer)), security(("bearer" = [])))]
pub(crate) async fn plan(
    Body(body): Body<PlanRequest>,
    now: Now,
    PreferredLanguage(language): PreferredLanguage,
    event: Data<EventDesk>,
) -> ApiResult<Json<PlanAnswer>> {
    let file = checked(&body.file, now)?;
    let plan = event.plan(&file, now.0).await?;
    Ok(Json(PlanAnswer::of(plan, language)))
}

/// Makes the event what a file says: all of it, or nothing. What is there already is left alone, so that the same file may
/// be sent again.
#[utoipa::path(post, path = "/admin/api/event/apply", tag = "admin: configuration", params(Reason),
    request_body = ApplyRequest, responses((status = 200, body = PlanAnswer)), security(("bearer" = [])))]
pub(crate) async fn apply(
    admin: Admin,
    Body(body): Body<ApplyRequest>,
    now: Now,
    PreferredLanguage(language): PreferredLanguage,
    event: Data<EventDesk>,
) -> ApiResult<Json<PlanAnswer>> {
    let file = checked(&body.file, now)?;
    if !body.change_running {
        let plan = event.plan(&file, now.0).await?;
        if plan.is_running && !plan.changes.is_empty() {
            return Err(ApiError::field("change_running", texts::change_running()));
        }
    }
    let seen = Seen::one(body.version);
    let applied = event.apply(Some(&admin.actor), &file, Some(&seen), now.0);
    Ok(Json(PlanAnswer::of(applied.await?, language)))
}
