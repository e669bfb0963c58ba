use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{UserId, db::DbError};

/// Which players a batch is for: those who are ACTIVE and fit both of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecipientFilter {
    /// They have played at this instant or later.
    pub played_since: Option<DateTime<Utc>>,
    /// They have played before this instant. With both, one of their plays lies in between.
    pub played_until: Option<DateTime<Utc>>,
}

/// Finds the players that a batch is for. What they have done is known below this crate.
#[async_trait]
pub trait Recipients: Send + Sync {
    /// The next players after `after` that fit, in ascending id; nobody once there are none left.
    async fn page(
        &self,
        filter: &RecipientFilter,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<UserId>, DbError>;
}
