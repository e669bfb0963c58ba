use xmas_kernel::{
    BatchId, Problem, db::DbError, idempotency::IdempotencyError, seal::ProbeError, version::Stale,
};
use xmas_players::{AccessError, RecipientError};

use crate::{Batch, CodeClash, Refusal};

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
    #[error("there is no such bundle")]
    UnknownBundle,
    /// These codes of an upload are in it twice or were uploaded before, to whichever kind.
    #[error("{} codes are there already", .0.len())]
    CodesClash(Vec<CodeClash>),
    #[error("there is no such withheld code")]
    UnknownWithheldCode,
    /// A copy of the withheld code was given to a winner, or is in a stock.
    #[error("a copy of the withheld code is given or in a stock")]
    CodeInUse,
    #[error("there is no such reward")]
    NotFound,
    /// Somebody has decided about it already.
    #[error("the reward does not wait for an admin")]
    NotPending,
    #[error("the reward cannot reach its player")]
    Recipient(#[from] RecipientError),
    #[error("no code is left of this kind of coupon")]
    NoCouponLeft,
    /// The database's codes are sealed with another `DATA_KEY`, or are from now on.
    #[error("codes cannot be sealed")]
    Sealed(#[source] ProbeError),
    #[error(transparent)]
    Stale(#[from] Stale),
    #[error("an earlier request stands in the way")]
    Idempotency(#[from] IdempotencyError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<ProbeError> for RewardError {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Db(error) => RewardError::Db(error),
            error => RewardError::Sealed(error),
        }
    }
}

/// Why an operator's change of a wallet was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("the order names no player")]
    NobodyNamed,
    #[error("there is no such player")]
    UnknownPlayer,
    #[error("the order cannot reach its player")]
    Recipient(#[from] RecipientError),
    #[error("the order cannot be carried out")]
    Invalid(Vec<Problem>),
    #[error("the wallet holds too little")]
    NotEnough,
    #[error("an earlier request stands in the way")]
    Idempotency(#[from] IdempotencyError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why a batch was not registered, or not done to its end.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("the batch has no name")]
    Unnamed,
    /// This batch has the name, and was another request.
    #[error("the name belongs to another batch")]
    KeyReused(Box<Batch>),
    #[error("the batch cannot be registered")]
    Invalid(Vec<Problem>),
    /// Nothing is registered as long as any line is wrong.
    #[error("{} lines are wrong", .0.len())]
    Refused(Vec<Refusal>),
    #[error("there is no such batch")]
    NotFound,
    /// One batch has it as its id, the other as its name.
    #[error("this names two batches")]
    Ambiguous { by_id: BatchId, by_name: BatchId },
    /// The batch takes back this one.
    #[error("a revert cannot be reverted")]
    IsRevert { of: BatchId },
    #[error("an earlier request stands in the way")]
    Idempotency(#[from] IdempotencyError),
    /// What was done until then stays done; the same request goes on from there.
    #[error("the database failed")]
    Db(#[from] DbError),
}
