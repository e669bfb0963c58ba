use xmas_texts::{Language, Place, Text};

use crate::ErrorCode;

/// What is wrong with one field of something that is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's name in the contract, such as `prizes.2.weight` or `end_date`.
    pub field: String,
    /// What people call the item of a list that the field belongs to, such as the prize's label.
    pub label: Option<String>,
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
            text: text.into(),
            code,
        }
    }

    /// A sentence that says what is wrong with which field, for people.
    pub fn sentence(&self, language: Language) -> String {
        let place = Place {
            path: &self.field,
            label: self.label.as_deref(),
        };
        place.sentence(&self.text, language)
    }
}

/// Collects problems: `problems.expect(holds, field, text)`.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    all: Vec<Problem>,
    /// The path of an item of a list, such as `prizes.2`, and what people call it.
    labels: Vec<(String, String)>,
}

impl Problems {
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
            self.all.push(Problem::coded(code, field, text));
        }
    }

    /// Notes why a text cannot be kept, if it cannot.
    pub fn expect_fit(&mut self, fit: Result<(), impl Into<Text>>, field: impl Into<String>) {
        if let Err(unfit) = fit {
            self.push(Problem::new(field, unfit));
        }
    }

    pub fn push(&mut self, problem: Problem) {
        self.all.push(problem);
    }

    pub fn extend(&mut self, problems: Vec<Problem>) {
        self.all.extend(problems);
    }

    /// Says what people call an item of a list, whose path is such as `prizes.2`: its problems name it.
    pub fn call(&mut self, item: String, label: &str) {
        self.labels.push((item, label.to_owned()));
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn into_vec(self) -> Vec<Problem> {
        let Self { mut all, labels } = self;
        for problem in &mut all {
            let is_within = |(item, _): &&(String, String)| {
                let rest = problem.field.strip_prefix(item.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let label = labels
                .iter()
                .find(is_within)
                .map(|(_, label)| label.clone());
            problem.label = problem.label.take().or(label);
        }
        all
    }
}

/// The largest number that is taken from anybody, and the most below zero: every client's numbers hold it
/// exactly, also those of JavaScript (up to 2^53).
pub const MAX_NUMBER: i64 = 9_000_000_000_000_000;
