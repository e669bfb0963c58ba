//! What lists of records have in common.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_http::{
    error::{ApiError, ApiResult},
    export::{Cell, ExportPage},
    extract::{Params, account_of, given, is_id},
};
use xmas_kernel::{Asset, MAX_NUMBER, UserId, paging::Limit};
use xmas_players::{GivenId, ResolveError};
use xmas_reporting::{EXPORT_ROWS, Slice, Whose};
use xmas_texts::{Text, field, quoted};

/// Which part of a bare list is asked for.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct ListPage {
    /// How many rows to send; the nearest of 1 to 1,000 is taken.
    #[serde(default = "usual_rows")]
    #[validate(range(min = -MAX_NUMBER, max = MAX_NUMBER))]
    #[param(default = 100)]
    limit: i64,
    /// How many rows to pass over.
    #[serde(default)]
    #[validate(range(min = 0, max = MAX_NUMBER))]
    #[param(default = 0, minimum = 0)]
    offset: i64,
    /// The last row of the page before: its `id`, or for wallets its `user_id:token_type`. Unlike an
    /// offset it stays where it is while rows are added.
    #[serde(default)]
    cursor: String,
}

fn usual_rows() -> i64 {
    100
}

impl ListPage {
    const MAX_ROWS: u64 = 1_000;

    pub fn slice<P>(&self, read: fn(&str) -> Result<P, Text>) -> ApiResult<Slice<P>> {
        Ok(Slice::Page {
            rows: at_least_0(self.limit).clamp(1, Self::MAX_ROWS),
            offset: at_least_0(self.offset),
            behind: given("cursor", &self.cursor, read)?,
        })
    }
}

fn at_least_0(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Which part of a log is asked for.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct LogPage {
    /// `next_cursor` of the page before; the log begins with the newest.
    #[serde(default)]
    cursor: String,
    /// How many rows to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u64,
}

fn usual_limit() -> u64 {
    50
}

impl LogPage {
    pub fn limit(&self) -> Limit {
        Limit::clamped(self.limit)
    }

    /// One row more than fits, which tells whether there is a next page.
    pub fn slice(&self) -> ApiResult<Slice<i64>> {
        Ok(Slice::Page {
            rows: self.limit().get() + 1,
            offset: 0,
            behind: given("cursor", &self.cursor, row_id)?,
        })
    }
}

/// The id of a row, as an earlier page has shown it.
pub fn row_id(text: &str) -> Result<i64, Text> {
    let id = text.parse().ok();
    // Numbers are read leniently; one row has one spelling.
    let id = id.filter(|id: &i64| *id >= 0 && id.to_string() == text);
    id.ok_or_else(|| field::cursor_of_row(quoted(text)))
}

/// Whose rows are asked for ([`WhoseRows`]).
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct WhoseParams {
    /// Beside an `external_id`, it must be that player's.
    #[validate(custom(function = is_id))]
    user_id: Option<i64>,
    /// Nobody's rows, if there is no such player.
    #[serde(default)]
    external_id: String,
}

/// The player whose rows a query asks for; nobody in particular, if it names nobody.
pub struct WhoseRows(pub Whose);

impl FromRequest for WhoseRows {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let params = Params::<WhoseParams>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let Params(params) = params.await?;
            let whose = Whose {
                user_id: params.user_id.map(UserId),
                external_id: text(&params.external_id).map(|given| GivenId::any(&given)),
            };
            if let (Some(user_id), Some(given)) = (whose.user_id, &whose.external_id) {
                let named = account_of(&request, given).await?;
                if named.is_some_and(|named| named != user_id) {
                    return Err(ApiError::from(ResolveError::Contradiction).into());
                }
            }
            Ok(Self(whose))
        })
    }
}

/// A token, points or coins by name; nothing if it is left out.
pub fn token_type(text: &str) -> ApiResult<Option<Asset>> {
    given("token_type", text, str::parse)
}

/// A filter that is text; nothing if it is left out.
pub fn text(parameter: &str) -> Option<String> {
    let text = parameter.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A page of an export, which has a next one if it is full.
pub fn export_page<R, P>(
    records: Vec<R>,
    place: impl Fn(&R) -> P,
    cells: impl Fn(R) -> Vec<Cell>,
) -> ExportPage<P> {
    full_page(records, EXPORT_ROWS, place, cells)
}

/// As [`export_page`], of so many rows at most.
pub fn full_page<R, P>(
    records: Vec<R>,
    rows: u64,
    place: impl Fn(&R) -> P,
    cells: impl Fn(R) -> Vec<Cell>,
) -> ExportPage<P> {
    let is_full = u64::try_from(records.len()).is_ok_and(|found| found >= rows);
    ExportPage {
        next: records.last().filter(|_| is_full).map(place),
        rows: records.into_iter().map(cells).collect(),
    }
}
