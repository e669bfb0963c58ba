use std::fmt;

use xmas_texts::{Language, Place, Text, field};

use crate::ErrorCode;

/// What is wrong with one field of something that is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's name in the contract, such as `prizes.2.weight` or `end_date`.
    pub field: String,
    /// What people call the item of a list that the field belongs to, such as the prize's label.
    pub label: Option<Box<str>>,
    /// The last part of the field if nobody knows it here: a stranger's text, perhaps a secret in the wrong place.
    pub stranger: Option<Box<str>>,
    pub text: Text,
    /// What a client is told if this is the first problem: most are a `VALIDATION_ERROR`, some have a
    /// code of their own (docs/contract.md, "Codes").
    pub code: ErrorCode,
}

impl Problem {
    pub fn new(field: impl Into<String>, text: impl Into<Text>) -> Self {
        Self::coded(ErrorCode::ValidationError, field, text)
    }

    /// A problem with a code of its own.
    pub fn coded(code: ErrorCode, field: impl Into<String>, text: impl Into<Text>) -> Self {
        Self {
            field: field.into(),
            label: None,
            stranger: None,
            text: text.into(),
            code,
        }
    }

    /// A problem of a name that nobody knows below this path, which may be empty.
    pub fn of_stranger(path: &str, name: &str, text: Text) -> Self {
        let field = match path.is_empty() {
            true => name.to_owned(),
            false => format!("{path}.{name}"),
        };
        Self {
            stranger: Some(name.into()),
            ..Self::new(field, text)
        }
    }

    /// The field without what a stranger has called it, for the log.
    pub fn known_field(&self) -> String {
        match &self.stranger {
            Some(_) => format!("{}?", self.known_path()),
            None => self.field.clone(),
        }
    }

    /// The field, without its last part if that is a stranger's.
    fn known_path(&self) -> &str {
        let Some(name) = &self.stranger else {
            return &self.field;
        };
        self.field.strip_suffix(&**name).unwrap_or_default()
    }

    /// A sentence that says what is wrong with which field, for people.
    pub fn sentence(&self, language: Language) -> String {
        let place = Place {
            path: self.known_path().trim_end_matches('.'),
            label: self.label.as_deref(),
            stranger: self.stranger.as_deref(),
        };
        place.sentence(&self.text, language)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence(Language::English))
    }
}

impl std::error::Error for Problem {}

/// Collects problems: `problems.expect(holds, field, text)`.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The first [`Problems::LISTED`].
    all: Vec<Problem>,
    /// How many there are besides.
    unlisted: usize,
    /// The path of an item of a list, such as `prizes.2`, and what people call it.
    labels: Vec<(String, Box<str>)>,
}

impl Problems {
    /// How many are told one by one: an answer is never much longer than its request.
    pub const LISTED: usize = 100;

    /// Notes a problem unless `holds`.
    pub fn expect(&mut self, holds: bool, field: impl Into<String>, text: impl Into<Text>) {
        self.expect_or(ErrorCode::ValidationError, holds, field, text);
    }

    /// Notes a problem with a code of its own unless `holds`.
    pub fn expect_or(
        &mut self,
        code: ErrorCode,
        holds: bool,
        field: impl Into<String>,
        text: impl Into<Text>,
    ) {
        if !holds {
            self.push(Problem::coded(code, field, text));
        }
    }

    /// Notes why a text cannot be kept, if it cannot.
    pub fn expect_fit(&mut self, fit: Result<(), impl Into<Text>>, field: impl Into<String>) {
        if let Err(unfit) = fit {
            self.push(Problem::new(field, unfit));
        }
    }

    pub fn push(&mut self, problem: Problem) {
        match self.all.len() < Self::LISTED {
            true => self.all.push(problem),
            false => self.unlisted += 1,
        }
    }

    pub fn extend(&mut self, problems: Vec<Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Says what people call an item of a list, whose path is such as `prizes.2`: its problems name it.
    pub fn label(&mut self, item: String, label: &str) {
        self.labels.push((item, label.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that are listed, each with the label of the item that it is about, and how many more there are.
    pub fn into_vec(self) -> Vec<Problem> {
        let Self {
            mut all,
            unlisted,
            labels,
        } = self;
        for problem in &mut all {
            let is_within = |(item, _): &&(String, Box<str>)| {
                let rest = problem.field.strip_prefix(item.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let label = labels
                .iter()
                .find(is_within)
                .map(|(_, label)| label.clone());
            problem.label = problem.label.take().or(label);
        }
        if unlisted > 0 {
            all.push(Problem::new("body", field::more_problems(unlisted)));
        }
        all
    }
}

/// The largest number that is taken from anybody, and the most below zero: every client's numbers hold it
/// exactly, also those of JavaScript (up to 2^53).
pub const MAX_NUMBER: i64 = 9_000_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_listed_up_to_a_bound_and_name_their_item() {
        let mut problems = Problems::default();
        problems.label("rows.7".to_owned(), "배민 2만");
        for row in 0..250 {
            problems.expect(row % 2 == 1, format!("rows.{row}.a"), field::required());
            problems.expect(false, format!("rows.{row}.b"), field::required());
        }
        let problems = problems.into_vec();
        assert_eq!(problems.len(), Problems::LISTED + 1);
        let labelled = problems.iter().filter(|it| it.label.is_some());
        assert_eq!(labelled.count(), 1);
        let last = problems.last().unwrap();
        assert_eq!(last.text, field::more_problems(275));
    }
}
