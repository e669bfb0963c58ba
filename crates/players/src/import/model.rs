use xmas_kernel::UserId;

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
    pub problems: Vec<String>,
    /// The player whom the line means, if they are INACTIVE and the line leaves them so.
    pub deleted: Option<UserId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportAction {
    Create,
    Change,
    Unchanged,
    Refuse,
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
