//! `GET /admin/api/logs/audit`.

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
    extract::{Params, SpanParams},
};
use xmas_kernel::paging::Page;
use xmas_reporting::{AuditFilter, AuditRecord, EXPORT_AUDIT_ROWS, Records, Slice};
use xmas_time::Kst;

use xmas_admin_common::records::{LogPage, full_page, text};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditParams {
    /// The name that the operator logs in with.
    #[serde(default)]
    actor: String,
    /// Such as `FEATURE_UPDATE`.
    #[serde(default)]
    action: String,
    /// Such as `user:42`; whatever begins so, if it ends with a colon or an asterisk (`user:`).
    #[serde(default)]
    resource: String,
    #[serde(default)]
    request_id: String,
}

fn filter(params: &AuditParams, span: &SpanParams) -> ApiResult<AuditFilter> {
    Ok(AuditFilter {
        actor: text(&params.actor),
        action: text(&params.action),
        resource: text(&params.resource).map(Into::into),
        request_id: text(&params.request_id),
        span: span.span()?,
    })
}

/// A page of the log, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "items": [{"id": 5, "actor_id": 1, "actor": "operator", "action": "FEATURE_UPDATE",
        "resource": "feature:ROULETTE", "before": {"is_enabled": true}, "after": {"is_enabled": false},
        "reason": "장애", "request_id": "3f0a4c1e", "created_at": "2025-12-26T09:00:00.000000+09:00"}],
    "next_cursor": "5"
}))]
pub(crate) struct AuditLogAnswer {
    items: Vec<AuditAnswer>,
    /// What the next page is asked for with; null on the last one.
    next_cursor: Option<String>,
}

/// Something that an operator did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditAnswer {
    id: i64,
    actor_id: i64,
    actor: String,
    action: String,
    /// What it was done to.
    resource: String,
    /// What that was like before; null if it was not there.
    #[schema(value_type = Option<serde_json::Value>)]
    before: Option<Value>,
    /// What it was like then; null if it was gone.
    #[schema(value_type = Option<serde_json::Value>)]
    after: Option<Value>,
    reason: Option<String>,
    request_id: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
}

impl From<AuditRecord> for AuditAnswer {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.id,
            actor_id: record.actor_id,
            actor: record.actor,
            action: record.action,
            resource: record.resource,
            before: record.before,
            after: record.after,
            reason: record.reason,
            request_id: record.request_id,
            created_at: record.created_at,
        }
    }
}

/// What operators did, newest first.
#[utoipa::path(get, path = "/admin/api/logs/audit", tag = "admin: reports",
    params(AuditParams, SpanParams, LogPage), responses((status = 200, body = AuditLogAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn list(
    params: Params<AuditParams>,
    span: Params<SpanParams>,
    page: Params<LogPage>,
    records: Data<Records>,
) -> ApiResult<Json<AuditLogAnswer>> {
    let filter = filter(&params.0, &span.0)?;
    let found = records.audits(&filter, &page.0.slice()?).await?;
    let page = Page::from_overfetched(found, page.0.limit(), |record| record.id);
    Ok(Json(AuditLogAnswer {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|cursor| cursor.0.to_string()),
    }))
}

/// The same as a table for spreadsheets, the oldest first.
#[utoipa::path(get, path = "/admin/api/logs/audit.csv", tag = "admin: reports",
    params(AuditParams, SpanParams),
    responses((status = 200, content_type = "text/csv", body = String,
        example = json!("id,actor_id,actor,action,resource,before,after,reason,request_id,created_at\n1,21,lead,USER_UPDATE,user:7,\"{\"\"xp\"\":15}\",\"{\"\"xp\"\":700}\",12/27 장애 보상,7ed143c9-1ba9-4276-9031-b0c6c4ed4f0f,2025-12-27T09:00:00.000000+09:00\n"))), security(("bearer" = [])))]
pub(crate) async fn export(
    params: Params<AuditParams>,
    span: Params<SpanParams>,
    records: Data<Records>,
) -> ApiResult<HttpResponse> {
    const COLUMNS: &[&str] = &[
        "id",
        "actor_id",
        "actor",
        "action",
        "resource",
        "before",
        "after",
        "reason",
        "request_id",
        "created_at",
    ];
    let filter = Arc::new(filter(&params.0, &span.0)?);
    export::answer("audit", COLUMNS, move |after| {
        let (records, filter) = (records.clone(), filter.clone());
        async move {
            let found = records.audits(&filter, &Slice::Export { after }).await?;
            Ok(full_page(
                found,
                EXPORT_AUDIT_ROWS,
                |record| record.id,
                cells,
            ))
        }
    })
    .await
}

fn cells(record: AuditRecord) -> Vec<Cell> {
    let state = |state: Option<Value>| Cell::maybe(state.map(|state| state.to_string()));
    vec![
        Cell::Number(record.id),
        Cell::Number(record.actor_id),
        Cell::text(record.actor),
        Cell::text(record.action),
        Cell::text(record.resource),
        state(record.before),
        state(record.after),
        Cell::maybe(record.reason),
        Cell::text(record.request_id),
        Cell::text(record.created_at.to_string()),
    ]
}
