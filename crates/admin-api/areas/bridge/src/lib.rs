//! `/admin/api/event-bridge/`: the seven keys and their settlement.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

mod keys;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{
    HttpRequest,
    web::{Data, Json, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_event_bridge::{
    BridgeEdit, BridgeError, BridgeView, Certificate, DayEdit, KeyCount, Settlement, USUAL_CHUNK,
};
use xmas_http::{
    answer::Answer,
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{
        Admin, Body, Command, Echo, Echoes, IdempotencyKey, Now, OptionalBody, Params, Volatile,
        is_id, said, seen_version,
    },
    operation,
};
use xmas_kernel::{BridgeId, ErrorCode, SeasonId, UnknownName, idempotency::Replayable};
use xmas_players::Status;
use xmas_texts::field;
use xmas_time::{EventDay, Kst};

use xmas_admin_common::params::{IfMatch, Reason};

/// What the paths of the bridge work with.
#[derive(Clone)]
pub struct Services {
    pub settlement: Arc<Settlement>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { settlement } = self;
        cfg.app_data(Data::from(settlement.clone()));
    }
}

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(get).fails::<BridgeError>(&[ErrorCode::BridgeNotFound]),
        operation!(put)
            .fails::<BridgeError>(&[
                ErrorCode::BridgeNotFound,
                ErrorCode::SeasonNotFound,
                ErrorCode::BridgeConflict,
                ErrorCode::VersionConflict,
            ])
            .bulk(),
        operation!(settle)
            .fails::<BridgeError>(&[ErrorCode::BridgeNotFound, ErrorCode::BridgeNotDue])
            .bulk(),
        operation!(close)
            .fails::<BridgeError>(&[ErrorCode::BridgeNotFound, ErrorCode::BridgeNotDue])
            .bulk(),
        operation!(keys::list),
        operation!(keys::give)
            .fails::<BridgeError>(&[
                ErrorCode::BridgeNotFound,
                ErrorCode::BridgeConflict,
                ErrorCode::UserNotFound,
                ErrorCode::UserRequired,
                ErrorCode::UserInactive,
                ErrorCode::UserAnonymised,
                ErrorCode::GiftReverted,
            ])
            .bulk(),
        operation!(keys::revert)
            .fails::<BridgeError>(&[ErrorCode::GiftNotFound])
            .refuses(&[ErrorCode::NotFound])
            .bulk(),
    ]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct BridgeParams {
    /// The bridge that is not closed, or else the last one, if it is left out.
    #[validate(custom(function = is_id))]
    bridge_id: Option<i64>,
}

/// A bridge, how far players are, and what its settlement has paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminBridgeAnswer, example = json!({"id": 1, "season_id": 1, "state": "OPEN",
    "keys_required": 7, "settle_on": "2026-01-01", "auto_settle": true, "prechecked_at": null,
    "settled_at": null, "closed_at": null, "days": [{"day": 1, "date": "2025-12-25",
        "event_type": "KEY_DAY_1_ROULETTE", "mission": "PLAY_ROULETTE", "points": 5_000}],
    "histogram": [{"keys": 2, "active": 310, "blocked": 1, "inactive": 0, "pending_points": 3_110_000}],
    "certificate": {"eligible": 0, "paid": 0, "points": 0, "unpaid": {}, "unpaid_points": 0,
        "too_few_keys": 311,
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct BridgeAnswer {
    id: i64,
    season_id: i64,
    /// `OPEN`, `SETTLING` or `CLOSED`.
    state: &'static str,
    keys_required: i64,
    #[schema(value_type = String, format = Date)]
    settle_on: EventDay,
    /// Whether it is settled and closed by itself. False holds it.
    auto_settle: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    prechecked_at: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Kst>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Kst>,
    days: Vec<BridgeDayAnswer>,
    /// How many players hold how many keys.
    histogram: Vec<KeyCountAnswer>,
    certificate: CertificateAnswer,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"day": 1, "date": "2025-12-25", "event_type": "KEY_DAY_1_ROULETTE",
    "mission": "PLAY_ROULETTE", "points": 5_000}))]
pub(crate) struct BridgeDayAnswer {
    day: i64,
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    event_type: String,
    mission: &'static str,
    points: i64,
}

#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"keys": 2, "active": 310, "blocked": 1, "inactive": 0,
    "pending_points": 3_110_000}))]
pub(crate) struct KeyCountAnswer {
    keys: i64,
    active: u64,
    blocked: u64,
    inactive: u64,
    /// What all of them wait for.
    pending_points: i64,
}

/// What the database says about the settlement; every run that has nothing left to do ends with the
/// same one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"eligible": 1_200, "paid": 1_198, "points": 41_930_000,
    "unpaid": {"BLOCKED": 2}, "unpaid_points": 70_000, "too_few_keys": 5_310,
    "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}))]
pub(crate) struct CertificateAnswer {
    /// Players with keys enough, paid or not.
    eligible: u64,
    paid: u64,
    points: i64,
    /// `NOT_YET`, `BLOCKED` and `INACTIVE`, as far as there are any.
    #[schema(value_type = Object)]
    unpaid: BTreeMap<String, u64>,
    unpaid_points: i64,
    too_few_keys: u64,
    /// SHA-256 over the lines `user points` of all who were paid, in ascending id.
    digest: String,
}

impl From<Certificate> for CertificateAnswer {
    fn from(certificate: Certificate) -> Self {
        let name = |(reason, players)| {
            let name = serde_json::to_value(reason).unwrap_or_default();
            (name.as_str().unwrap_or_default().to_owned(), players)
        };
        Self {
            eligible: certificate.eligible,
            paid: certificate.paid,
            points: certificate.points,
            unpaid: certificate.unpaid.into_iter().map(name).collect(),
            unpaid_points: certificate.unpaid_points,
            too_few_keys: certificate.too_few_keys,
            digest: certificate.digest,
        }
    }
}

fn histogram(counts: &[KeyCount]) -> Vec<KeyCountAnswer> {
    let mut by_keys: BTreeMap<i64, KeyCountAnswer> = BTreeMap::new();
    for count in counts {
        let row = by_keys.entry(count.keys).or_default();
        row.keys = count.keys;
        row.pending_points += count.pending_points;
        *match count.status {
            Status::Active => &mut row.active,
            Status::Blocked => &mut row.blocked,
            Status::Inactive => &mut row.inactive,
        } += count.players;
    }
    by_keys.into_values().collect()
}

impl From<BridgeView> for BridgeAnswer {
    fn from(view: BridgeView) -> Self {
        let bridge = view.bridge;
        let version = bridge.version().as_str().to_owned();
        let days = bridge.rules.days.into_iter().map(|day| BridgeDayAnswer {
            day: day.number,
            date: day.day,
            event_type: day.event_type,
            mission: day.mission.as_str(),
            points: day.points,
        });
        Self {
            id: bridge.id.0,
            season_id: bridge.rules.season_id.0,
            state: bridge.state.as_str(),
            keys_required: bridge.rules.keys_required,
            settle_on: bridge.rules.settle_on,
            auto_settle: bridge.rules.auto_settle,
            prechecked_at: bridge.prechecked_at.map(Kst),
            settled_at: bridge.settled_at.map(Kst),
            closed_at: bridge.closed_at.map(Kst),
            days: days.collect(),
            histogram: histogram(&view.holders),
            certificate: view.certificate.into(),
            version,
        }
    }
}

/// What is left out stays. Without a bridge that is not closed, `season_id` and `days` open one.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = AdminBridgeRequest, example = json!({"auto_settle": false}))]
pub(crate) struct BridgeRequest {
    season_id: Option<i64>,
    keys_required: Option<i64>,
    #[schema(value_type = Option<String>, format = Date)]
    settle_on: Option<EventDay>,
    auto_settle: Option<bool>,
    /// All days, 1 to 7 of them, in their order.
    days: Option<Vec<BridgeDayRequest>>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    state: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    prechecked_at: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    settled_at: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    closed_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "histogram")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _histogram: Option<Volatile>,
    /// Read-only, and not looked at.
    #[serde(rename = "certificate")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _certificate: Option<Volatile>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"day": 1, "date": "2026-12-25", "event_type": "KEY_DAY_1_ROULETTE",
    "mission": "PLAY_ROULETTE", "points": 5_000}))]
pub(crate) struct BridgeDayRequest {
    day: i64,
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<EventDay>,
    event_type: Option<String>,
    /// `PLAY_ROULETTE`, `PLAY_DICE`, `PLAY_LOTTERY`, `VIEW_RANKING`, `STAMP`, `PLAY_ALL_GAMES` or
    /// `LOGIN`.
    mission: Option<String>,
    points: Option<i64>,
}

impl BridgeRequest {
    fn echoes(&mut self) -> Echoes {
        Echoes::default()
            .and("id", self.id.take(), field::never_changes())
            .and("state", self.state.take(), field::settle_or_close_instead())
            .and(
                "prechecked_at",
                self.prechecked_at.take(),
                field::written_by_precheck(),
            )
            .and(
                "settled_at",
                self.settled_at.take(),
                field::settle_instead(),
            )
            .and("closed_at", self.closed_at.take(), field::close_instead())
    }

    fn edit(self, request: &HttpRequest) -> ApiResult<BridgeEdit> {
        let day = |(index, day): (usize, BridgeDayRequest)| -> ApiResult<DayEdit> {
            let mission = day.mission.map(|name| name.parse()).transpose();
            let mission = mission.map_err(|error: UnknownName| {
                ApiError::field(format!("days.{index}.mission"), error)
            })?;
            Ok(DayEdit {
                number: day.day,
                day: day.date,
                event_type: day.event_type,
                mission,
                points: day.points,
            })
        };
        let days = self
            .days
            .map(|days| days.into_iter().enumerate().map(day).collect());
        Ok(BridgeEdit {
            season_id: self.season_id.map(SeasonId),
            days: days.transpose()?,
            keys_required: self.keys_required,
            settle_on: self.settle_on,
            auto_settle: self.auto_settle,
            seen: seen_version(request, self.version)?,
        })
    }
}

/// The bridge: its days and terms, who holds how many keys, and the certificate of its settlement.
#[utoipa::path(get, operation_id = "get_event_bridge", path = "/admin/api/event-bridge/",
    tag = "admin: bridge", params(BridgeParams), responses((status = 200, body = BridgeAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn get(
    params: Params<BridgeParams>,
    desk: Data<Settlement>,
) -> ApiResult<Json<BridgeAnswer>> {
    let view = desk.view(params.0.bridge_id.map(BridgeId)).await?;
    Ok(Json(view.into()))
}

/// Changes the bridge that is not closed, or opens one. A day that has begun, or whose key somebody
/// has, stays as it is.
#[utoipa::path(put, operation_id = "update_event_bridge", path = "/admin/api/event-bridge/",
    tag = "admin: bridge", params(Reason, IfMatch), request_body = BridgeRequest,
    responses((status = 200, body = BridgeAnswer)), security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    body: Body<BridgeRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Settlement>,
) -> ApiResult<Json<BridgeAnswer>> {
    let Body(mut body) = body;
    let stored = async || {
        let shown = BridgeAnswer::from(desk.view(None).await?);
        // One that is closed is not edited, so that what was loaded of it fits no bridge any more.
        Ok(Some(shown).filter(|shown| shown.closed_at.is_none()))
    };
    body.echoes().compare(stored).await?;
    let edit = body.edit(&request)?;
    Ok(Json(desk.save(&admin.actor, &edit, now.0).await?.into()))
}

/// Which bridge, and whether to do it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"dry_run": false}))]
pub(crate) struct SettleRequest {
    bridge_id: Option<i64>,
    /// True to look, false to do it: it must be said.
    #[schema(required = true, value_type = bool)]
    dry_run: Option<bool>,
}

/// What a settlement has done, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"dry_run": true, "run": null, "certificate": {"eligible": 1_200,
    "paid": 0, "points": 0, "unpaid": {"NOT_YET": 1_198, "BLOCKED": 2}, "unpaid_points": 42_000_000,
    "too_few_keys": 5_310, "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}))]
pub(crate) struct SettleAnswer {
    dry_run: bool,
    /// What this run did; null for a dry run.
    run: Option<RunAnswer>,
    certificate: CertificateAnswer,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"paid": 1_198, "points": 41_930_000, "chunks": 2}))]
pub(crate) struct RunAnswer {
    paid: u64,
    points: i64,
    chunks: u64,
}

/// Pays for the keys: with `dry_run: false`, and from the day of the settlement on. Sent again it goes
/// on where it stopped, and pays nobody twice.
#[utoipa::path(post, operation_id = "settle_event_bridge", path = "/admin/api/event-bridge/settle",
    tag = "admin: bridge", params(IdempotencyKey, Reason), request_body = SettleRequest,
    responses((status = 200, body = SettleAnswer)), security(("bearer" = [])))]
pub(crate) async fn settle(
    admin: Admin,
    command: Command<SettleRequest>,
    now: Now,
    desk: Data<Settlement>,
) -> ApiResult<Answer<SettleAnswer>> {
    let Command { body, request } = command;
    let bridge = body.bridge_id.map(BridgeId);
    if said(body.dry_run)? {
        let view = desk.view(bridge).await?;
        return Ok(Answer::of(Replayable::fresh(SettleAnswer {
            dry_run: true,
            run: None,
            certificate: view.certificate.into(),
        })));
    }
    let settled = desk
        .settle_now(&admin.actor, bridge, USUAL_CHUNK, request.as_ref(), now.0)
        .await?;
    Ok(Answer::of(settled.map(|(run, certificate)| SettleAnswer {
        dry_run: false,
        run: Some(RunAnswer {
            paid: run.paid,
            points: run.points,
            chunks: run.chunks,
        }),
        certificate: certificate.into(),
    })))
}

#[derive(Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"bridge_id": 1}))]
pub(crate) struct CloseRequest {
    bridge_id: Option<i64>,
}

/// Pays whoever may still be paid, takes what is left of all others, and lets another bridge open: from 00:10 KST
/// of the settlement's day on, when no action of the last day can still be under way.
#[utoipa::path(post, operation_id = "close_event_bridge", path = "/admin/api/event-bridge/close",
    tag = "admin: bridge", params(IdempotencyKey, Reason), request_body = Option<CloseRequest>,
    responses((status = 200, body = CertificateAnswer)), security(("bearer" = [])))]
pub(crate) async fn close(
    admin: Admin,
    command: Command<OptionalBody<CloseRequest>>,
    now: Now,
    desk: Data<Settlement>,
) -> ApiResult<Answer<CertificateAnswer>> {
    let Command { body, request } = command;
    let bridge = body.0.bridge_id.map(BridgeId);
    let closed = desk
        .close_now(&admin.actor, bridge, USUAL_CHUNK, request.as_ref(), now.0)
        .await?;
    Ok(Answer::of(closed))
}
