use xmas_kernel::{ErrorCode, Problem, Problems};
use xmas_texts::{Text, field};

use crate::error::{ApiError, ApiResult};

/// What is wrong with which line.
#[derive(Clone, Debug, Default)]
pub struct LineProblems {
    listed: Vec<Problem>,
    more: usize,
}

impl LineProblems {
    /// How many problems are listed one by one.
    pub const MAX_LISTED: usize = Problems::LISTED;

    pub fn note(&mut self, line: u64, column: &str, text: impl Into<Text>) {
        self.list(format!("line {line}.{column}"), text.into());
    }

    /// Of a line as a whole.
    pub(super) fn note_line(&mut self, line: u64, text: Text) {
        self.list(format!("line {line}"), text);
    }

    fn list(&mut self, place: String, text: Text) {
        if self.listed.len() < Self::MAX_LISTED {
            self.listed.push(Problem::new(place, text));
        } else {
            self.more += 1;
        }
    }

    /// The error that tells what is wrong with these: line, column and problem.
    pub fn of(problems: impl Iterator<Item = (u64, impl AsRef<str>, impl Into<Text>)>) -> ApiError {
        let mut all = Self::default();
        for (line, column, text) in problems {
            all.note(line, column.as_ref(), text);
        }
        let checked = all.check();
        checked
            .err()
            .unwrap_or_else(|| ApiError::new(ErrorCode::ValidationError))
    }

    /// `VALIDATION_ERROR` with what is wrong, if anything is.
    pub fn check(self) -> ApiResult<()> {
        let Self { mut listed, more } = self;
        if listed.is_empty() {
            return Ok(());
        }
        if more > 0 {
            listed.push(Problem::new("csv", field::more_problems(more)));
        }
        Err(ApiError::problems(listed))
    }
}

#[cfg(test)]
mod tests {
    use xmas_texts::Language;

    use super::*;

    #[test]
    fn problems_are_listed_up_to_a_bound() {
        let mut problems = LineProblems::default();
        assert!(problems.clone().check().is_ok());
        for line in 0..150 {
            problems.note(line, "amount", field::kind_number());
        }
        let body = problems
            .check()
            .unwrap_err()
            .body_for_operators("", Language::English);
        let body = serde_json::to_value(body).unwrap();
        let details = body["error"]["details"].as_object().unwrap();
        assert_eq!(details.len(), LineProblems::MAX_LISTED + 1);
        let more = "the table has 50 more problems that are not listed.";
        assert_eq!(details["csv"][0], more);
        let first = "line 0: amount must be a number.";
        assert_eq!(
            body["detail"],
            format!("{first} (and more, see error.details)")
        );
    }
}
