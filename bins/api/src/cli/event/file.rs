use std::{fs, path::PathBuf};

use anyhow::bail;
use xmas_event_file::{CheckedFile, PlacedProblem, read};
use xmas_texts::{Language, event_file as texts};
use xmas_time::EventDay;

/// A file that is named on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct FileArg {
    /// The file.
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

impl FileArg {
    /// The event that the file says; or what is wrong with it.
    pub(super) fn read(
        &self,
        today: EventDay,
    ) -> anyhow::Result<Result<CheckedFile, Vec<PlacedProblem>>> {
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

    /// The event that the file says. What is wrong with it is printed; then there is none.
    pub(super) fn checked(&self, today: EventDay) -> anyhow::Result<Option<CheckedFile>> {
        let read = self.read(today)?;
        Ok(read.map_err(|problems| self.print(&problems)).ok())
    }

    /// Each with the file's name, its line and its column, as editors and people know them.
    pub(super) fn print(&self, problems: &[PlacedProblem]) {
        let language = Language::of_environment();
        for problem in problems {
            eprintln!("{}:{}", self.path.display(), problem.sentence(language));
        }
    }
}
