use std::{collections::BTreeMap, future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, http::header, web::Bytes};
use xmas_kernel::{ErrorCode, Problem};

use super::command::read;
use crate::error::{ApiError, ApiResult, Details};

/// An uploaded table as it came: UTF-8, with or without a byte order mark.
#[derive(Clone, Debug)]
pub(crate) struct CsvUpload {
    pub(crate) bytes: Bytes,
}

/// The rows of a table, by the names of its columns.
#[derive(Clone, Debug)]
pub(crate) struct CsvTable {
    pub(crate) rows: Vec<CsvRow>,
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct CsvRow {
    /// Its line in the file, from 1.
    pub(crate) line: u64,
    cells: BTreeMap<&'static str, String>,
}

/// What is wrong with which line.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineProblems {
    listed: Details,
    more: usize,
}

/// How many rows a table may have; of ten megabytes none has more.
const MAX_ROWS: usize = 500_000;

impl CsvUpload {
    /// The table, which may have these columns, in any order, and must have those of `required`. Empty
    /// lines are passed over, and so are empty cells.
    pub(crate) fn table(
        &self,
        columns: &[&'static str],
        required: &[&'static str],
    ) -> ApiResult<CsvTable> {
        let refused = |problem: String| ApiError::field("csv", problem);
        let text = std::str::from_utf8(&self.bytes).map_err(|_| {
            refused("is UTF-8; from a spreadsheet, save it as CSV UTF-8".to_owned())
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader
            .headers()
            .map_err(|error| refused(error.to_string()))?;
        let mut places: Vec<&'static str> = Vec::new();
        for name in header {
            let known = columns
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name));
            let Some(known) = known else {
                let known = columns.join(", ");
                return Err(refused(format!(
                    "has no column {name:?}; its first line names some of {known}"
                )));
            };
            if places.contains(known) {
                return Err(refused(format!("has the column {known} once")));
            }
            places.push(known);
        }
        if let Some(missing) = required.iter().find(|name| !places.contains(name)) {
            return Err(refused(format!("has a column {missing}")));
        }
        let mut rows = Vec::new();
        let mut lines = LineCounter::new(text);
        for record in reader.records() {
            let record = record.map_err(|error| refused(error.to_string()))?;
            if rows.len() == MAX_ROWS {
                return Err(refused(format!("has up to {MAX_ROWS} rows")));
            }
            let cells = places.iter().zip(&record);
            let cells = cells.filter(|(_, cell)| !cell.is_empty());
            rows.push(CsvRow {
                line: record.position().map_or(0, |place| lines.at(place.byte())),
                cells: cells
                    .map(|(name, cell)| (*name, as_written(cell)))
                    .collect(),
            });
        }
        if rows.is_empty() {
            return Err(refused(
                "has at least one row below its first line".to_owned(),
            ));
        }
        Ok(CsvTable { rows })
    }
}

/// Finds the line of a record. The parser's own count is behind by what it has passed over: empty lines,
/// and half of a line break of two characters.
struct LineCounter<'a> {
    text: &'a [u8],
    seen: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            seen: 0,
            line: 1,
        }
    }

    /// The line of the first character from a byte on; asked in rising order.
    fn at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(next) = self.text.get(self.seen) {
            if self.seen >= byte && !matches!(next, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*next == b'\n');
            self.seen += 1;
        }
        self.line
    }
}

/// What was written before an export made it harmless; see [`crate::routes::export::Cell`].
fn as_written(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if crate::routes::export::is_formula(rest.trim_start_matches('\'')) => {
            rest.to_owned()
        }
        _ => cell.to_owned(),
    }
}

impl CsvRow {
    /// A cell; `None` if it is empty, or if the table has no such column.
    pub(crate) fn get(&self, column: &'static str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }
}

/// Numbers of rows that are told apart by their index; see [`super::Source`].
impl CsvRow {
    /// A number that must be there; 0 if it is not.
    pub(crate) fn number(
        &self,
        index: usize,
        column: &'static str,
        problems: &mut Vec<Problem>,
    ) -> i64 {
        let number = self.get(column).and_then(|cell| cell.parse().ok());
        if number.is_none() {
            problems.push(Problem::new(format!("{index}.{column}"), WHOLE_NUMBER));
        }
        number.unwrap_or_default()
    }

    /// A number that may be missing.
    pub(crate) fn number_if_any(
        &self,
        index: usize,
        column: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<i64> {
        self.get(column)?;
        Some(self.number(index, column, problems))
    }
}

const WHOLE_NUMBER: &str = "is a whole number";

impl LineProblems {
    /// How many problems are listed one by one.
    pub(crate) const MAX_LISTED: usize = 100;

    pub(crate) fn note(&mut self, line: u64, column: &str, problem: impl Into<String>) {
        if self.listed.len() < Self::MAX_LISTED {
            let of_cell = self.listed.entry(format!("line {line}.{column}"));
            of_cell.or_default().push(problem.into());
        } else {
            self.more += 1;
        }
    }

    /// The error that tells what is wrong with these: line, column and problem.
    pub(crate) fn of(
        problems: impl Iterator<Item = (u64, impl AsRef<str>, impl Into<String>)>,
    ) -> ApiError {
        let mut all = Self::default();
        for (line, column, problem) in problems {
            all.note(line, column.as_ref(), problem);
        }
        let checked = all.check();
        checked
            .err()
            .unwrap_or_else(|| ApiError::new(ErrorCode::ValidationError))
    }

    /// `VALIDATION_ERROR` with what is wrong, if anything is.
    pub(crate) fn check(self) -> ApiResult<()> {
        let Self { mut listed, more } = self;
        if listed.is_empty() {
            return Ok(());
        }
        if more > 0 {
            let problem = format!("has {more} more problems");
            listed.insert("csv".to_owned(), vec![problem]);
        }
        Err(ApiError::validation(listed))
    }
}

/// Whether a request brings a table rather than JSON.
pub(crate) fn is_csv(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next());
    let media_type = media_type.unwrap_or_default().trim();
    ["text/csv", "application/csv", "application/vnd.ms-excel"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
}

impl FromRequest for CsvUpload {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = Bytes::from_request(request, payload);
        let packed = request.headers().get(header::CONTENT_ENCODING);
        let packed = packed.is_some_and(|encoding| encoding != "identity");
        let fits = is_csv(request) && !packed;
        Box::pin(async move {
            if !fits {
                return Err(ApiError::new(ErrorCode::UnsupportedMediaType).into());
            }
            let bytes = read(bytes).await?;
            Ok(Self { bytes })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 3] = ["external_id", "amount", "memo"];

    fn table(text: &str) -> ApiResult<CsvTable> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        CsvUpload { bytes }.table(&COLUMNS, &["external_id"])
    }

    fn problem(text: &str) -> String {
        let body = table(text).unwrap_err().body("");
        let body = serde_json::to_value(body).unwrap();
        body["error"]["details"]["csv"][0]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_spreadsheet_s_file_is_read() {
        let text = "\u{feff}Amount,EXTERNAL_ID\r\n5,\"산타, 01\"\r\n\r\n ,\"a\"\"b\"\r\n";
        let rows = table(text).unwrap().rows;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].get("external_id"), Some("산타, 01"));
        assert_eq!(
            (rows[0].get("amount"), rows[0].get("memo")),
            (Some("5"), None)
        );
        assert_eq!(rows[1].get("external_id"), Some("a\"b"));
        assert_eq!((rows[0].line, rows[1].line), (2, 4));
        assert_eq!(rows[1].get("amount"), None);
        let folded = table("external_id,memo\n\n\na,\"1\n2\"\nb,\n")
            .unwrap()
            .rows;
        assert_eq!((folded[0].line, folded[1].line), (4, 6));
    }

    #[test]
    fn what_is_not_the_table_is_refused_by_name() {
        assert!(problem("external_id,gift\na,b\n").contains("\"gift\""));
        assert!(problem("external_id,external_id\na,b\n").contains("once"));
        assert!(problem("amount\n5\n").contains("external_id"));
        assert!(problem("external_id\n").contains("at least one row"));
        assert!(problem("").contains("external_id"));
        assert!(problem("external_id,amount\na\n").contains("2 fields"));
        let latin = Bytes::from_static(b"external_id\n\xbb\xea\n");
        assert!(CsvUpload { bytes: latin }.table(&COLUMNS, &[]).is_err());
    }

    #[test]
    fn what_an_export_made_harmless_is_read_back() {
        for text in [
            "=1+1", "+82", "-5", "@name", "'=x", "''=x", "plain", "'plain", "a=b",
        ] {
            let exported = crate::routes::export::harmless(text);
            assert_eq!(as_written(&exported), text);
        }
    }

    #[test]
    fn problems_are_listed_up_to_a_bound() {
        let mut problems = LineProblems::default();
        assert!(problems.clone().check().is_ok());
        for line in 0..150 {
            problems.note(line, "amount", "is a number");
        }
        let body = problems.check().unwrap_err().body("");
        let body = serde_json::to_value(body).unwrap();
        let details = body["error"]["details"].as_object().unwrap();
        assert_eq!(details.len(), LineProblems::MAX_LISTED + 1);
        assert_eq!(details["csv"][0], "has 50 more problems");
    }
}
