//! An in-memory [`FeatureService`] for crates that build on this one.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use xmas_kernel::Feature;
use xmas_time::EventDay;

use crate::{FeatureError, FeatureRow, FeatureService, FeatureSettings, rules};

/// Features that a test switches by hand.
#[derive(Debug, Default)]
pub struct FakeFeatures {
    rows: Mutex<HashMap<Feature, FeatureRow>>,
    /// Days and features that the QA gate lets in; the gate is off while this is `None`.
    schedule: Mutex<Option<HashSet<(EventDay, Feature)>>>,
}

impl FakeFeatures {
    /// Every feature, switched on and with the usual settings.
    pub fn all_on() -> Self {
        let features = Self::default();
        for feature in Feature::ALL {
            features.put(FeatureRow {
                feature,
                title: feature.to_string(),
                page_path: "/".to_owned(),
                is_enabled: true,
                settings: FeatureSettings::default(),
            });
        }
        features
    }

    pub fn put(&self, row: FeatureRow) {
        lock(&self.rows).insert(row.feature, row);
    }

    pub fn set_enabled(&self, feature: Feature, enabled: bool) {
        if let Some(row) = lock(&self.rows).get_mut(&feature) {
            row.is_enabled = enabled;
        }
    }

    /// Turns the QA gate on, with `feature` scheduled for `day`.
    pub fn schedule(&self, day: EventDay, feature: Feature) {
        lock(&self.schedule)
            .get_or_insert_default()
            .insert((day, feature));
    }
}

#[async_trait]
impl FeatureService for FakeFeatures {
    async fn require(
        &self,
        feature: Feature,
        today: EventDay,
    ) -> Result<FeatureSettings, FeatureError> {
        let scheduled: Option<Vec<Feature>> = lock(&self.schedule).as_ref().map(|schedule| {
            let on_day = schedule.iter().filter(|(day, _)| *day == today);
            on_day.map(|(_, feature)| *feature).collect()
        });
        rules::admit(lock(&self.rows).get(&feature), scheduled.as_deref())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
