//! An in-memory [`ActivityService`] for crates that build on this one.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{Feature, UserId};
use xmas_players::Identity;
use xmas_time::EventDay;

use crate::{ActivityError, ActivityService, ClientEvent, Recorded};

/// Remembers what it was told; every identity may act.
#[derive(Debug, Default)]
pub struct FakeActivities {
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
        identity: &Identity,
        event: &ClientEvent,
        now: DateTime<Utc>,
    ) -> Result<Recorded, ActivityError> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let first = reports
            .entry((identity.user_id, event.once_key()))
            .or_insert(now);
        Ok(Recorded {
            user_id: identity.user_id,
            updated_at: *first,
        })
    }

    async fn enter_page(&self, identity: &Identity, feature: Feature, now: DateTime<Utc>) {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        views.insert((identity.user_id, feature, EventDay::of(now)));
    }
}
