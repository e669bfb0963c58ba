//! `GET /health`, `GET /livez`, `GET /readyz`.

use std::sync::LazyLock;

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;
use xmas_http::{endpoint::Operations, error::ApiResult, operation};
use xmas_kernel::ErrorCode;

use crate::{readiness::Readiness, version};

/// The paths that load balancers ask.
pub(crate) fn operations() -> &'static Operations {
    static ALL: LazyLock<Operations> = LazyLock::new(|| {
        let alive = operation!(alive).also_at("/livez");
        let ready = operation!(ready).refuses(&[ErrorCode::NotReady]);
        Operations::from([vec![alive.probe(), ready.probe()]])
    });
    &ALL
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok"}))]
pub(crate) struct Alive {
    status: &'static str,
}

/// The process is up; it says nothing about the database.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Alive)))]
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"status": "ok", "version": "1.0.0", "commit": "4f2a9c1d7e3b", "checks": {"database": "ok", "schema": "ok", "clock": "ok", "data_key": "ok", "draining": "no"}}))]
pub(crate) struct Ready {
    status: &'static str,
    version: &'static str,
    /// The commit that it was built from, or `unknown`.
    commit: &'static str,
    checks: Checks,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checks {
    database: &'static str,
    schema: &'static str,
    clock: &'static str,
    data_key: &'static str,
    draining: &'static str,
}

/// Whether requests should be sent here: the database takes writes, its schema fits, its clock and this machine's agree
/// within 30 seconds, `DATA_KEY` is the database's, and the process is not about to stop. A database that is only busy is ready.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, body = Ready)))]
pub(crate) async fn ready(readiness: Data<Readiness>) -> ApiResult<Json<Ready>> {
    readiness.check().await?;
    Ok(Json(Ready {
        status: "ok",
        version: version::VERSION,
        commit: version::COMMIT,
        checks: Checks {
            database: "ok",
            schema: "ok",
            clock: "ok",
            data_key: "ok",
            draining: "no",
        },
    }))
}
