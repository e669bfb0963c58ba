use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::bail;
use serde_json::json;
use xmas_event_file::{CheckedFile, PlacedProblem, read};
use xmas_texts::{Language, event_file as texts};
use xmas_time::EventDay;

use super::report::{self, tell};

/// A file that is named on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct FileArg {
    /// The file.
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

impl FileArg {
    /// The event that the file says; or what is wrong with it.
    fn read(&self, today: EventDay) -> anyhow::Result<Result<CheckedFile, Vec<PlacedProblem>>> {
        let shown = self.path.display().to_string();
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) => bail!(texts::unusable(shown, error.to_string())),
        };
        match String::from_utf8(text) {
            Ok(text) => Ok(read(&text, today)),
            Err(error) => bail!(texts::unusable(shown, error.to_string())),
        }
    }

    /// The event that the file says. What is wrong with it is told; then there is none.
    pub(super) fn checked(
        &self,
        today: EventDay,
        as_json: bool,
    ) -> anyhow::Result<Option<CheckedFile>> {
        match self.read(today)? {
            Ok(file) => return Ok(Some(file)),
            Err(problems) if as_json => self.tell_problems(&problems)?,
            Err(problems) => self.print(&problems),
        }
        Ok(None)
    }

    /// What is wrong with the file, for programs.
    pub(super) fn tell_problems(&self, problems: &[PlacedProblem]) -> anyhow::Result<()> {
        let problems = report::problems(problems, Language::of_environment());
        tell(&json!({ "problems": problems }).to_string())
    }

    /// Why the database refuses it.
    pub(super) fn print_refused(&self, problems: &[PlacedProblem]) {
        let refused = texts::refused().in_language(Language::of_environment());
        eprintln!("{refused}:");
        self.print(problems);
    }

    /// Whether another path is this file.
    pub(super) fn is(&self, path: &Path) -> bool {
        let found = |path: &Path| path.canonicalize().ok();
        found(path).is_some_and(|other| found(&self.path) == Some(other))
    }

    /// Each with the file's name, its line and its column, as editors and people know them.
    fn print(&self, problems: &[PlacedProblem]) {
        let language = Language::of_environment();
        for problem in problems {
            eprintln!("{}:{}", self.path.display(), problem.sentence(language));
        }
    }
}
