use std::time::Duration;

/// Where counters live.
#[async_trait::async_trait]
pub trait Cache: Send + Sync {
    /// Adds one to the counter `key` and says where it stands. A counter that does not exist
    /// starts at one and is forgotten `window` later.
    async fn count(&self, key: &str, window: Duration) -> Count;
}

/// Where a counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub hits: u64,
    /// Until the counter is forgotten.
    pub resets_in: Duration,
}
