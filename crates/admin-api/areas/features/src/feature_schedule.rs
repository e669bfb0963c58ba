//! `/admin/api/feature-schedule/`: what runs on which day while QA's gate is on
//! (`FEATURE_GATE_ENABLED`).

#![expect(
    unused_qualifications,
    reason = "the OpenAPI macro writes the parameters as a path"
)]

use std::str::FromStr;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;
use xmas_features::{FeatureDeskError, Features, Scheduled, ScheduledFeature};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Echo, Echoes, Now, Params, PathPart, refuse},
    operation,
};
use xmas_kernel::{ErrorCode, Feature, Problem};
use xmas_texts::{Text, feature, field, quoted};
use xmas_time::EventDay;

use xmas_admin_common::params::Reason;

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(list).fails::<FeatureDeskError>(&[ErrorCode::InvalidFeatureSchedule]),
        operation!(put).fails::<FeatureDeskError>(&[ErrorCode::InvalidFeatureSchedule]),
        operation!(delete).fails::<FeatureDeskError>(&[
            ErrorCode::ScheduleNotFound,
            ErrorCode::InvalidFeatureSchedule,
        ]),
    ]
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScheduleParams {
    /// Today if it is left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    start_date: Option<EventDay>,
    /// Thirty days after the first if it is left out.
    #[serde(default)]
    #[param(value_type = Option<String>, format = Date)]
    end_date: Option<EventDay>,
}

/// A feature on a day's schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"date": "2025-12-24", "feature_type": "ROULETTE", "is_active": true}))]
pub(crate) struct ScheduledAnswer {
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    #[schema(value_type = String)]
    feature_type: Feature,
    is_active: bool,
}

/// The whole schedule of a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"date": "2025-12-24",
    "features": [{"date": "2025-12-24", "feature_type": "ROULETTE", "is_active": true}]}))]
pub(crate) struct ScheduleAnswer {
    #[schema(value_type = String, format = Date)]
    date: EventDay,
    features: Vec<ScheduledAnswer>,
}

fn answers(scheduled: Scheduled) -> Vec<ScheduledAnswer> {
    let date = scheduled.day;
    let features = scheduled.features.into_iter();
    let answer = |feature: ScheduledFeature| ScheduledAnswer {
        date,
        feature_type: feature.feature,
        is_active: feature.is_active,
    };
    features.map(answer).collect()
}

/// What runs on the day: several features, or one.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"features": [{"feature_type": "ROULETTE", "is_active": true}]}))]
pub(crate) struct ScheduleRequest {
    features: Option<Vec<ScheduledRequest>>,
    /// In the place of `features`, if it is one only; not beside them.
    feature_type: Option<String>,
    /// Goes with `feature_type`; true if it is left out.
    is_active: Option<bool>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    date: Option<Echo>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"feature_type": "ROULETTE", "is_active": true}))]
pub(crate) struct ScheduledRequest {
    feature_type: String,
    #[serde(default = "usually_active")]
    is_active: bool,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    date: Option<Echo>,
}

fn usually_active() -> bool {
    true
}

impl ScheduleRequest {
    /// The problems of days that came along and are not the one of the path.
    fn day_problems(&mut self, day: &Value) -> Vec<Problem> {
        let echo = |date: &mut Option<Echo>| {
            Echoes::default().and("date", date.take(), field::named_by_path())
        };
        let mut problems = echo(&mut self.date).problems("", Some(day));
        for (index, row) in self.features.iter_mut().flatten().enumerate() {
            let prefix = format!("features.{index}.");
            problems.extend(echo(&mut row.date).problems(&prefix, Some(day)));
        }
        problems
    }

    fn features(self) -> ApiResult<Vec<ScheduledFeature>> {
        if self.features.is_some() && self.feature_type.is_some() {
            return Err(invalid(
                "feature_type",
                field::not_together_with("features"),
            ));
        }
        if self.feature_type.is_none() && self.is_active.is_some() {
            return Err(invalid(
                "is_active",
                field::only_together_with("feature_type"),
            ));
        }
        let one = self.feature_type.map(|feature_type| ScheduledRequest {
            feature_type,
            is_active: self.is_active.unwrap_or_else(usually_active),
            date: None,
        });
        let rows = self.features.unwrap_or_else(|| one.into_iter().collect());
        if rows.is_empty() {
            return Err(invalid("features", feature::none_scheduled()));
        }
        let feature = |(index, row): (usize, &ScheduledRequest)| {
            let feature = Feature::from_str(&row.feature_type.to_ascii_uppercase());
            let feature = feature.map_err(|error| {
                let path = format!("features.{index}.feature_type");
                invalid(&path, error.into())
            })?;
            Ok(ScheduledFeature {
                feature,
                is_active: row.is_active,
            })
        };
        rows.iter().enumerate().map(feature).collect()
    }
}

fn invalid(field: &str, text: Text) -> ApiError {
    let problem = Problem::coded(ErrorCode::InvalidFeatureSchedule, field, text);
    ApiError::problems(vec![problem])
}

fn day(text: &str) -> ApiResult<EventDay> {
    let day = text.parse();
    day.map_err(|_| invalid("date", field::day(quoted(text))))
}

/// What is scheduled, day by day.
#[utoipa::path(get, path = "/admin/api/feature-schedule/", tag = "admin: configuration",
    params(ScheduleParams), responses((status = 200, body = [ScheduledAnswer])),
    security(("bearer" = [])))]
pub(crate) async fn list(
    params: Params<ScheduleParams>,
    now: Now,
    desk: Data<Features>,
) -> ApiResult<Json<Vec<ScheduledAnswer>>> {
    let first = params.0.start_date.unwrap_or_else(|| EventDay::of(now.0));
    let last = params.0.end_date.unwrap_or_else(|| first.plus_days(30));
    let days = desk.schedule(first, last).await?;
    Ok(Json(days.into_iter().flat_map(answers).collect()))
}

/// Replaces the schedule of a day.
#[utoipa::path(put, path = "/admin/api/feature-schedule/{date}", tag = "admin: configuration",
    params(("date" = String, Path, description = "`YYYY-MM-DD`"), Reason),
    request_body = ScheduleRequest, responses((status = 200, body = ScheduleAnswer)),
    security(("bearer" = [])))]
pub(crate) async fn put(
    admin: Admin,
    date: PathPart<String>,
    body: Body<ScheduleRequest>,
    now: Now,
    desk: Data<Features>,
) -> ApiResult<Json<ScheduleAnswer>> {
    let day = day(&date.0)?;
    let Body(mut body) = body;
    refuse(body.day_problems(&json!({ "date": day })))?;
    let features = body.features()?;
    let scheduled = desk
        .set_schedule(&admin.actor, day, &features, now.0)
        .await?;
    Ok(Json(ScheduleAnswer {
        date: day,
        features: answers(scheduled),
    }))
}

/// Clears the schedule of a day.
#[utoipa::path(delete, path = "/admin/api/feature-schedule/{date}", tag = "admin: configuration",
    params(("date" = String, Path, description = "`YYYY-MM-DD`"), Reason),
    responses((status = 204)), security(("bearer" = [])))]
pub(crate) async fn delete(
    admin: Admin,
    date: PathPart<String>,
    now: Now,
    desk: Data<Features>,
) -> ApiResult<HttpResponse> {
    let day = day(&date.0)?;
    desk.clear_schedule(&admin.actor, day, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
