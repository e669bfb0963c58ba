//! Tables for spreadsheets, of any length: written page by page as they are read.

use std::future::Future;

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::header::{self, HeaderValue},
    web::Bytes,
};
use futures_util::{StreamExt, stream};

use crate::error::{ApiError, ApiResult};

/// One cell of an exported table.
#[derive(Clone, Debug)]
pub enum Cell {
    Number(i64),
    Decimal(f64),
    /// Made harmless, should a spreadsheet take it for a formula.
    Text(String),
    Empty,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn maybe(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }
}

/// Whether a spreadsheet would take a text for a formula.
pub fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text that no spreadsheet takes for a formula: an apostrophe goes before it. Uploads take it away
/// again, so a text that has its own apostrophe before a formula gets one more.
pub fn harmless(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A page of rows, and where the next page begins, if there is one.
pub struct ExportPage<C> {
    pub rows: Vec<Vec<Cell>>,
    pub next: Option<C>,
}

/// Answers with a table that is read page by page: `page` gets where to begin. The first page is read
/// before the answer begins, so that an error is still an error; a later one breaks the answer off.
pub async fn answer<C, F>(
    name: &str,
    columns: &'static [&'static str],
    page: impl Fn(Option<C>) -> F + 'static,
) -> ApiResult<HttpResponse>
where
    C: 'static,
    F: Future<Output = ApiResult<ExportPage<C>>>,
{
    let first = page(None).await?;
    let head = table(columns, &first.rows)?;
    let rest = stream::unfold((first.next, page), async |(from, page)| {
        let from = from?;
        let chunk = match page(Some(from)).await {
            Ok(ExportPage { rows, next }) => lines(&rows).map(|bytes| (bytes, next)),
            Err(error) => Err(error),
        };
        Some(match chunk {
            Ok((bytes, next)) => (Ok(Bytes::from(bytes)), (next, page)),
            Err(error) => {
                tracing::error!(%error, source = ?error.source(), "an export was broken off");
                (Err(error), (None, page))
            }
        })
    });
    let body = stream::once(std::future::ready(Ok(Bytes::from(head)))).chain(rest);
    let mut answer = HttpResponse::Ok();
    named(&mut answer, name);
    Ok(answer.streaming::<_, ApiError>(Box::pin(body)))
}

/// Makes an answer a table that is saved under a name.
pub fn named(answer: &mut HttpResponseBuilder, name: &str) {
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    answer.insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"));
    if let Ok(value) = HeaderValue::try_from(disposition) {
        answer.insert_header((header::CONTENT_DISPOSITION, value));
    }
}

/// A table, or its first rows.
pub fn table(columns: &[&str], rows: &[Vec<Cell>]) -> ApiResult<Vec<u8>> {
    // Spreadsheets need the byte order mark to read Korean.
    let mut head = vec![0xef, 0xbb, 0xbf];
    let columns = columns.iter().map(|column| Cell::text(*column));
    head.extend(lines(&[columns.collect()])?);
    head.extend(lines(rows)?);
    Ok(head)
}

fn lines(rows: &[Vec<Cell>]) -> ApiResult<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Number(number) => number.to_string(),
            Cell::Decimal(number) => number.to_string(),
            Cell::Text(text) => harmless(text),
            Cell::Empty => String::new(),
        });
        writer.write_record(cells).map_err(ApiError::internal)?;
    }
    let bytes = writer.into_inner();
    bytes.map_err(|error| ApiError::internal(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_harmless_and_numbers_stay_numbers() {
        let rows = [vec![
            Cell::text("=HYPERLINK(\"x\")"),
            Cell::Number(-5),
            Cell::text("산타, 01"),
            Cell::Empty,
            Cell::text("@a"),
        ]];
        let text = String::from_utf8(lines(&rows).unwrap()).unwrap();
        assert_eq!(text, "\"'=HYPERLINK(\"\"x\"\")\",-5,\"산타, 01\",,'@a\r\n");
    }
}
