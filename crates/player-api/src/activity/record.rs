//! `POST /api/activity/record`.

use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;
use xmas_activity::{ActivityService, ClientEvent, ClientEventKind, RecordCommand, Recorded};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Command, IdempotencyKey, Now, Player},
    finished::{Finished, FinishedAnswer, FinishedAnswers},
    operation,
};
use xmas_kernel::MAX_NUMBER;
use xmas_time::Kst;

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"event_id": "6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11",
    "event_type": "PLAY_DURATION", "value": 42}))]
pub(crate) struct RecordRequest {
    /// The same id again counts once.
    event_id: Uuid,
    event_type: EventType,
    #[validate(range(min = -MAX_NUMBER, max = MAX_NUMBER))]
    value: Option<i64>,
    /// Anything, of up to 4,096 bytes as JSON text and nested up to 16 deep.
    #[schema(value_type = Option<serde_json::Value>)]
    meta_json: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum EventType {
    EnterPage,
    RoulettePlay,
    DicePlay,
    LotteryPlay,
    BonusUsed,
    PlayDuration,
}

impl From<EventType> for ClientEventKind {
    fn from(kind: EventType) -> Self {
        match kind {
            EventType::EnterPage => ClientEventKind::EnterPage,
            EventType::RoulettePlay => ClientEventKind::RoulettePlay,
            EventType::DicePlay => ClientEventKind::DicePlay,
            EventType::LotteryPlay => ClientEventKind::LotteryPlay,
            EventType::BonusUsed => ClientEventKind::BonusUsed,
            EventType::PlayDuration => ClientEventKind::PlayDuration,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"user_id": 1, "updated_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct RecordAnswer {
    user_id: i64,
    /// When the event was first reported.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
}

pub(crate) fn operation() -> Operation {
    operation!(record)
}

/// Keeps what a client reports. It never earns anything.
#[utoipa::path(post, path = "/api/activity/record", tag = "activity",
    request_body = RecordRequest, responses((status = 200, body = RecordAnswer)),
    params(IdempotencyKey),
    security(("bearer" = [])))]
pub(crate) async fn record(
    player: Player,
    command: Command<RecordRequest>,
    now: Now,
    activity: Data<dyn ActivityService>,
    finished: Data<FinishedAnswers>,
) -> ApiResult<FinishedAnswer> {
    let report = command.body;
    let kind = report.event_type.into();
    let event = ClientEvent::new(report.event_id, kind, report.value, report.meta_json);
    let event = event.map_err(|error| ApiError::field("meta_json", error))?;
    let command = RecordCommand {
        identity: player.0,
        request: command.request,
        event,
    };
    let run = activity.record(&command, now.0);
    let request = command.request.as_ref();
    finished
        .answer::<RecordAnswer, _, _>(&player.0, request, run)
        .await
}

impl Finished for RecordAnswer {
    fn may_be_kept(&self) -> bool {
        true
    }
}

impl From<Recorded> for RecordAnswer {
    fn from(recorded: Recorded) -> Self {
        Self {
            user_id: recorded.user_id.0,
            updated_at: recorded.updated_at,
        }
    }
}
