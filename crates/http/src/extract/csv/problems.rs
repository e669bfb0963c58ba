use xmas_kernel::ErrorCode;

use crate::error::{ApiError, ApiResult, Details};

/// What is wrong with which line.
#[derive(Clone, Debug, Default)]
pub struct LineProblems {
    listed: Details,
    more: usize,
}

impl LineProblems {
    /// How many problems are listed one by one.
    pub const MAX_LISTED: usize = 100;

    pub fn note(&mut self, line: u64, column: &str, problem: impl Into<String>) {
        self.list(format!("line {line}.{column}"), problem.into());
    }

    /// Of a line as a whole.
    pub(super) fn note_line(&mut self, line: u64, problem: impl Into<String>) {
        self.list(format!("line {line}"), problem.into());
    }

    fn list(&mut self, place: String, problem: String) {
        if self.listed.len() < Self::MAX_LISTED {
            self.listed.entry(place).or_default().push(problem);
        } else {
            self.more += 1;
        }
    }

    /// The error that tells what is wrong with these: line, column and problem.
    pub fn of(
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
    pub fn check(self) -> ApiResult<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
