//! `GET /admin/api/dashboard/metrics`.

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use actix_web::web::{Data, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Now, Params},
    operation,
};
use xmas_reporting::{Dashboard, Metric, Metrics, RangeHours};
use xmas_texts::field;
use xmas_time::Kst;

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![operation!(metrics)]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsParams {
    /// How many hours to look back.
    #[serde(default = "usual_range")]
    #[param(default = 24, minimum = 1, maximum = 168)]
    range_hours: i64,
}

fn usual_range() -> i64 {
    24
}

/// What happened in the hours before `generated_at`, compared with as many hours before them. It may
/// be some seconds old.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "range_hours": 24, "generated_at": "2025-12-26T09:00:00.000000+09:00",
    "active_users": {"value": 812, "diff_percent": 12.5},
    "game_participation": {"value": 5120, "diff_percent": -3.1},
    "ticket_usage": {"value": 5120, "diff_percent": -3.1},
    "avg_session_time_seconds": {"value": 94.2, "diff_percent": null},
    "unique_players": {"value": 640, "diff_percent": 8.0},
    "total_plays": {"value": 5120, "diff_percent": -3.1},
    "wins": {"value": 3900, "diff_percent": -2.0},
    "rewards_granted_points": {"value": 1250000, "diff_percent": 4.4},
    "new_users": {"value": 0, "diff_percent": null},
    "pending_reviews": {"value": 7, "diff_percent": null}
}))]
pub(crate) struct MetricsAnswer {
    range_hours: u16,
    #[schema(value_type = String, format = DateTime)]
    generated_at: Kst,
    /// Players who logged in, opened a page, played, stamped or claimed.
    active_users: CountAnswer,
    /// Plays of all games.
    game_participation: CountAnswer,
    /// Tokens that were spent on plays.
    ticket_usage: CountAnswer,
    /// The mean of what clients report; null if none did.
    avg_session_time_seconds: MeanAnswer,
    /// Players who played.
    unique_players: CountAnswer,
    total_plays: CountAnswer,
    wins: CountAnswer,
    /// Points that prizes, levels and the bridge have brought into wallets.
    rewards_granted_points: CountAnswer,
    /// Players who were created.
    new_users: CountAnswer,
    /// Rewards that wait for an admin now, whenever they were won.
    pending_reviews: CountAnswer,
}

/// A count, and how it compares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"value": 812, "diff_percent": 12.5}))]
pub(crate) struct CountAnswer {
    value: Option<i64>,
    /// By how many percent it is higher than in the hours before; null if there was nothing then.
    diff_percent: Option<f64>,
}

/// A mean, and how it compares.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"value": 94.2, "diff_percent": null}))]
pub(crate) struct MeanAnswer {
    value: Option<f64>,
    /// By how many percent it is higher than in the hours before; null if there was nothing then.
    diff_percent: Option<f64>,
}

impl From<Metric<i64>> for CountAnswer {
    fn from(metric: Metric<i64>) -> Self {
        Self {
            value: metric.value,
            diff_percent: metric.diff_percent,
        }
    }
}

impl From<Metric<f64>> for MeanAnswer {
    fn from(metric: Metric<f64>) -> Self {
        Self {
            value: metric.value,
            diff_percent: metric.diff_percent,
        }
    }
}

impl From<Metrics> for MetricsAnswer {
    fn from(metrics: Metrics) -> Self {
        Self {
            range_hours: metrics.range.get(),
            generated_at: Kst(metrics.generated_at),
            active_users: metrics.active_users.into(),
            game_participation: metrics.game_participation.into(),
            ticket_usage: metrics.ticket_usage.into(),
            avg_session_time_seconds: metrics.avg_session_time_seconds.into(),
            unique_players: metrics.unique_players.into(),
            total_plays: metrics.total_plays.into(),
            wins: metrics.wins.into(),
            rewards_granted_points: metrics.rewards_granted_points.into(),
            new_users: metrics.new_users.into(),
            pending_reviews: metrics.pending_reviews.into(),
        }
    }
}

/// The event at a glance.
#[utoipa::path(get, path = "/admin/api/dashboard/metrics", tag = "admin: reports",
    params(MetricsParams), responses((status = 200, body = MetricsAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn metrics(
    params: Params<MetricsParams>,
    now: Now,
    dashboard: Data<Dashboard>,
) -> ApiResult<Json<MetricsAnswer>> {
    let range = RangeHours::new(params.0.range_hours);
    let range = range.ok_or_else(|| {
        let text = field::between(1, RangeHours::MAX, params.0.range_hours);
        ApiError::field("range_hours", text)
    })?;
    Ok(Json(dashboard.metrics(range, now.0).await?.into()))
}
