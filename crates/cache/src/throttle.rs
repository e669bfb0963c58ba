use std::{sync::Arc, time::Duration};

use crate::Cache;

/// Lets a bounded number of attempts per key through in each window.
#[derive(Clone)]
pub struct Throttle {
    cache: Arc<dyn Cache>,
    name: &'static str,
    limit: u64,
    window: Duration,
}

/// The attempt came too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct Throttled {
    pub retry_after: Duration,
}

impl Throttle {
    /// `name` keeps the counters of different throttles apart; `limit` attempts pass per `window`.
    pub fn new(cache: Arc<dyn Cache>, name: &'static str, limit: u64, window: Duration) -> Self {
        Self {
            cache,
            name,
            limit,
            window,
        }
    }

    /// Counts one attempt and refuses it if it is one too many.
    pub async fn admit(&self, key: &str) -> Result<(), Throttled> {
        let name = self.name;
        let count = self
            .cache
            .count(&format!("throttle:{name}:{key}"), self.window)
            .await;
        if count.hits > self.limit {
            return Err(Throttled {
                retry_after: count.resets_in,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryCache;

    fn throttle(limit: u64) -> Throttle {
        Throttle::new(
            Arc::new(MemoryCache::default()),
            "login",
            limit,
            Duration::from_secs(60),
        )
    }

    #[tokio::test]
    async fn the_limit_is_exact_and_each_key_has_its_own() {
        let throttle = throttle(3);
        for _ in 0..3 {
            assert_eq!(throttle.admit("a").await, Ok(()));
        }
        let refused = throttle.admit("a").await.unwrap_err();
        assert!(refused.retry_after <= Duration::from_secs(60));
        assert!(refused.retry_after > Duration::from_secs(50));
        assert_eq!(throttle.admit("b").await, Ok(()));
    }

    #[tokio::test]
    async fn a_race_lets_exactly_the_limit_through() {
        let throttle = throttle(10);
        let attempts: Vec<_> = (0..100)
            .map(|_| {
                let throttle = throttle.clone();
                tokio::spawn(async move { throttle.admit("a").await.is_ok() })
            })
            .collect();
        let mut admitted = 0;
        for attempt in attempts {
            admitted += u32::from(attempt.await.unwrap());
        }
        assert_eq!(admitted, 10);
    }
}
