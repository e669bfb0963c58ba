//! What a file would make of the event in the database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use xmas_kernel::{Feature, PlanId, version::Version};

use crate::{
    PlacedProblem,
    diff::{Change, SECTIONS, section},
    effects::{NewlyReached, OddsEffect},
};

/// What a file would make of the event.
#[derive(Clone, Debug)]
pub struct Plan {
    /// SHA-256 of the file, in hexadecimal digits.
    pub file_sha256: String,
    /// Of everything that the file says something about, as it is in the database, and of what is announced of it.
    pub version: Version,
    /// Whether an event runs: a season until the end of its grace days, or a bridge until it is closed. Whatever changes, changes
    /// under players.
    pub is_running: bool,
    /// In the order of the file.
    pub changes: Vec<Change>,
    /// The sections of the file that are in the database as they are.
    pub unchanged: Vec<&'static str>,
    /// The sections that the file does not have.
    pub left: Vec<&'static str>,
    pub odds: Vec<OddsEffect>,
    pub levels: Vec<NewlyReached>,
    /// What is announced of the games of the file, and takes over whatever the file says.
    pub announced: Vec<Announced>,
    /// Why the file cannot be applied.
    pub refused: Vec<PlacedProblem>,
}

/// A table that is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    pub game: Feature,
    pub plan: PlanId,
    pub effective_from: DateTime<Utc>,
}

/// What a plan was made of: with this a file is applied only to what the plan has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub file_sha256: String,
    pub version: String,
}

impl Plan {
    pub fn basis(&self) -> Basis {
        Basis {
            file_sha256: self.file_sha256.clone(),
            version: self.version.as_str().to_owned(),
        }
    }

    /// The changes of what players were promised, in an event that runs.
    pub fn broken_promises(&self) -> impl Iterator<Item = &Change> {
        let promises = self.changes.iter().filter(|change| change.is_promise);
        promises.filter(|_| self.is_running)
    }

    /// The sections that change.
    pub fn changed(&self) -> impl Iterator<Item = &'static str> {
        let is_in = |name: &&str| self.changes.iter().any(|it| section(it) == *name);
        SECTIONS.into_iter().filter(is_in)
    }
}
