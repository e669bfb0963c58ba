use std::fmt::Display;

use crate::ErrorCode;

/// What is wrong with one field of something that is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field's name in the contract, such as `prizes.2.weight` or `end_date`.
    pub field: String,
    /// Reads as a sentence after the field's name.
    pub text: String,
    /// What a client is told if this is the first problem: most are a `VALIDATION_ERROR`, some have a
    /// code of their own (api.md §2).
    pub code: ErrorCode,
}

impl Problem {
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self::coded(ErrorCode::ValidationError, field, text)
    }

    /// A problem with a code of its own.
    pub fn coded(code: ErrorCode, field: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            text: text.into(),
            code,
        }
    }
}

/// Collects problems: `problems.expect(holds, field, text)`.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem unless `holds`.
    pub fn expect(&mut self, holds: bool, field: impl Into<String>, text: &str) {
        self.expect_or(ErrorCode::ValidationError, holds, field, text);
    }

    /// Notes a problem with a code of its own unless `holds`.
    pub fn expect_or(
        &mut self,
        code: ErrorCode,
        holds: bool,
        field: impl Into<String>,
        text: &str,
    ) {
        if !holds {
            self.0.push(Problem::coded(code, field, text));
        }
    }

    /// Notes why a text cannot be kept, if it cannot.
    pub fn expect_fit(&mut self, fit: Result<(), impl Display>, field: impl Into<String>) {
        if let Err(unfit) = fit {
            self.push(Problem::new(field, unfit.to_string()));
        }
    }

    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub fn extend(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// The largest number that is taken from anybody, and the most below zero: every client's numbers hold it
/// exactly, also those of JavaScript (up to 2^53).
pub const MAX_NUMBER: i64 = 9_000_000_000_000_000;
