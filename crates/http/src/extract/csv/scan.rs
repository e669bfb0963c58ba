//! Where the cells of a table's text begin and end. The parsers that there are do not tell on which line a
//! record stands whatever ends its lines, nor which cells were quoted.

use xmas_texts::{Text, csv};

/// Marks the beginning of a file. Of files that were put together it stands in between, too.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The records of a table, in order; of lines with nothing in them there are none. After what is malformed
/// nothing follows.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    rest: &'a str,
    delimiter: char,
    /// Where `rest` begins.
    line: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// On which it begins, from 1.
    pub(super) line: u64,
    /// At least one.
    pub(super) cells: Vec<Cell>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Of a quoted one what stands between the quotes, of any other one everything.
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// What is no record, and on which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: u64,
    pub(super) problem: Text,
}

impl Record {
    /// Whether there are only delimiters, as spreadsheets write below what they have. Quotes around nothing
    /// are written on purpose.
    pub(super) fn is_nothing(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.all(|cell| !cell.quoted && cell.text.trim().is_empty())
    }
}

impl<'a> Records<'a> {
    /// `delimiter` is an ASCII character, and no quote or line break; `line` is that of the text's beginning.
    pub(super) fn new(text: &'a str, delimiter: char, line: u64) -> Self {
        Self {
            rest: text,
            delimiter,
            line,
        }
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell()?);
            match self.rest.strip_prefix(self.delimiter) {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        self.pass_line_break();
        Ok(Record { line, cells })
    }

    /// Reads a cell up to the delimiter, line break or end behind it.
    fn cell(&mut self) -> Result<Cell, Malformed> {
        self.rest = self.rest.trim_start_matches(BYTE_ORDER_MARK);
        if let Some(quoted) = self.rest.trim_start_matches(' ').strip_prefix('"') {
            self.rest = quoted;
            return self.quoted();
        }
        let is_end = |at: char| at == self.delimiter || matches!(at, '\r' | '\n');
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(Cell {
            text: text.to_owned(),
            quoted: false,
        })
    }

    /// Reads a cell from behind its opening quote.
    fn quoted(&mut self) -> Result<Cell, Malformed> {
        let malformed = |line, problem| Malformed { line, problem };
        let opened = self.line;
        let mut text = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once('"') else {
                return Err(malformed(opened, csv::open_quote()));
            };
            text.push_str(part);
            self.line += line_breaks(part);
            self.rest = rest;
            match rest.strip_prefix('"') {
                Some(rest) => {
                    text.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        self.rest = self.rest.trim_start_matches(' ');
        let next = self.rest.chars().next();
        if next.is_some_and(|next| next != self.delimiter && !matches!(next, '\r' | '\n')) {
            return Err(malformed(self.line, csv::behind_quote()));
        }
        Ok(Cell { text, quoted: true })
    }

    /// Whether there was one.
    fn pass_line_break(&mut self) -> bool {
        let rest = self.rest.strip_prefix("\r\n");
        match rest.or_else(|| self.rest.strip_prefix(['\r', '\n'])) {
            Some(rest) => {
                self.rest = rest;
                self.line += 1;
                true
            }
            None => false,
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest = self.rest.trim_start_matches(BYTE_ORDER_MARK);
        while self.pass_line_break() {
            self.rest = self.rest.trim_start_matches(BYTE_ORDER_MARK);
        }
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

/// How many lines end in a text, whatever ends them.
pub(super) fn line_breaks(text: &str) -> u64 {
    let mut count = 0;
    let mut after_return = false;
    for byte in text.bytes() {
        // A line feed behind a carriage return belongs to it.
        count += u64::from(byte == b'\r' || byte == b'\n' && !after_return);
        after_return = byte == b'\r';
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(u64, Vec<String>)> {
        let records = Records::new(text, ',', 1).map(Result::unwrap);
        let texts = |record: Record| record.cells.into_iter().map(|cell| cell.text).collect();
        records.map(|record| (record.line, texts(record))).collect()
    }

    fn cells(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "", "1,\"x", "y\"", "2,", ""].join(end);
            let folded = format!("x{end}y");
            let expected = [
                (1, cells(&["a", "b"])),
                (4, cells(&["1", &folded])),
                (6, cells(&["2", ""])),
            ];
            assert_eq!(records(&text), expected, "{end:?}");
            // The last line need not end.
            assert_eq!(records(text.trim_end()), expected, "{end:?}");
        }
        assert_eq!(line_breaks("\r\n\n\r\r\n"), 4);
    }

    #[test]
    fn quotes_keep_what_is_between_them() {
        let all = records("\"a,\"\"b\"\"\" , \" x \",5\" disk,\"\"\n");
        assert_eq!(all, [(1, cells(&["a,\"b\"", " x ", "5\" disk", ""]))]);
        assert_eq!(records(""), []);
        assert_eq!(records("\r\n\n"), []);
        assert_eq!(records(","), [(1, cells(&["", ""]))]);
        let nothing = |text| {
            Records::new(text, ',', 1)
                .next()
                .unwrap()
                .unwrap()
                .is_nothing()
        };
        assert!(nothing(", ,") && !nothing("\"\"") && !nothing(",a"));
    }

    #[test]
    fn marks_at_the_beginning_of_cells_are_passed_over() {
        let text = "\u{feff}\u{feff}a,\u{feff}b\n\u{feff}\"1\",2\n\u{feff}\n\u{feff}3,4\u{feff}";
        let expected = [
            (1, cells(&["a", "b"])),
            (2, cells(&["1", "2"])),
            (4, cells(&["3", "4\u{feff}"])),
        ];
        assert_eq!(records(text), expected);
    }

    #[test]
    fn what_is_malformed_is_told_with_its_line_and_ends_the_table() {
        for (text, line) in [
            ("a\nb,\"c\nd\ne", 2),
            ("a\n\"b\nc\"d\ne", 3),
            ("a\n\"b\"\"\ne", 2),
        ] {
            let mut records = Records::new(text, ',', 1);
            records.next().unwrap().unwrap();
            assert_eq!(records.next().unwrap().unwrap_err().line, line, "{text:?}");
            assert_eq!(records.next(), None);
        }
    }
}
