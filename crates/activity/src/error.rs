use xmas_kernel::{db::DbError, idempotency::IdempotencyError};
use xmas_players::AccessError;

#[derive(Debug, thiserror::Error)]
pub enum ActivityError {
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("the idempotency key cannot be used")]
    Idempotency(#[from] IdempotencyError),
    #[error("the database failed")]
    Db(#[from] DbError),
}
