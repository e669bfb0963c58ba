use xmas_kernel::db::DbError;

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
