use std::sync::Arc;

use xmas_kernel::{
    audit::Area,
    db::{Db, DbError},
    entropy::Entropy,
    seal::DataKey,
};

use crate::{RewardError, Rewards, constraints};

/// What only one operator at a time edits: bundles and coupons.
pub(crate) const REWARDS: Area = Area::new("REWARDS");

/// Rewards on the database. What it does is where the things are: `service.rs` for whoever gives rewards;
/// `review_queue.rs`, `coupons/` and `bundles/` for operators.
#[derive(Clone)]
pub struct RewardDesk {
    pub(crate) db: Db,
    pub(crate) key: DataKey,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) rewards: Rewards,
}

/// Makes a name that another bundle or kind of coupon has an error of its own.
pub(crate) fn name_conflict(error: DbError) -> RewardError {
    match error.violates(&constraints::BUNDLE_NAME)
        || error.violates(&constraints::COUPON_KIND_NAME)
    {
        true => RewardError::NameTaken,
        false => error.into(),
    }
}

impl RewardDesk {
    /// `key` is `DATA_KEY`.
    pub fn new(db: Db, key: DataKey, entropy: Arc<dyn Entropy>, rewards: Rewards) -> Self {
        Self {
            db,
            key,
            entropy,
            rewards,
        }
    }
}
