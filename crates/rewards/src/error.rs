use xmas_kernel::{Problem, db::DbError};
use xmas_players::AccessError;

#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    #[error(transparent)]
    Access(#[from] AccessError),
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

#[derive(Debug, thiserror::Error)]
pub enum RewardError {
    #[error("this cannot be saved")]
    Invalid(Vec<Problem>),
    #[error("another one has this name")]
    NameTaken,
    #[error("there is no such kind of coupon")]
    UnknownCouponKind,
    /// These codes, by their place in the upload from 0, are in it twice or were uploaded before.
    #[error("{} codes are there already", .0.len())]
    DuplicateCodes(Vec<usize>),
    #[error("there is no such reward")]
    NotFound,
    /// Somebody has decided about it already.
    #[error("the reward does not wait for an admin")]
    NotPending,
    #[error("no code is left of this kind of coupon")]
    NoCouponLeft,
    #[error("the database failed")]
    Db(#[from] DbError),
}
