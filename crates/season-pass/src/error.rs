use xmas_features::FeatureError;
use xmas_kernel::{Problem, db::DbError, idempotency::IdempotencyError, version::Stale};
use xmas_players::AccessError;

#[derive(Debug, thiserror::Error)]
pub enum SeasonError {
    #[error("the feature does not let this in")]
    Feature(#[from] FeatureError),
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("the idempotency key cannot be used")]
    Idempotency(#[from] IdempotencyError),
    #[error("no season is running")]
    NoActiveSeason,
    /// Two or more seasons are active on one day: a mistake in the configuration.
    #[error("more than one season is active")]
    Conflict,
    /// A level promises what cannot be delivered, or the ladder is not one.
    #[error("the season is not configured correctly")]
    InvalidConfig,
    #[error("today's stamp has been collected")]
    AlreadyStamped,
    /// The client proposed a bonus below 0 or above the season's limit.
    #[error("the bonus is not between 0 and {max}")]
    XpBonusOutOfRange { max: i64, got: i64 },
    #[error("the season has no such level")]
    LevelNotFound,
    #[error("the level has not been reached")]
    LevelNotReached,
    #[error("the level pays by itself")]
    AutoClaimLevel,
    #[error("the level has been claimed")]
    AlreadyClaimed,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why an operator's edit of a season was not saved. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum SeasonDeskError {
    #[error("there is no such season")]
    NotFound,
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    /// Another active season runs on some of these days.
    #[error("another active season runs on some of these days")]
    Overlap,
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("the database failed")]
    Db(#[from] DbError),
}
