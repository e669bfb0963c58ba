//! The file `.env`: a `NAME=value` on each line.
//!
//! A value means the same here as in the environment: `$` and `\` are just characters. What other
//! readers of such files understand in their own ways is refused.

use xmas_texts::{Text, setting};

/// What one line sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) value: String,
}

/// A line that cannot be understood. Nothing of it is shown, since a secret may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// From 1.
    pub(super) number: usize,
    pub(super) problem: Text,
}

/// What the lines set, in their order.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Line>, Malformed> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut lines: Vec<Line> = Vec::new();
    for (number, line) in (1..).zip(file.split(|byte| *byte == b'\n')) {
        let malformed = |problem| Malformed { number, problem };
        let line = str::from_utf8(line).map_err(|_| malformed(setting::line_not_text()))?;
        let Some(line) = parse_line(line.trim()).map_err(malformed)? else {
            continue;
        };
        if lines.iter().any(|earlier| earlier.name == line.name) {
            return Err(malformed(setting::line_again()));
        }
        lines.push(line);
    }
    Ok(lines)
}

fn parse_line(line: &str) -> Result<Option<Line>, Text> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    };
    let (name, value) = line.split_once('=').ok_or_else(setting::line_form)?;
    let name = name.trim_end();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(is_name)
    {
        return Err(setting::line_form());
    }
    Ok(Some(Line {
        name: name.to_owned(),
        value: parse_value(value)?.to_owned(),
    }))
}

/// The text between quotes, or up to a comment.
fn parse_value(written: &str) -> Result<&str, Text> {
    let value = written.trim_start();
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (value, rest) = value[1..]
            .split_once(quote)
            .ok_or_else(setting::line_open_quote)?;
        let is_comment =
            rest.is_empty() || rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
        if !is_comment {
            return Err(setting::line_behind_quote());
        }
        return Ok(value);
    }
    if value.starts_with('#') {
        // A comment after nothing, or the first character of a secret.
        return if value.len() < written.len() {
            Ok("")
        } else {
            Err(setting::line_bare_hash())
        };
    }
    let end = [" #", "\t#"]
        .iter()
        .filter_map(|mark| value.find(mark))
        .min();
    let value = value[..end.unwrap_or(value.len())].trim_end();
    if value.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')) {
        return Err(setting::line_bare_spaces());
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_means_what_it_would_in_the_environment() {
        for (line, name, value) in [
            ("A=b", "A", "b"),
            ("  export\tA = b  ", "A", "b"),
            ("export=b", "export", "b"),
            ("A=", "A", ""),
            ("A=   # nothing", "A", ""),
            ("A=b # comment", "A", "b"),
            ("A=b#c", "A", "b#c"),
            ("A=pa$word${HOME}", "A", "pa$word${HOME}"),
            (r"A=a\nb\$", "A", r"a\nb\$"),
            (r#"A="a\nb $HOME # c" # comment"#, "A", r"a\nb $HOME # c"),
            ("A='a \"b\"'", "A", "a \"b\""),
            ("A=\"it's\"", "A", "it's"),
            ("A=a=b=", "A", "a=b="),
            ("A='#b'", "A", "#b"),
        ] {
            let set = parse(line.as_bytes()).unwrap();
            let expected = Line {
                name: name.to_owned(),
                value: value.to_owned(),
            };
            assert_eq!(set, [expected], "{line}");
        }
        let file = "\u{feff}# a comment\r\n\r\nA=1\r\nB=2";
        assert_eq!(parse(file.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn a_malformed_line_is_told_by_its_number_only() {
        for line in [
            "S3cret",
            "S3-cret=x",
            "3S=S3cret",
            "=S3cret",
            "A: S3cret",
            "A='S3cret",
            "A=\"S3cret",
            "A='S3cret'S3cret",
            "A='S3cret' S3cret",
            "A=S3cret'x'",
            "A=S3 cret",
            "A=#S3cret",
            "B=S3cret",
        ] {
            let file = format!("B=1\n\n{line}\nC=2");
            let malformed = parse(file.as_bytes()).unwrap_err();
            assert_eq!(malformed.number, 3, "{line}");
            let told = format!("{malformed:?}");
            assert!(told.contains("must ") && !told.contains("S3"), "{told}");
        }
        let malformed = parse(b"A=1\nB=\xff").unwrap_err();
        assert_eq!(
            (malformed.number, malformed.problem),
            (2, setting::line_not_text())
        );
    }

    proptest! {
        #[test]
        fn any_file_is_lines_that_set_something_or_refused_without_a_word_of_it(
            file in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                "([A-Z0-9_]{0,3} ?= ?[\"'#$a ]{0,9}\n){0,4}S3cret".prop_map(String::into_bytes),
            ],
        ) {
            match parse(&file) {
                Ok(lines) => {
                    let mut names: Vec<_> = lines.iter().map(|line| &line.name).collect();
                    names.sort();
                    names.dedup();
                    prop_assert_eq!(names.len(), lines.len());
                    for line in &lines {
                        prop_assert!(!line.name.is_empty() && !line.value.contains('\n'));
                    }
                }
                Err(malformed) => {
                    let told = malformed.problem.to_string();
                    prop_assert!(malformed.number >= 1 && !told.contains("S3cret"), "{}", told);
                }
            }
        }

        #[test]
        fn a_value_in_quotes_is_what_was_written(name in "[A-Z_][A-Z0-9_]{0,8}", value in "[^'\r\n]{0,40}") {
            let lines = parse(format!("{name}='{value}'").as_bytes()).unwrap();
            prop_assert_eq!(lines, [Line { name, value }]);
        }
    }
}
