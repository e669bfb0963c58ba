use xmas_kernel::db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    #[error("the database failed")]
    Db(#[from] DbError),
}

#[derive(Debug, thiserror::Error)]
pub enum SpendError {
    #[error("the wallet holds too little")]
    NotEnough,
    #[error("the database failed")]
    Db(#[from] DbError),
}

#[derive(Debug, thiserror::Error)]
pub enum CreditError {
    /// Zero, negative, or more than a balance can hold.
    #[error("the amount cannot be credited")]
    InvalidAmount,
    #[error("there is no such player")]
    UnknownPlayer,
    #[error("the database failed")]
    Db(#[from] DbError),
}
