//! Pages of the lists of the admin API, newest first.

use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;
use xmas_http::{error::ApiResult, extract::given};
use xmas_kernel::paging::{Cursor, Limit, Page};

use crate::records::row_id;

/// Which page of a list is asked for that goes on where the page before has ended.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct CursorParams {
    /// `next_cursor` of the page before; the list begins with the newest.
    #[serde(default)]
    pub cursor: String,
    /// How many to send.
    #[serde(default = "usual_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub limit: u64,
}

pub fn usual_limit() -> u64 {
    50
}

impl CursorParams {
    pub fn place(&self) -> ApiResult<(Limit, Option<Cursor>)> {
        place(&self.cursor, self.limit)
    }
}

/// Where a page begins, and how long it is.
pub fn place(cursor: &str, limit: u64) -> ApiResult<(Limit, Option<Cursor>)> {
    let row = given("cursor", cursor, row_id)?;
    Ok((Limit::clamped(limit), row.map(Cursor)))
}

/// A page's items as the answer shows them, and its `next_cursor`.
pub fn parts<T, A: From<T>>(page: Page<T>) -> (Vec<A>, Option<String>) {
    let items = page.items.into_iter().map(Into::into).collect();
    (items, page.next.map(|Cursor(id)| id.to_string()))
}

/// Which page of a list is asked for by its number.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// From 1.
    #[validate(range(min = 1, max = LAST_PAGE))]
    #[param(default = 1, minimum = 1, maximum = 1_000_000)]
    pub page: Option<u64>,
    /// How many items a page holds, 1 to 200.
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub size: Option<u64>,
}

/// High enough for any list, and low enough for any database.
pub const LAST_PAGE: u64 = 1_000_000;

impl PageParams {
    pub fn page(&self) -> u64 {
        self.page.unwrap_or(1)
    }

    pub fn size(&self) -> u64 {
        self.size.unwrap_or(50)
    }

    /// How many items stand before the page.
    pub fn offset(&self) -> u64 {
        (self.page() - 1) * self.size()
    }
}
