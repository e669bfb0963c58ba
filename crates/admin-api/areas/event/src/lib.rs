//! `/admin/api/event/`: the event as one file.

mod export;
mod plan;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_event_file::{CheckedFile, EventDesk, EventError, read};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::Now,
    operation,
};
use xmas_kernel::ErrorCode;
use xmas_time::EventDay;

/// What the paths of the event's file work with.
#[derive(Clone)]
pub struct Services {
    pub event: Arc<EventDesk>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { event } = self;
        cfg.app_data(Data::from(event.clone()));
    }
}

/// Its paths.
pub fn operations() -> Vec<Operation> {
    vec![
        operation!(export::export).fails::<EventError>(&[ErrorCode::SeasonNotFound]),
        operation!(plan::plan).bulk().fails::<EventError>(&[]),
        operation!(plan::apply)
            .bulk()
            .fails::<EventError>(&[ErrorCode::VersionConflict]),
    ]
}

/// The event that a sent file says, or what is wrong with it, each with its place.
fn checked(text: &str, now: Now) -> ApiResult<CheckedFile> {
    read(text, EventDay::of(now.0)).map_err(|problems| {
        let problems = problems.into_iter();
        ApiError::problems(problems.map(|it| it.of_field("file")).collect())
    })
}
