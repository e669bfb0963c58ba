//! `GET /admin/api/event/export`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_event_file::EventDesk;
use xmas_http::{
    error::ApiResult,
    extract::{Params, PreferredLanguage},
};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportParams {
    /// The name of a season; the active one that ends last if it is left out.
    season: Option<String>,
}

/// The event as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"file": "[season]\nseason_name = \"XMAS_1WEEK_2025\"\n…", "unsaid": []}))]
pub(crate) struct ExportAnswer {
    /// TOML, in its canonical form: the same event is the same text.
    file: String,
    /// What no file can say, and is not in it.
    unsaid: Vec<String>,
}

/// The event as a file, which `plan` and `apply` take.
#[utoipa::path(get, path = "/admin/api/event/export", tag = "admin: configuration",
    params(ExportParams), responses((status = 200, body = ExportAnswer)), security(("bearer" = [])))]
pub(crate) async fn export(
    params: Params<ExportParams>,
    PreferredLanguage(language): PreferredLanguage,
    event: Data<EventDesk>,
) -> ApiResult<Json<ExportAnswer>> {
    let exported = event.export(params.0.season.as_deref()).await?;
    let unsaid = exported.unsaid.iter();
    Ok(Json(ExportAnswer {
        unsaid: unsaid.map(|problem| problem.sentence(language)).collect(),
        file: exported.text,
    }))
}
