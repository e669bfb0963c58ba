use chrono::{DateTime, Utc};
use serde::Serialize;
use xmas_kernel::BundleId;

use crate::Reward;

/// A bundle to be saved. [`crate::RewardDesk::add_bundle_in_tx`] checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBundle {
    pub name: String,
    /// Points and tokens.
    pub items: Vec<Reward>,
}

/// A bundle as an operator writes it down.
#[derive(Clone, Debug)]
pub struct BundleDraft {
    pub name: String,
    pub items: Vec<BundleItem>,
}

/// A bundle that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bundle {
    pub id: BundleId,
    pub name: String,
    pub items: Vec<BundleItem>,
    pub created_at: DateTime<Utc>,
}

/// One thing in a bundle, whether or not it can be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleItem {
    pub reward_type: String,
    pub amount: i64,
}
