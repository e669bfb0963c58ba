use xmas_kernel::{Problem, UserId, db::DbError, idempotency::IdempotencyError, version::Stale};

use crate::{AccessError, CreateError, HashError};

/// Why an operator's work on a player was not done. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum PlayerDeskError {
    #[error("there is no such player")]
    UnknownPlayer,
    #[error("the external id is taken")]
    ExternalIdExists,
    /// The id belongs to somebody who was deleted, and can be brought back.
    #[error("the external id is that of player {0}, who is INACTIVE")]
    ExternalIdDeleted(UserId),
    /// Nothing changes them any more.
    #[error("the player was anonymised")]
    Anonymised,
    /// XP was to be corrected, and no season is served.
    #[error("no season is running")]
    NoActiveSeason,
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Stale(#[from] Stale),
    /// The operator has lost their own access meanwhile.
    #[error("the operator may not act")]
    Access(#[from] AccessError),
    #[error("a password could not be hashed")]
    Hash(#[from] HashError),
    /// Lines of an import are refused: each with its number and what is wrong.
    #[error("{} lines cannot be imported", .0.len())]
    RefusedLines(Vec<(u64, Vec<Problem>)>),
    #[error("an earlier request stands in the way")]
    Idempotency(#[from] IdempotencyError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<CreateError> for PlayerDeskError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::ExternalIdExists => Self::ExternalIdExists,
            CreateError::Db(error) => Self::Db(error),
        }
    }
}
