//! What a spreadsheet does to a cell, and what is left of it.

use xmas_texts::{Text, csv, field, quoted};

use crate::{export::is_formula, extract::csv::scan::BYTE_ORDER_MARK};

/// What was written before an export made it harmless; see [`crate::export::Cell`].
pub(super) fn as_written(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'');
    let rest = rest.filter(|rest| is_formula(rest.trim_start_matches('\'')));
    rest.unwrap_or(cell)
}

/// What is left of a long number in a cell that is not text: `1.23457E+11`. The sign is always there, and an id
/// such as `12E34` is none.
pub(super) fn is_scientific(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((number, exponent)) = cell.split_once(['E', 'e']) else {
        return false;
    };
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['-', '+']);
    digits(whole) && digits(fraction) && exponent.is_some_and(digits)
}

/// What is wrong with a cell whatever its column is for.
pub(super) fn damage(cell: &str) -> Option<Text> {
    const ERRORS: [&str; 7] = [
        "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!",
    ];
    if cell.contains(BYTE_ORDER_MARK) {
        // Where one file ended without a line break and another one begins.
        Some(csv::byte_order_mark())
    } else {
        let error = ERRORS.into_iter().find(|error| *error == cell)?;
        Some(csv::formula_error(error))
    }
}

/// The whole number in a cell, or what it must be instead.
pub(super) fn whole_number(cell: &str) -> Result<i64, Text> {
    cell.parse().map_err(|_| {
        let is_separator =
            |sign| matches!(sign, ',' | '.' | '\'' | '_') || char::is_whitespace(sign);
        if is_scientific(cell) {
            csv::scientific(quoted(cell))
        } else if cell.contains(is_full_width_digit) {
            csv::full_width_digits(quoted(cell))
        } else if cell.contains(is_separator)
            && cell
                .chars()
                .all(|sign| sign.is_ascii_digit() || is_separator(sign))
        {
            csv::separated_digits(quoted(cell))
        } else {
            field::whole_number(quoted(cell))
        }
    })
}

fn is_full_width_digit(sign: char) -> bool {
    matches!(sign, '\u{ff10}'..='\u{ff19}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_export_made_harmless_is_read_back() {
        for text in [
            "=1+1", "+82", "-5", "@name", "'=x", "''=x", "plain", "'plain", "a=b",
        ] {
            let exported = crate::export::harmless(text);
            assert_eq!(as_written(&exported), text);
        }
    }

    #[test]
    fn a_long_number_that_a_spreadsheet_has_shortened_is_known() {
        for cell in ["1.23457E+11", "1E+11", "1,23457E+11", "-1.5e-7"] {
            assert!(is_scientific(cell), "{cell}");
        }
        for cell in [
            "",
            "E+1",
            "12E34",
            "1e5",
            "1.E+5",
            "A1E+5",
            "1E+",
            "BM20-E+11",
            "1E+5A",
            "E",
        ] {
            assert!(!is_scientific(cell), "{cell}");
        }
    }

    #[test]
    fn numbers_are_whole_or_told_what_they_must_be() {
        for (cell, number) in [("0", 0), ("-5", -5), ("007", 7), ("+5", 5)] {
            assert_eq!(whole_number(cell), Ok(number));
        }
        for (cell, hint) in [
            ("1,000", "separators"),
            ("1.000,5", "separators"),
            ("1 000", "separators"),
            ("1\u{a0}000", "separators"),
            ("１０", "0 to 9"),
            ("1E+05", "text"),
            ("5개", "must be a whole number"),
            ("", "must be a whole number"),
            ("99999999999999999999", "must be a whole number"),
        ] {
            let problem = whole_number(cell).unwrap_err().to_string();
            assert!(problem.contains(hint), "{cell}: {problem}");
        }
        assert_eq!(whole_number("5개"), Err(field::whole_number(quoted("5개"))));
    }
}
