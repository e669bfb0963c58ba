//! `GET /admin/api/logs/events`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    error::ApiResult,
    export::{self, Cell},
    extract::{Params, SpanParams, given},
};
use xmas_kernel::{Feature, UnknownName, paging::Page};
use xmas_reporting::{EventFilter, EventRecord, Records, Slice};
use xmas_time::{EventDay, Kst};

use xmas_admin_common::records::{LogPage, WhoseParams, WhoseRows, export_page, text};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Such as `PLAY`, `RESULT` or `AUTH_LOGIN`; what clients report begins with `CLIENT_`.
    #[serde(default)]
    event_type: String,
    /// `SEASON_PASS`, `ROULETTE`, `DICE`, `LOTTERY` or `RANKING`, in upper or lower case.
    #[serde(default)]
    feature_type: String,
}

fn filter(
    params: &EventParams,
    WhoseRows(whose): WhoseRows,
    span: &SpanParams,
) -> ApiResult<EventFilter> {
    let feature = params.feature_type.to_ascii_uppercase();
    let feature = given::<Feature, UnknownName>("feature_type", &feature, str::parse)?;
    Ok(EventFilter {
        whose,
        event_type: text(&params.event_type),
        feature,
        span: span.span()?,
    })
}

/// A page of the log, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "items": [{"id": 311, "user_id": 42, "external_id": "santa", "feature_type": "ROULETTE",
        "event_type": "PLAY", "event_day": "2025-12-26",
        "meta_json": {"play_id": 17, "token": "ROULETTE_COIN", "nonce": 0, "attempt": 0, "odds_id": 1,
            "balance": 4},
        "created_at": "2025-12-26T09:00:00.000000+09:00"}],
    "next_cursor": "311"
}))]
pub(crate) struct EventLogAnswer {
    items: Vec<EventAnswer>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// Something that a player did, or that happened to them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventAnswer {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    feature_type: Option<String>,
    event_type: String,
    #[schema(value_type = String, format = Date)]
    event_day: EventDay,
    /// What belongs to it; each type has its own fields.
    #[schema(value_type = serde_json::Value)]
    meta_json: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

impl From<EventRecord> for EventAnswer {
    fn from(record: EventRecord) -> Self {
        Self {
            id: record.id,
            user_id: record.user_id,
            external_id: record.external_id,
            feature_type: record.feature_type,
            event_type: record.event_type,
            event_day: record.event_day,
            meta_json: record.meta,
            created_at: record.created_at,
        }
    }
}

/// The activity log, newest first.
#[utoipa::path(get, path = "/admin/api/logs/events", tag = "admin: reports",
    params(WhoseParams, EventParams, SpanParams, LogPage),
    responses((status = 200, body = EventLogAnswer)), security(("bearer" = [])))]
pub(crate) async fn list(
    whose: WhoseRows,
    params: Params<EventParams>,
    span: Params<SpanParams>,
    page: Params<LogPage>,
    records: Data<Records>,
) -> ApiResult<Json<EventLogAnswer>> {
    let filter = filter(&params.0, whose, &span.0)?;
    let found = records.events(&filter, &page.0.slice()?).await?;
    let page = Page::from_overfetched(found, page.0.limit(), |record| record.id);
    Ok(Json(EventLogAnswer {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|cursor| cursor.0.to_string()),
    }))
}

/// The same as a table for spreadsheets, the oldest first.
#[utoipa::path(get, path = "/admin/api/logs/events.csv", tag = "admin: reports",
    params(WhoseParams, EventParams, SpanParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("id,user_id,external_id,feature_type,event_type,event_day,meta_json,created_at\n1,1,demo-01,ROULETTE,PLAY,2025-12-25,,2025-12-25T09:00:00.000000+09:00\n"))), security(("bearer" = [])))]
pub(crate) async fn export(
    whose: WhoseRows,
    params: Params<EventParams>,
    span: Params<SpanParams>,
    records: Data<Records>,
) -> ApiResult<HttpResponse> {
    const COLUMNS: &[&str] = &[
        "id",
        "user_id",
        "external_id",
        "feature_type",
        "event_type",
        "event_day",
        "meta_json",
        "created_at",
    ];
    let filter = Arc::new(filter(&params.0, whose, &span.0)?);
    export::answer("events", COLUMNS, move |after| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let found = records.events(&filter, &Slice::Export { after }).await?;
            Ok(export_page(found, |record| record.id, cells))
        }
    })
    .await
}

fn cells(record: EventRecord) -> Vec<Cell> {
    vec![
        Cell::Number(record.id),
        Cell::Number(record.user_id),
        Cell::maybe(record.external_id),
        Cell::maybe(record.feature_type),
        Cell::text(record.event_type),
        Cell::text(record.event_day.to_string()),
        Cell::text(record.meta.to_string()),
        Cell::text(record.created_at.to_string()),
    ]
}
