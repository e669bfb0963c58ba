//! The schedule that QA's gate follows (`FEATURE_GATE_ENABLED`).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;
use xmas_kernel::{
    ErrorCode, Feature, Problem,
    audit::{self, Actor, Change},
    db::retry,
};
use xmas_texts::{Text, feature, field};
use xmas_time::EventDay;

use crate::{FeatureDeskError, Features, Scheduled, ScheduledFeature, desk::FEATURES, store};

/// The longest span of days that is listed at once.
const MAX_DAYS: i64 = 366;

fn invalid(field: &str, text: Text) -> FeatureDeskError {
    let problem = Problem::coded(ErrorCode::InvalidFeatureSchedule, field, text);
    FeatureDeskError::Invalid(vec![problem])
}

impl Features {
    /// What QA has scheduled from `first` to `last`, in the order of the days.
    pub async fn schedule(
        &self,
        first: EventDay,
        last: EventDay,
    ) -> Result<Vec<Scheduled>, FeatureDeskError> {
        if last < first {
            let text = field::not_before("start_date", last.to_string(), first.to_string());
            return Err(invalid("end_date", text));
        }
        if (last.date() - first.date()).num_days() >= MAX_DAYS {
            let text = field::days_apart(MAX_DAYS, "start_date");
            return Err(invalid("end_date", text));
        }
        Ok(store::schedule(self.db.read(), first, last).await?)
    }

    /// Makes `features` the whole schedule of a day.
    pub async fn set_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        features: &[ScheduledFeature],
        now: DateTime<Utc>,
    ) -> Result<Scheduled, FeatureDeskError> {
        retry(|| self.set_schedule_once(actor, day, features, now)).await
    }

    /// Clears the schedule of a day.
    pub async fn clear_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureDeskError> {
        let cleared = retry(|| self.set_schedule_once(actor, day, &[], now)).await;
        cleared.map(|_| ())
    }

    /// Replaces a day's schedule; with nothing, clears it.
    async fn set_schedule_once(
        &self,
        actor: &Actor,
        day: EventDay,
        features: &[ScheduledFeature],
        now: DateTime<Utc>,
    ) -> Result<Scheduled, FeatureDeskError> {
        let named: BTreeSet<Feature> = features.iter().map(|scheduled| scheduled.feature).collect();
        if named.len() != features.len() {
            return Err(invalid("features", feature::scheduled_twice()));
        }
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, FEATURES).await?;
        let before = store::schedule(&*tx, day, day).await?.pop();
        let before = before.map_or_else(Vec::new, |before| before.features);
        if before.is_empty() && features.is_empty() {
            return Err(FeatureDeskError::NotScheduled);
        }
        let mut features = features.to_vec();
        features.sort_by_key(|scheduled| scheduled.feature.as_str());
        // What is saved as it is leaves no trace.
        if features == before {
            return Ok(Scheduled { day, features });
        }
        store::replace_schedule(&tx, day, &features).await?;
        let state = |features: &[ScheduledFeature]| match features {
            [] => Value::Null,
            some => audit::state(&some),
        };
        let change = Change {
            action: "SCHEDULE_UPDATE",
            resource: &format!("feature-schedule:{day}"),
            before: state(&before),
            after: state(&features),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        self.schedules.drop_all();
        Ok(Scheduled { day, features })
    }
}
