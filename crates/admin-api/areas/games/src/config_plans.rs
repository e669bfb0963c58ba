//! `/admin/api/…-config/{id}/plans`: configurations of a game that are announced, each of which takes over at its instant.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::config::{
    Saved, SavedBy,
    plan::{Plan, PlanState},
};
use xmas_kernel::paging::Page;
use xmas_time::Kst;

/// A page of plans, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 7, "config_id": 1, "state": "PLANNED",
    "effective_from": "2025-12-28T00:00:00.000000+09:00", "announced_at": "2025-12-26T09:00:00.000000+09:00",
    "ended_at": null, "odds_id": 4,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70", "config": null,
    "planned": {"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}, "ended": null}],
    "next_cursor": null}))]
pub(crate) struct PlanPage<A: ToSchema> {
    items: Vec<PlanAnswer<A>>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// A configuration that is announced, or was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 7, "config_id": 1, "state": "PLANNED",
    "effective_from": "2025-12-28T00:00:00.000000+09:00", "announced_at": "2025-12-26T09:00:00.000000+09:00",
    "ended_at": null, "odds_id": 4,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70", "config": null,
    "planned": {"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}, "ended": null}))]
pub(crate) struct PlanAnswer<A: ToSchema> {
    id: i64,
    config_id: i64,
    /// `PLANNED`, `TAKEN_OVER`, `WITHDRAWN`, or `REFUSED`: it could not be saved when its instant came, and what was in
    /// force stayed so.
    #[schema(value_type = String)]
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    effective_from: Kst,
    #[schema(value_type = String, format = DateTime)]
    announced_at: Kst,
    /// When it took over, was withdrawn or was refused.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Kst>,
    /// Under which players see its odds, as they are while everything is there.
    odds_id: i64,
    content_hash: String,
    /// All of it, with what was left of limited prizes when it was announced; null if this release cannot read it.
    config: Option<A>,
    planned: Option<PlannedBy>,
    /// Who withdrew it; null of one that took over, which is a version of the configuration.
    ended: Option<PlannedBy>,
}

/// Who did it, and why, as the audit log has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}))]
pub(crate) struct PlannedBy {
    by: String,
    reason: Option<String>,
    request_id: String,
}

impl From<SavedBy> for PlannedBy {
    fn from(saved: SavedBy) -> Self {
        Self {
            by: saved.actor,
            reason: saved.reason,
            request_id: saved.request_id,
        }
    }
}

impl<A: ToSchema> PlanPage<A> {
    pub(super) fn of<B>(page: Page<Plan<B>>) -> Self
    where
        A: From<Saved<B>>,
    {
        Self {
            items: page.items.into_iter().map(PlanAnswer::of).collect(),
            next_cursor: page.next.map(|cursor| cursor.0.to_string()),
        }
    }
}

impl<A: ToSchema> PlanAnswer<A> {
    pub(super) fn of<B>(plan: Plan<B>) -> Self
    where
        A: From<Saved<B>>,
    {
        let (id, announced_at) = (plan.config_id, plan.announced_at);
        let saved = |config| Saved {
            id,
            config,
            created_at: announced_at,
            updated_at: announced_at,
        };
        // One that was refused was ended by nobody.
        let ended = plan.ended.filter(|_| plan.state == PlanState::Withdrawn);
        Self {
            id: plan.id.0,
            config_id: id.0,
            state: plan.state.as_str(),
            effective_from: Kst(plan.effective_from),
            announced_at: Kst(announced_at),
            ended_at: plan.ended_at.map(Kst),
            odds_id: plan.odds_id.0,
            content_hash: plan.content_hash,
            config: plan.config.map(|config| A::from(saved(config))),
            planned: plan.planned.map(Into::into),
            ended: ended.map(Into::into),
        }
    }
}

/// What is to take over, and when. Without `config` and `from_version` it is the configuration as it is.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"effective_from": "2025-12-28T00:00:00+09:00", "config": {"name": "주말"}}))]
pub(crate) struct PlanRequest<R: ToSchema + Validate> {
    /// At least a minute ahead and a minute away from every other plan of the game, and at most 366 days ahead.
    #[schema(value_type = String, format = DateTime)]
    pub(super) effective_from: Kst,
    /// What changes, as an edit says it; limited prizes that stay keep their stock. What an earlier plan of the same
    /// configuration changes is changed already.
    #[validate(nested)]
    pub(super) config: Option<R>,
    /// Instead of `config`: the version that is to be put back, by its `id` in the list of versions.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64)]
    pub(super) from_version: Option<i64>,
}

/// The configuration and the plan that a path names.
pub(crate) struct PlanPath {
    pub(super) id: String,
    pub(super) plan: String,
}

impl FromRequest for PlanPath {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let part = |name: &str| request.match_info().query(name).to_owned();
        ready(Ok(Self {
            id: part("id"),
            plan: part("plan"),
        }))
    }
}
