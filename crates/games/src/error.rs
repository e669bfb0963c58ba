use xmas_features::FeatureError;
use xmas_kernel::{db::DbError, idempotency::IdempotencyError};
use xmas_players::AccessError;
use xmas_rewards::{SpendError, WalletError};
use xmas_season_pass::SeasonError;

#[derive(Debug, thiserror::Error)]
pub enum GameError {
    #[error("the feature does not let this in")]
    Feature(#[from] FeatureError),
    #[error("the player may not act")]
    Access(#[from] AccessError),
    #[error("the idempotency key cannot be used")]
    Idempotency(#[from] IdempotencyError),
    /// There is no active wheel, or the one there is breaks the rules of
    /// [`crate::roulette::rules::Wheel`].
    #[error("the roulette is not configured correctly")]
    InvalidRoulette,
    #[error("no plays are left today")]
    DailyLimitReached,
    #[error("the wallet holds too few tokens")]
    NotEnoughTokens,
    /// The season in which the play would count cannot be told.
    #[error("the season cannot be told")]
    Season(#[from] SeasonError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<SpendError> for GameError {
    fn from(error: SpendError) -> Self {
        match error {
            SpendError::NotEnough => GameError::NotEnoughTokens,
            SpendError::Db(error) => GameError::Db(error),
        }
    }
}

impl From<WalletError> for GameError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Db(error) => GameError::Db(error),
        }
    }
}
