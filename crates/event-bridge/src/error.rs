use xmas_kernel::{Problem, db::DbError, idempotency::IdempotencyError, version::Stale};
use xmas_players::{RecipientError, ResolveError};

#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    #[error("there is no such bridge")]
    NotFound,
    /// Before `settle_on`.
    #[error("the settlement is not due")]
    NotDue,
    /// Another bridge is not closed, or the season has one.
    #[error("another bridge stands in the way")]
    Conflict,
    /// The bridge is closed: nothing is paid or given any more.
    #[error("the bridge is closed")]
    Closed,
    /// Field and problem.
    #[error("this cannot be saved or given")]
    Invalid(Vec<Problem>),
    /// Why nothing can be given to a player.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
    #[error(transparent)]
    Player(#[from] ResolveError),
    #[error("there is no such gift of keys")]
    UnknownGift,
    /// A gift of keys is being taken back, or has been.
    #[error("the gift is taken back")]
    GiftReverted,
    #[error("there is no such season")]
    UnknownSeason,
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("an earlier request stands in the way")]
    Idempotency(#[from] IdempotencyError),
    #[error("the database failed")]
    Db(#[from] DbError),
}
