//! Uploaded tables, as offices have them: in whatever charset, with whatever between their cells and at the ends
//! of their lines. What could be read in two ways is refused; every problem names its line.
//!
//! Bytes become text in `charset.rs`, text becomes records in `scan.rs`, and records become rows with named cells
//! in `table.rs`. What spreadsheets do to single cells is in `cell.rs`.

mod cell;
mod charset;
mod problems;
mod scan;
mod table;

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Bytes};
use encoding_rs::Encoding;
use xmas_texts::body;

use crate::{
    error::{ApiError, ApiResult},
    extract::{
        csv::charset::Unreadable,
        media::{MediaType, refuse_packed},
        payload::read,
    },
};

pub use problems::LineProblems;
pub use table::{Column, CsvRow, CsvTable};

/// An uploaded table as it came.
#[derive(Clone, Debug)]
pub struct CsvUpload {
    pub bytes: Bytes,
    /// `None` if the content type names none.
    charset: Option<&'static Encoding>,
}

impl CsvUpload {
    /// The table, which may have these columns, in any order.
    pub fn table(&self, columns: &[Column]) -> ApiResult<CsvTable> {
        let text = charset::text(&self.bytes, self.charset);
        let text = text.map_err(|Unreadable { line, problem }| {
            let place = line.map_or("csv".to_owned(), |line| format!("line {line}"));
            ApiError::field(place, problem)
        })?;
        CsvTable::read(&text, columns)
    }
}

/// What tables are sent as. Excel gives a file the last of them.
const TABLES: [&str; 4] = [
    "text/csv",
    "application/csv",
    "text/tab-separated-values",
    "application/vnd.ms-excel",
];

/// Whether a request brings a table rather than JSON.
pub(super) fn is_table(media: &MediaType) -> bool {
    TABLES.contains(&media.essence.as_str())
}

/// The charset that a table's content type names, if any.
fn declared(media: &MediaType) -> ApiResult<Option<&'static Encoding>> {
    if !is_table(media) {
        return Err(ApiError::unsupported(
            "Content-Type",
            body::content_type_csv(),
        ));
    }
    let Some(label) = &media.charset else {
        return Ok(None);
    };
    let known = charset::named(label);
    known
        .map(Some)
        .ok_or_else(|| ApiError::unsupported("Content-Type", body::charset(charset::KNOWN)))
}

impl FromRequest for CsvUpload {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let charset = refuse_packed(request).and_then(|()| declared(&MediaType::of(request)));
        Box::pin(async move {
            let charset = charset?;
            let bytes = read(bytes).await?;
            Ok(Self { bytes, charset })
        })
    }
}

#[cfg(test)]
mod tests;
