//! What is said once a minute at most.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);

/// What was said in the last minute.
#[derive(Debug, Default)]
pub(super) struct Minute(Mutex<HashMap<String, Instant>>);

impl Minute {
    /// Whether this was not said within the last minute; then it is now.
    pub(super) fn is_new(&self, said: &str) -> bool {
        self.is_new_at(Instant::now(), said)
    }

    fn is_new_at(&self, now: Instant, said: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.duration_since(*at) < MINUTE);
        let is_new = !last.contains_key(said);
        if is_new {
            last.insert(said.to_owned(), now);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_said_once_a_minute() {
        let minute = Minute::default();
        let start = Instant::now();
        let is_new = |seconds, said| minute.is_new_at(start + Duration::from_secs(seconds), said);
        assert!(is_new(0, "a"));
        assert!(!is_new(0, "a"));
        assert!(is_new(30, "b"));
        assert!(!is_new(59, "a"));
        assert!(is_new(60, "a"));
        assert!(!is_new(89, "b"));
        assert!(!is_new(119, "a"));
    }
}
