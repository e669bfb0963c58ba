//! `/api/odds/{feature}`: what a game's odds are, were and will be, and how often each result came up. Nothing of it needs
//! a token, and all of it may be asked for with `If-None-Match`.

mod history;
mod observed;
mod table;
mod table_csv;

use xmas_games::odds::Odds;
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::PathPart,
};
use xmas_kernel::{ErrorCode, Feature};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        table::operation(),
        table_csv::operation(),
        history::operation(),
        observed::operation(),
    ]
}

/// Why the odds of a game cannot be told.
const NO_ODDS: &[ErrorCode] = &[
    ErrorCode::OddsNotFound,
    ErrorCode::InvalidRouletteConfig,
    ErrorCode::InvalidDiceConfig,
    ErrorCode::InvalidLotteryConfig,
];

/// The game that a path names.
fn feature(part: &PathPart<String>) -> ApiResult<Feature> {
    let feature = part.0.to_ascii_uppercase().parse();
    feature.map_err(|_| ApiError::new(ErrorCode::OddsNotFound))
}

/// How probable an entry is, rounded and exact.
fn percents(odds: &Odds, entry: i64) -> (String, String) {
    let percent = odds.percent(entry);
    (percent.to_string(), percent.exact())
}
