use xmas_features::FeatureError;
use xmas_kernel::{
    Feature, Problem,
    db::DbError,
    idempotency::IdempotencyError,
    seal::{ProbeError, Unsealable},
    version::Stale,
};
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
    /// There is no active configuration of this game, or the one there is breaks its rules.
    #[error("{0} is not configured correctly")]
    InvalidConfig(Feature),
    #[error("no plays are left today")]
    DailyLimitReached,
    #[error("the wallet holds too few tokens")]
    NotEnoughTokens,
    /// The season in which the play would count cannot be told.
    #[error("the season cannot be told")]
    Season(#[from] SeasonError),
    /// The day's seed was sealed with another `DATA_KEY`, or cannot be sealed with this one.
    #[error("the day's seed cannot be opened or sealed")]
    Sealed(#[source] ProbeError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<ProbeError> for GameError {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Db(error) => GameError::Db(error),
            error => GameError::Sealed(error),
        }
    }
}

impl From<Unsealable> for GameError {
    fn from(error: Unsealable) -> Self {
        GameError::Sealed(error.into())
    }
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
            WalletError::Access(error) => GameError::Access(error),
            WalletError::Db(error) => GameError::Db(error),
        }
    }
}

/// Why a configuration was not saved. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Field and problem.
    #[error("the configuration breaks the rules of its game")]
    Invalid(Vec<Problem>),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why an operator's change of a configuration was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} has no such configuration")]
    NotFound(Feature),
    /// It was never as this version says.
    #[error("the configuration has no such version")]
    UnknownVersion,
    /// It was played, and what was played is kept; or it is announced.
    #[error("the configuration was played or is announced")]
    InUse,
    #[error("the configuration has no such plan")]
    UnknownPlan,
    /// It has taken over, was withdrawn, or could not take over.
    #[error("the plan has ended")]
    PlanEnded,
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why an operator's change of a board was not made. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum RankingDeskError {
    #[error("there is no ranking of this day")]
    UnknownDay,
    #[error("the player is not on the external board")]
    NotOnBoard,
    /// What is wrong with which row: `3.user_id`, or `rows` for all of them.
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why something about the odds or a draw cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum FairnessError {
    #[error("there are no such odds")]
    UnknownOdds,
    #[error("nothing has been published for this day")]
    UnknownDay,
    /// The player has no such play, or it was made before draws could be checked.
    #[error("the player has no such play")]
    UnknownPlay,
    #[error("the seed of this day has not been revealed")]
    NotRevealed,
    #[error(transparent)]
    Game(#[from] GameError),
}

impl From<DbError> for FairnessError {
    fn from(error: DbError) -> Self {
        FairnessError::Game(error.into())
    }
}

impl From<AccessError> for FairnessError {
    fn from(error: AccessError) -> Self {
        FairnessError::Game(error.into())
    }
}
