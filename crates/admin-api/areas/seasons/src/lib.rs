//! `/admin/api/seasons/`.

pub mod levels;
pub mod season;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::PathPart,
    operation,
};
use xmas_kernel::{ErrorCode, SeasonId};
use xmas_season_pass::{SeasonDeskError, SeasonPass};

/// What the paths of seasons work with.
#[derive(Clone)]
pub struct Services {
    pub seasons: Arc<SeasonPass>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self { seasons } = self;
        cfg.app_data(Data::from(seasons.clone()));
    }
}

/// Its paths.
pub fn operations() -> Vec<Operation> {
    use ErrorCode::{ActiveSeasonConflict, InvalidSeasonDates, SeasonNotFound, VersionConflict};
    const CHANGE: &[ErrorCode] = &[
        SeasonNotFound,
        InvalidSeasonDates,
        ActiveSeasonConflict,
        VersionConflict,
    ];
    vec![
        operation!(season::list),
        operation!(season::post)
            .fails::<SeasonDeskError>(&[InvalidSeasonDates, ActiveSeasonConflict]),
        operation!(season::get).fails::<SeasonDeskError>(&[SeasonNotFound]),
        operation!(season::put).fails::<SeasonDeskError>(CHANGE),
        operation!(levels::get).fails::<SeasonDeskError>(&[SeasonNotFound]),
        operation!(levels::put).fails::<SeasonDeskError>(CHANGE),
    ]
}

/// The season that a path names.
pub(crate) fn id(part: &PathPart<String>) -> ApiResult<SeasonId> {
    let id = part.0.parse().map(SeasonId);
    id.map_err(|_| ApiError::new(ErrorCode::SeasonNotFound))
}
