//! `/admin/api/seasons/`.

pub(crate) mod levels;
pub(crate) mod season;

use xmas_http::{endpoint::Operation, operation};
use xmas_http::{
    error::{ApiError, ApiResult},
    extract::PathPart,
};
use xmas_kernel::{ErrorCode, SeasonId};
use xmas_season_pass::SeasonDeskError;

/// Its paths.
pub(crate) fn operations() -> Vec<Operation> {
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
