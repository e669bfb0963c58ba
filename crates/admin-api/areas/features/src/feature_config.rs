//! `/admin/api/feature-config/`: the kill switches.

use actix_web::{
    HttpRequest,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;
use xmas_features::{FeatureConfig, FeatureDeskError, FeatureEdit, Features};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Echo, Echoes, Now, PathPart, seen_version},
    operation,
};
use xmas_kernel::{ErrorCode, Feature};
use xmas_texts::field;

use xmas_admin_common::params::{IfMatch, Reason};

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list),
        operation!(put).fails::<FeatureDeskError>(&[
            ErrorCode::FeatureConfigNotFound,
            ErrorCode::VersionConflict,
        ]),
    ]
}

/// A feature and its switch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"feature_type": "ROULETTE", "title": "룰렛", "page_path": "/roulette",
    "is_enabled": true, "config_json": {"xp_per_play": 5, "stamp_on_play": false},
    "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct FeatureAnswer {
    #[schema(value_type = String)]
    feature_type: Feature,
    title: String,
    page_path: String,
    /// False stops the feature within a second, on every replica.
    is_enabled: bool,
    /// `xp_per_play` and `stamp_on_play`; other fields are kept for the clients.
    #[schema(value_type = Object)]
    config_json: Value,
    version: String,
}

impl From<FeatureConfig> for FeatureAnswer {
    fn from(config: FeatureConfig) -> Self {
        Self {
            version: config.version().as_str().to_owned(),
            feature_type: config.feature,
            title: config.title,
            page_path: config.page_path,
            is_enabled: config.is_enabled,
            config_json: config.config_json,
        }
    }
}

/// Any subset; what is left out stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"is_enabled": false}))]
pub(crate) struct FeatureRequest {
    title: Option<String>,
    page_path: Option<String>,
    is_enabled: Option<bool>,
    #[schema(value_type = Option<Object>)]
    config_json: Option<Value>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    feature_type: Option<Echo>,
}

/// Every feature with its switch.
#[utoipa::path(get, path = "/admin/api/feature-config/", tag = "admin: configuration",
    responses((status = 200, body = [FeatureAnswer])), security(("bearer" = [])))]
pub(crate) async fn list(desk: Data<Features>) -> ApiResult<Json<Vec<FeatureAnswer>>> {
    let features = desk.features().await?;
    Ok(Json(features.into_iter().map(Into::into).collect()))
}

/// Changes a feature: the kill switch is `is_enabled`. It takes effect within a second.
#[utoipa::path(put, path = "/admin/api/feature-config/{feature}", tag = "admin: configuration",
    params(("feature" = String, Path, description = "`ROULETTE`, in upper or lower case"), Reason, IfMatch),
    request_body = FeatureRequest, responses((status = 200, body = FeatureAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    feature: PathPart<String>,
    body: Body<FeatureRequest>,
    now: Now,
    request: HttpRequest,
    desk: Data<Features>,
) -> ApiResult<Json<FeatureAnswer>> {
    let feature = feature.0.to_ascii_uppercase().parse();
    let feature = feature.map_err(|_| ApiError::new(ErrorCode::FeatureConfigNotFound))?;
    let Body(body) = body;
    let echoes = Echoes::default().and("feature_type", body.feature_type, field::named_by_path());
    let stored = async || Ok(json!({ "feature_type": feature }));
    echoes.compare(stored).await?;
    let edit = FeatureEdit {
        title: body.title,
        page_path: body.page_path,
        is_enabled: body.is_enabled,
        config_json: body.config_json,
        seen: seen_version(&request, body.version)?,
    };
    let edited = desk.edit(&admin.actor, feature, &edit, now.0).await?;
    Ok(Json(edited.into()))
}
