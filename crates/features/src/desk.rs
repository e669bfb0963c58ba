use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Feature,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    version,
};

use xmas_time::EventDay;

use crate::{
    FeatureConfig, FeatureDesk, FeatureDeskError, FeatureEdit, Features, Scheduled,
    ScheduledFeature, rules, store,
};

impl Features {
    async fn edit_once(
        &self,
        actor: &Actor,
        feature: Feature,
        edit: &FeatureEdit,
        now: DateTime<Utc>,
    ) -> Result<FeatureConfig, FeatureDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, Area::Features).await?;
        let before = store::config(&*tx, feature).await?;
        let before = before.ok_or(FeatureDeskError::UnknownFeature)?;
        version::expect(edit.seen.as_ref(), &before.version())?;
        let after = rules::edited(&before, edit);
        let kept = [before.title.as_str()].into_iter().collect();
        let problems = rules::check_feature(&after, &kept);
        if !problems.is_empty() {
            return Err(FeatureDeskError::Invalid(problems));
        }
        // An edit that changes nothing leaves no trace.
        if after == before {
            return Ok(before);
        }
        store::update(&tx, &after, now).await?;
        let change = Change {
            action: "FEATURE_UPDATE",
            resource: &format!("feature:{feature}"),
            before: audit::state(&before),
            after: audit::state(&after),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        self.rows.drop_all();
        Ok(after)
    }
}

#[async_trait]
impl FeatureDesk for Features {
    async fn features(&self) -> Result<Vec<FeatureConfig>, DbError> {
        store::configs(self.db.read()).await
    }

    async fn edit(
        &self,
        actor: &Actor,
        feature: Feature,
        edit: &FeatureEdit,
        now: DateTime<Utc>,
    ) -> Result<FeatureConfig, FeatureDeskError> {
        retry(|| self.edit_once(actor, feature, edit, now)).await
    }

    async fn schedule(
        &self,
        first: EventDay,
        last: EventDay,
    ) -> Result<Vec<Scheduled>, FeatureDeskError> {
        self.schedule_between(first, last).await
    }

    async fn set_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        features: &[ScheduledFeature],
        now: DateTime<Utc>,
    ) -> Result<Scheduled, FeatureDeskError> {
        retry(|| self.set_schedule_once(actor, day, features, now)).await
    }

    async fn clear_schedule(
        &self,
        actor: &Actor,
        day: EventDay,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureDeskError> {
        let cleared = retry(|| self.set_schedule_once(actor, day, &[], now)).await;
        cleared.map(|_| ())
    }
}
