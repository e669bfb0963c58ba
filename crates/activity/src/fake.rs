//! An in-memory [`ActivityService`] for crates that build on this one.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature, UserId,
    idempotency::{FakeAnswers, Replayable},
};
use xmas_players::Identity;
use xmas_time::{EventDay, Kst};

use crate::{ActivityError, ActivityService, RecordCommand, Recorded};

/// Remembers what it was told; every identity may act.
#[derive(Debug, Default)]
pub struct FakeActivities {
    answers: Mutex<FakeAnswers>,
    reports: Mutex<HashMap<(UserId, String), DateTime<Utc>>>,
    views: Mutex<HashSet<(UserId, Feature, EventDay)>>,
}

impl FakeActivities {
    /// How many different pages and days a player has looked at.
    pub fn views_of(&self, user_id: UserId) -> usize {
        let views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views
            .iter()
            .filter(|(viewer, _, _)| *viewer == user_id)
            .count()
    }
}

#[async_trait]
impl ActivityService for FakeActivities {
    async fn record(
        &self,
        command: &RecordCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Recorded>, ActivityError> {
        let (user_id, request) = (command.identity.user_id, command.request.as_ref());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = answers.find(user_id, request)? {
            return Ok(Replayable::replayed(earlier));
        }
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let first = reports
            .entry((user_id, command.event.once_key()))
            .or_insert(now);
        let recorded = Recorded {
            user_id,
            updated_at: Kst(*first),
        };
        answers.store(user_id, request, &recorded)?;
        Ok(Replayable::fresh(recorded))
    }

    async fn enter_page(&self, identity: &Identity, feature: Feature, now: DateTime<Utc>) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.insert((identity.user_id, feature, EventDay::of(now)));
    }
}
