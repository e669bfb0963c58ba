use xmas_kernel::{Problem, db::DbError, version::Stale};

/// Why a feature does not let a request in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FeatureError {
    /// There is no such feature here, or the QA gate has not scheduled it for today.
    #[error("the feature does not run today")]
    NotToday,
    #[error("the feature is switched off")]
    Disabled,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why an operator's edit was not saved. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum FeatureDeskError {
    #[error("there is no such feature")]
    UnknownFeature,
    #[error("nothing is scheduled on this day")]
    NotScheduled,
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("the database failed")]
    Db(#[from] DbError),
}
