use std::{collections::BTreeMap, iter};

use xmas_kernel::Problem;
use xmas_texts::{Text, csv, field, quoted};

use crate::{
    error::{ApiError, ApiResult},
    extract::csv::{
        LineProblems,
        cell::{as_written, damage, is_scientific, whole_number},
        scan::{BYTE_ORDER_MARK, Cell, Malformed, Record, Records},
    },
};

/// A column that a table may have, in any case and any place.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// What names something, so that a digit that is lost names something else.
    Id,
    /// An id that keeps the spaces which stand between quotes.
    Secret,
}

impl Column {
    /// Spaces around it are no part of it. Numbers are texts too: see [`CsvRow::whole_number`].
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// As text, but refused where a spreadsheet has taken it for a number and lost the end of it.
    pub const fn id(name: &'static str) -> Self {
        Self::new(name, Kind::Id)
    }

    /// As an id; between quotes every space counts.
    pub const fn secret(name: &'static str) -> Self {
        Self::new(name, Kind::Secret)
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            required: false,
        }
    }

    /// A table must have this column; its cells may be empty.
    pub const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }
}

/// The rows of a table, by the names of its columns.
#[derive(Clone, Debug)]
pub struct CsvTable {
    pub rows: Vec<CsvRow>,
}

/// One row.
#[derive(Clone, Debug)]
pub struct CsvRow {
    /// Its line in the file, from 1.
    pub line: u64,
    cells: BTreeMap<&'static str, String>,
}

/// How many rows a table may have; of ten megabytes none has more.
const MAX_ROWS: usize = 500_000;
/// What stands between cells; of two that cut a line equally well it is the first.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// Which column each place of a record belongs to; `None` if that place has no name.
type Places = Vec<Option<Column>>;

impl CsvTable {
    /// Reads a table with these columns from a text. Rows of nothing, columns of nothing and what a spreadsheet
    /// leaves empty at the end of a line are passed over.
    pub(super) fn read(text: &str, columns: &[Column]) -> ApiResult<Self> {
        let mut records = records(text, columns)?;
        let first = records.find(|record| !record.as_ref().is_ok_and(Record::is_nothing));
        let first = first.transpose().map_err(malformed)?;
        let first = first.unwrap_or(Record {
            line: 1,
            cells: Vec::new(),
        });
        // A list of one column needs no name above it.
        let (places, headless) = match list(&first, columns) {
            Some(places) => (places, Some(Ok(first))),
            None => (header(&first, columns)?, None),
        };
        let mut rows = Vec::new();
        let mut problems = LineProblems::default();
        for record in headless.into_iter().chain(records) {
            let record = record.map_err(malformed)?;
            if record.is_nothing() {
                continue;
            }
            if rows.len() == MAX_ROWS {
                return Err(refused(csv::too_many_rows(MAX_ROWS)));
            }
            rows.push(row(&record, &places, &mut problems));
        }
        problems.check()?;
        if rows.is_empty() {
            return Err(refused(csv::no_rows()));
        }
        Ok(Self { rows })
    }
}

fn refused(text: Text) -> ApiError {
    ApiError::field("csv", text)
}

fn malformed(Malformed { line, problem }: Malformed) -> ApiError {
    ApiError::field(format!("line {line}"), problem)
}

/// The records of a text, cut where its line `sep=;` says, or else in the way that finds the most names of
/// columns in its first record, or else the most cells.
fn records<'a>(text: &'a str, columns: &[Column]) -> ApiResult<Records<'a>> {
    let start = text.trim_start_matches(BYTE_ORDER_MARK);
    let end = start.find(['\r', '\n']).unwrap_or(start.len());
    let (line, rest) = start.split_at(end);
    let line = line.trim_matches('"');
    if let (Some(said), Some(named)) = (line.get(..4), line.get(4..))
        && said.eq_ignore_ascii_case("sep=")
    {
        let known = DELIMITERS
            .into_iter()
            .find(|known| named == known.to_string());
        let delimiter = known.ok_or_else(|| refused(csv::separator()))?;
        return Ok(Records::new(rest, delimiter, 1));
    }
    let fit = |delimiter: &char| {
        let first = Records::new(text, *delimiter, 1).next();
        let cells = first
            .and_then(Result::ok)
            .map_or(Vec::new(), |record| record.cells);
        let known = cells.iter().filter(|cell| named(cell, columns).is_some());
        (known.count(), cells.len())
    };
    // Of equals the last one is the greatest.
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(fit);
    Ok(Records::new(text, delimiter.unwrap_or(','), 1))
}

/// The column that a cell of the first line names.
fn named(cell: &Cell, columns: &[Column]) -> Option<Column> {
    let name = trimmed(&cell.text);
    let mut columns = columns.iter();
    columns
        .find(|column| column.name.eq_ignore_ascii_case(name))
        .copied()
}

/// Without the spaces around it and the marks before it.
fn trimmed(text: &str) -> &str {
    let text =
        text.trim_start_matches(|sign: char| sign == BYTE_ORDER_MARK || sign.is_whitespace());
    text.trim_end()
}

/// Where the cells of a list without a first line are; `None` if that is no such list. What has no digit is
/// taken for a name that nobody knows, and not for a code.
fn list(first: &Record, columns: &[Column]) -> Option<Places> {
    let [only] = columns else { return None };
    let is_filled = |cell: &Cell| !trimmed(&cell.text).is_empty();
    let mut filled = first.cells.iter().filter(|cell| is_filled(cell));
    let (alone, None) = (filled.next()?, filled.next()) else {
        return None;
    };
    let has_digit = alone.text.contains(|sign: char| sign.is_ascii_digit());
    let place = |cell: &Cell| is_filled(cell).then_some(*only);
    has_digit.then(|| first.cells.iter().map(place).collect())
}

/// The columns that the first line names.
fn header(first: &Record, columns: &[Column]) -> ApiResult<Places> {
    let mut places = Places::new();
    let has = |places: &Places, wanted: &Column| {
        let mut named = places.iter().flatten();
        named.any(|place| place.name == wanted.name)
    };
    for cell in &first.cells {
        let name = trimmed(&cell.text);
        let column = named(cell, columns);
        match column {
            None if !name.is_empty() => return Err(unknown(name, columns)),
            Some(column) if has(&places, &column) => {
                return Err(refused(csv::column_twice(column.name)));
            }
            _ => places.push(column),
        }
    }
    let mut required = columns.iter().filter(|column| column.required);
    match required.find(|column| !has(&places, column)) {
        Some(missing) => Err(refused(csv::column_missing(missing.name))),
        None => Ok(places),
    }
}

fn unknown(name: &str, columns: &[Column]) -> ApiError {
    if let [only] = columns {
        // What stands here may well be a code, and is not repeated.
        return refused(csv::one_column(only.name));
    }
    let known: Vec<&'static str> = columns.iter().map(|column| column.name).collect();
    // So may a password.
    let has_secrets = columns.iter().any(|column| column.kind == Kind::Secret);
    refused(match has_secrets {
        true => csv::columns(known),
        false => csv::columns_not(known, quoted(name)),
    })
}

/// A record by the names of its columns, without its empty cells.
fn row(record: &Record, places: &Places, problems: &mut LineProblems) -> CsvRow {
    let line = record.line;
    let last = places.iter().rposition(Option::is_some);
    let least = last.map_or(0, |last| last + 1);
    if record.cells.len() < least {
        problems.note_line(line, csv::too_few_cells(least, record.cells.len()));
    }
    let mut cells = BTreeMap::new();
    let places = places.iter().copied().chain(iter::repeat(None));
    for (cell, column) in record.cells.iter().zip(places) {
        let text = trimmed(&cell.text);
        let Some(column) = column else {
            if !text.is_empty() {
                problems.note_line(line, csv::nameless_cell());
            }
            continue;
        };
        let text = match column.kind {
            Kind::Secret if cell.quoted => cell.text.trim_start_matches(BYTE_ORDER_MARK),
            Kind::Secret | Kind::Id | Kind::Text => text,
        };
        if text.is_empty() {
            continue;
        }
        if let Some(problem) = damage(text) {
            problems.note(line, column.name, problem);
        } else if column.kind != Kind::Text && is_scientific(text) {
            problems.note(line, column.name, csv::scientific(quoted(text)));
        }
        cells.insert(column.name, as_written(text).to_owned());
    }
    CsvRow { line, cells }
}

impl CsvRow {
    /// A cell; `None` if it is empty, or if the table has no such column.
    pub fn get(&self, column: &'static str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// The number in a cell, if there is any, or what it must be instead.
    pub fn whole_number(&self, column: &'static str) -> Result<Option<i64>, Text> {
        self.get(column).map(whole_number).transpose()
    }
}

/// Numbers of rows that are told apart by their index; see [`super::super::Source`].
impl CsvRow {
    /// A number that must be there; 0 if it is not.
    pub fn number(&self, index: usize, column: &'static str, problems: &mut Vec<Problem>) -> i64 {
        let number = self.number_if_any(index, column, problems);
        if number.is_none() && self.get(column).is_none() {
            problems.push(Problem::new(format!("{index}.{column}"), field::required()));
        }
        number.unwrap_or_default()
    }

    /// A number that may be missing.
    pub fn number_if_any(
        &self,
        index: usize,
        column: &'static str,
        problems: &mut Vec<Problem>,
    ) -> Option<i64> {
        self.whole_number(column).unwrap_or_else(|problem| {
            problems.push(Problem::new(format!("{index}.{column}"), problem));
            None
        })
    }
}
