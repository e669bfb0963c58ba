use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_games::fairness::ReportQuery;
use xmas_kernel::{
    OddsId,
    paging::{Cursor, Limit},
};

use super::is_id;

/// Which tables of a game's odds a report is about.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct OddsTables {
    /// Only this table.
    #[validate(custom(function = is_id))]
    odds_id: Option<i64>,
    /// `next_cursor` of the page before.
    #[validate(custom(function = is_id))]
    cursor: Option<i64>,
    /// How many tables to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 50))]
    #[param(default = 20, minimum = 1, maximum = 50)]
    limit: u64,
}

fn usual_limit() -> u64 {
    20
}

impl From<&OddsTables> for ReportQuery {
    fn from(tables: &OddsTables) -> Self {
        Self {
            only: tables.odds_id.map(OddsId),
            before: tables.cursor.map(Cursor),
            limit: Limit::clamped(tables.limit),
        }
    }
}
