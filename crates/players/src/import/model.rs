use serde::{Deserialize, Serialize};
use xmas_kernel::{Problem, UserId};

use crate::{GivenId, Password, Status};

/// One line of an import, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportRow {
    /// In the file, from 1.
    pub line: u64,
    pub external_id: Option<String>,
    /// `None` stays as it is, in everything below too.
    pub nickname: Option<String>,
    pub password: Option<String>,
    /// The old system's hash: 64 hexadecimal digits.
    pub password_sha256: Option<String>,
    pub status: Option<String>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub created: usize,
    pub changed: usize,
    pub unchanged: usize,
    pub refused: usize,
    /// Players among the created who cannot log in until they are given a password.
    pub without_password: usize,
    /// Up to [`ImportReport::MAX_LINES`], in the order of the file. Those that are refused come in
    /// first, then those that create or change something.
    pub lines: Vec<ImportLine>,
    /// How many lines are not listed.
    pub more_lines: usize,
}

impl ImportReport {
    pub const MAX_LINES: usize = 1_000;
}

/// What becomes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLine {
    pub line: u64,
    /// As it was written.
    pub external_id: String,
    pub action: ImportAction,
    /// Names of what changes: `nickname`, `status`, `password`.
    pub changes: Vec<&'static str>,
    /// What is wrong, if it is refused.
    pub problems: Vec<Problem>,
    /// The player whom the line means, if they are INACTIVE and the line leaves them so.
    pub deleted: Option<UserId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ImportAction {
    Create,
    Change,
    Unchanged,
    Refuse,
}

/// What an import can change about a player.
pub(crate) const CHANGES: [&str; 3] = ["nickname", "status", "password"];

/// A report of an import that was done, as it is stored: without names, which the file has when it is sent again,
/// and in no more than 64 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nameless {
    counts: [usize; 5],
    more_lines: usize,
    lines: Vec<NamelessLine>,
}

/// Its number, what became of it, which of [`CHANGES`] it made (a bit for each), and whom it leaves deleted.
type NamelessLine = (u64, ImportAction, u8, Option<UserId>);

impl From<&ImportReport> for Nameless {
    fn from(report: &ImportReport) -> Self {
        let line = |line: &ImportLine| {
            let made = CHANGES.iter().enumerate();
            let made = made.filter(|(_, name)| line.changes.contains(name));
            let bits = made.fold(0, |bits, (place, _)| bits | (1 << place));
            (line.line, line.action, bits, line.deleted)
        };
        Self {
            counts: [
                report.created,
                report.changed,
                report.unchanged,
                report.refused,
                report.without_password,
            ],
            more_lines: report.more_lines,
            lines: report.lines.iter().map(line).collect(),
        }
    }
}

impl Nameless {
    /// The report, with the names of the file that it is about.
    pub(crate) fn named(self, rows: &[ImportRow]) -> ImportReport {
        // Lines come in ascending order, in the file as well.
        let external_id = |number: u64| {
            let place = rows.binary_search_by_key(&number, |row| row.line).ok();
            place.and_then(|place| rows[place].external_id.clone())
        };
        let line = |(line, action, bits, deleted): NamelessLine| ImportLine {
            line,
            external_id: external_id(line).unwrap_or_default(),
            action,
            changes: CHANGES
                .into_iter()
                .enumerate()
                .filter(|(place, _)| bits & (1 << place) != 0)
                .map(|(_, name)| name)
                .collect(),
            problems: Vec::new(),
            deleted,
        };
        let [created, changed, unchanged, refused, without_password] = self.counts;
        ImportReport {
            created,
            changed,
            unchanged,
            refused,
            without_password,
            lines: self.lines.into_iter().map(line).collect(),
            more_lines: self.more_lines,
        }
    }
}

/// A line that makes sense by itself. Whether its names keep the rules is asked where they are new.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) external_id: GivenId,
    /// In NFC, and trimmed.
    pub(crate) nickname: Option<String>,
    pub(crate) password: Option<NewPassword>,
    pub(crate) status: Option<Status>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewPassword {
    Clear(Password),
    /// What is to stand in `password_hash`.
    Hash(String),
}
