//! `/admin/api/…-config/{id}/plans`: configurations of a game that are announced, each of which takes over at its instant.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the names of its traits in full"
)]

use actix_web::{
    HttpRequest,
    http::StatusCode,
    web::{self, Data, Json},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    __dev::ComposeSchema,
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Ref, Required,
        path::{HttpMethod, ParameterIn},
    },
};
use validator::Validate;
use xmas_games::{
    ConfigError, Engine,
    config::{
        Config, ConfigEdit, Saved, SavedBy,
        plan::{NewPlan, Plan, PlanSource},
    },
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Now, Params, PathPart, PathParts, seen_version},
    openapi::by_hand::{Schemas, json, operation},
};
use xmas_kernel::{ErrorCode, PlanId, paging::Page};
use xmas_texts::plan as texts;
use xmas_time::Kst;

use crate::config::{GameConfig, Words, headers, holding, id, named_body, of, part};
use xmas_admin_common::{
    paging::CursorParams,
    params::{IfMatch, Reason},
};

/// The paths of what is planned in a game.
pub fn operations<G: GameConfig>() -> Vec<Operation> {
    let Words { name, noun, .. } = G::WORDS;
    let one = |rest: &str| format!("/admin/api/{name}-config/{{id}}{rest}");
    let document = |verb: &str, what: &str, summary: &str| {
        operation("admin: games", &format!("{verb}_{name}_{what}"), summary)
    };
    let missing = &[G::CONFIG_NOT_FOUND];
    let plans = Operation::new(
        one("/plans"),
        HttpMethod::Get,
        || web::to(plans::<G>),
        document("list", "config_plans", &format!(
                "What was ever announced of a {noun}, newest first: what takes over when, and what became of it."
            ))
            .parameter(part("id").schema(Some(i64::schema())))
            .parameters(Some(CursorParams::into_params(|| Some(ParameterIn::Query))))
            .response("200", json(Ref::from_schema_name(of::<G>("PlanPage"))))
            .build(),
        [
            holding::<G, PlanPage<G::Answer>>("PlanPage"),
            holding::<G, PlanAnswer<G::Answer>>("PlanAnswer"),
        ]
        .concat(),
    );
    let plan = Operation::new(
        one("/plans"),
        HttpMethod::Post,
        || web::to(plan::<G>),
        document("plan", "config", &format!(
                "Announces a {noun} that takes over at an instant, on every replica at once. It is checked now and \
                 then, is\nseen by players at once, and becomes the one that is played."
            ))
            .parameter(part("id").schema(Some(i64::schema())))
            .parameters(Some(headers::<Reason>()))
            .parameters(Some(headers::<IfMatch>()))
            .request_body(Some(named_body(&asking::<G>(), Required::True)))
            .response("201", json(Ref::from_schema_name(of::<G>("PlanAnswer"))))
            .build(),
        [
            holding::<G, PlanAnswer<G::Answer>>("PlanAnswer"),
            plan_request::<G>(),
        ]
        .concat(),
    );
    let withdraw = Operation::new(
        one("/plans/{plan}/withdraw"),
        HttpMethod::Post,
        || web::to(withdraw::<G>),
        document("withdraw", "config_plan", &format!(
                "Takes the announcement of a {noun} back, until its instant. That it was announced, and withdrawn, \
                 stays in\nthe history that players see."
            ))
            .parameter(part("id").schema(Some(i64::schema())))
            .parameter(
                part("plan")
                    .description(Some("its `id` in the list of plans"))
                    .schema(Some(i64::schema())),
            )
            .parameters(Some(headers::<Reason>()))
            .response("200", json(Ref::from_schema_name(of::<G>("PlanAnswer"))))
            .build(),
        holding::<G, PlanAnswer<G::Answer>>("PlanAnswer"),
    );
    vec![
        plans.fails::<ConfigError>(missing),
        plan.fails::<ConfigError>(missing)
            .fails::<ConfigError>(G::CHECK_CODES)
            .fails::<ConfigError>(&[ErrorCode::VersionConflict, ErrorCode::ConfigVersionNotFound]),
        withdraw
            .fails::<ConfigError>(missing)
            .fails::<ConfigError>(&[ErrorCode::PlanNotFound, ErrorCode::PlanEnded]),
    ]
}

/// The name of what asks for a plan of a game's configuration.
fn asking<G: GameConfig>() -> String {
    format!("PlanRequest_{}", G::Request::name())
}

fn plan_request<G: GameConfig>() -> Schemas {
    let schema = PlanRequest::<G::Request>::compose(vec![G::Request::schema()]);
    let mut schemas = vec![(asking::<G>(), schema)];
    PlanRequest::<G::Request>::schemas(&mut schemas);
    schemas
}

async fn plans<G: GameConfig>(
    part: PathPart<String>,
    params: Params<CursorParams>,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<PlanPage<G::Answer>>> {
    let (limit, before) = params.0.place()?;
    let page = engine.plans(id::<G>(&part.0)?, limit, before).await?;
    Ok(Json(PlanPage::of(page)))
}

async fn plan<G: GameConfig>(
    admin: Admin,
    part: PathPart<String>,
    body: Body<PlanRequest<G::Request>>,
    now: Now,
    request: HttpRequest,
    engine: Data<Engine<G>>,
) -> ApiResult<(Json<PlanAnswer<G::Answer>>, StatusCode)> {
    let id = id::<G>(&part.0)?;
    let Body(PlanRequest {
        effective_from,
        mut config,
        from_version,
    }) = body;
    if config.is_some() && from_version.is_some() {
        return Err(ApiError::field("config", texts::either()));
    }
    let mut version = None;
    if let Some(sent) = &mut config {
        let stored = async || Ok(G::Answer::from(engine.config(id).await?));
        G::echoes(sent).compare(stored).await?;
        version = G::version(sent);
    }
    let edit = |stored: &Config<G::Body>| match &config {
        Some(sent) => G::edit(sent, Some(stored)),
        None => ConfigEdit::default(),
    };
    let new = NewPlan {
        effective_from: effective_from.0,
        source: match from_version {
            Some(version) => PlanSource::Version(version),
            None => PlanSource::Edit(&edit),
        },
        seen: seen_version(&request, version)?,
    };
    let plan = engine.plan(&admin.actor, id, &new, now.0).await?;
    Ok((Json(PlanAnswer::of(plan)), StatusCode::CREATED))
}

async fn withdraw<G: GameConfig>(
    admin: Admin,
    path: PathParts,
    now: Now,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<PlanAnswer<G::Answer>>> {
    let PathParts(id, plan) = path;
    let plan = plan.parse().map(PlanId);
    let plan = plan.map_err(|_| ApiError::new(ErrorCode::PlanNotFound))?;
    let withdrawn = engine.withdraw(&admin.actor, self::id::<G>(&id)?, plan, now.0);
    Ok(Json(PlanAnswer::of(withdrawn.await?)))
}

/// A page of plans, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": 7, "config_id": 1, "state": "PLANNED",
    "effective_from": "2025-12-28T00:00:00.000000+09:00", "announced_at": "2025-12-26T09:00:00.000000+09:00",
    "ended_at": null, "odds_id": 4,
    "content_hash": "4c2f0d2be2b9c3aa19f0a8f0b1d25a0b6b0df3ed6df6b41f2e4b3a1d0c9e8f70", "config": null,
    "planned": {"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}, "withdrawn": null, "refused_for": []}],
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
    "planned": {"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}, "withdrawn": null, "refused_for": []}))]
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
    planned: Option<DoneBy>,
    withdrawn: Option<DoneBy>,
    /// The fields for which it was refused; empty of any other. The log and the audit log have more.
    refused_for: Vec<String>,
}

/// Who did it, and why, as the audit log has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"by": "operator", "reason": "주말 확률", "request_id": "3f0a4c1e"}))]
pub(crate) struct DoneBy {
    by: String,
    reason: Option<String>,
    request_id: String,
}

impl From<SavedBy> for DoneBy {
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
            withdrawn: plan.withdrawn.map(Into::into),
            refused_for: plan.refused_for,
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
