//! `GET /api/ui-config/{key}` and `GET /api/ui-copy/ticket0`: what operators have clients show.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Json},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use xmas_features::{UiConfig, UiConfigs, ui_rules::TICKET_ZERO};
use xmas_http::{
    answer::tagged, endpoint::Operation, error::ApiResult, extract::PathPart, operation,
};
use xmas_time::Kst;

pub(crate) fn operations() -> Vec<Operation> {
    vec![operation!(ui_config), operation!(ticket_zero)]
}

/// What is shown under a key; nulls if nothing was saved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"key": "downtime_banner",
    "value": {"enabled": true, "message": "02:00~02:30 점검이 있습니다."},
    "updated_at": "2025-12-26T09:00:00.000000+09:00"}))]
pub(crate) struct UiConfigAnswer {
    key: String,
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Kst>,
}

/// What is shown under a key. Needs no token, and changes seldom: ask with `If-None-Match`.
#[utoipa::path(get, path = "/api/ui-config/{key}", tag = "texts",
    params(("key" = String, Path, description = "`ticket_zero`, `downtime_banner` or another")),
    responses((status = 200, body = UiConfigAnswer, headers(("etag" = String, description = "For `If-None-Match`."))),
        (status = 304, description = "As before.", headers(("etag" = String, description = "As it was.")))))]
pub(crate) async fn ui_config(
    key: PathPart<String>,
    request: HttpRequest,
    texts: Data<UiConfigs>,
) -> ApiResult<HttpResponse> {
    let config = texts.find(&key.0).await?;
    let version = UiConfig::version(config.as_deref());
    Ok(tagged(&request, &version, config.is_some(), |answer| {
        answer.json(UiConfigAnswer {
            key: key.0,
            value: config.as_ref().map(|config| config.value.clone()),
            updated_at: config.as_ref().map(|config| Kst(config.updated_at)),
        })
    }))
}

/// What players read when a wallet is empty.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"title": "티켓이 부족해요", "body": "출석하면 티켓을 받을 수 있어요.",
    "primary_cta_label": "출석하러 가기", "secondary_cta_label": "닫기"}))]
pub(crate) struct TicketZeroAnswer {
    title: String,
    body: String,
    primary_cta_label: String,
    secondary_cta_label: String,
}

impl TicketZeroAnswer {
    /// From `ticket_zero`, whose buttons are nested or have flat names; what it lacks is empty.
    fn of(value: &Value) -> Self {
        let text = |places: &[&str]| {
            let mut texts = places
                .iter()
                .filter_map(|place| value.pointer(place)?.as_str());
            texts
                .find(|text| !text.is_empty())
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            title: text(&["/title"]),
            body: text(&["/body"]),
            primary_cta_label: text(&["/primaryCta/label", "/primary_cta_label"]),
            secondary_cta_label: text(&["/secondaryCta/label", "/secondary_cta_label"]),
        }
    }
}

/// What players read when a wallet is empty. Needs no token.
#[utoipa::path(get, path = "/api/ui-copy/ticket0", tag = "texts",
    responses((status = 200, body = TicketZeroAnswer)))]
pub(crate) async fn ticket_zero(texts: Data<UiConfigs>) -> ApiResult<Json<TicketZeroAnswer>> {
    let config = texts.find(TICKET_ZERO).await?;
    let value = config.map_or(Value::Null, |config| config.value.clone());
    Ok(Json(TicketZeroAnswer::of(&value)))
}
