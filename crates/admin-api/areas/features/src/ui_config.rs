//! `/admin/api/ui-config/{key}`: what clients are told to show.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;
use xmas_features::{UiConfig, UiConfigs, ui_rules};
use xmas_http::{
    endpoint::Operation,
    error::ApiResult,
    extract::{Admin, Body, Echo, Echoes, Now, PathPart, Volatile, seen_version},
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_texts::field;
use xmas_time::Kst;

use xmas_admin_common::params::{IfMatch, Reason};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(get),
        operation!(put).refuses(&[ErrorCode::VersionConflict]),
    ]
}

/// What is shown under a key; nulls if nothing was saved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AdminUiConfigAnswer, example = json!({"key": "downtime_banner",
    "value": {"enabled": true, "message": "02:00~02:30 점검이 있습니다."},
    "updated_at": "2025-12-26T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d",
    "schema": {"type": "object", "required": ["enabled"]}}))]
pub(crate) struct UiConfigAnswer {
    key: String,
    #[schema(value_type = Option<Object>)]
    value: Option<Value>,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Kst>,
    version: String,
    /// The JSON schema that the value must fit, if the key has one.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
}

impl UiConfigAnswer {
    fn of(key: String, config: Option<&UiConfig>) -> Self {
        Self {
            version: UiConfig::version(config).as_str().to_owned(),
            schema: ui_rules::schema(&key),
            value: config.map(|config| config.value.clone()),
            updated_at: config.map(|config| Kst(config.updated_at)),
            key,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"value": {"enabled": true, "message": "02:00~02:30 점검이 있습니다."}}))]
pub(crate) struct UiConfigRequest {
    /// Plain texts; links in fields whose names end in `url`, `href`, `link`, `src` or `uri`.
    #[schema(value_type = Object)]
    value: Value,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    key: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    schema: Option<Echo>,
}

/// What is shown under a key.
#[utoipa::path(get, path = "/admin/api/ui-config/{key}", tag = "admin: configuration",
    params(("key" = String, Path, description = "`ticket_zero`, `downtime_banner` or another")),
    responses((status = 200, body = UiConfigAnswer)), security(("bearer" = [])))]
pub(crate) async fn get(
    key: PathPart<String>,
    texts: Data<UiConfigs>,
) -> ApiResult<Json<UiConfigAnswer>> {
    let config = texts.find(&key.0).await?;
    Ok(Json(UiConfigAnswer::of(key.0, config.as_deref())))
}

/// Saves what is shown under a key. What would not be safe to show is refused, field by field.
#[utoipa::path(put, path = "/admin/api/ui-config/{key}", tag = "admin: configuration",
    params(("key" = String, Path, description = "1 to 100 characters of a-z, 0-9, _ and -"), Reason,
        IfMatch),
    request_body = UiConfigRequest, responses((status = 200, body = UiConfigAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    key: PathPart<String>,
    body: Body<UiConfigRequest>,
    now: Now,
    request: HttpRequest,
    texts: Data<UiConfigs>,
) -> ApiResult<Json<UiConfigAnswer>> {
    let Body(body) = body;
    let echoes = Echoes::default()
        .and("key", body.key, field::named_by_path())
        .and("schema", body.schema, field::belongs_to_key());
    let stored = async || Ok(json!({ "key": key.0, "schema": ui_rules::schema(&key.0) }));
    echoes.compare(stored).await?;
    let seen = seen_version(&request, body.version)?;
    let saved = texts
        .put(&admin.actor, &key.0, &body.value, seen.as_ref(), now.0)
        .await?;
    Ok(Json(UiConfigAnswer::of(key.0, Some(&saved))))
}
