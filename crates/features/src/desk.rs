use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{
    Feature,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    version,
};

use crate::{FeatureConfig, FeatureDeskError, FeatureEdit, Features, rules, store};

/// What only one operator at a time edits: features and their schedule.
pub(crate) const FEATURES: Area = Area::new("FEATURES");

impl Features {
    async fn edit_once(
        &self,
        actor: &Actor,
        feature: Feature,
        edit: &FeatureEdit,
        now: DateTime<Utc>,
    ) -> Result<FeatureConfig, FeatureDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, FEATURES).await?;
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
        save_in_tx(&tx, Some(actor), Some(&before), &after, now).await?;
        tx.commit().await?;
        self.rows.drop_all();
        Ok(after)
    }
}

/// Saves a feature that keeps its rules, and writes it to the audit log.
pub(crate) async fn save_in_tx(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    before: Option<&FeatureConfig>,
    after: &FeatureConfig,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    match before {
        Some(_) => store::update(tx, after, now).await?,
        None => store::insert_config(tx, after, now).await?,
    }
    let change = Change {
        action: "FEATURE_UPDATE",
        resource: &format!("feature:{}", after.feature),
        before: before.map_or(Value::Null, audit::state),
        after: audit::state(after),
    };
    audit::write_in_tx(tx, actor, change, now).await
}

/// The switches for operators. Every edit leaves a row in the audit log.
impl Features {
    /// Every feature that is configured, in the order of their names.
    pub async fn features(&self) -> Result<Vec<FeatureConfig>, DbError> {
        store::configs(self.db.read()).await
    }

    /// Changes a feature. It takes effect here at once, and within a second everywhere.
    pub async fn edit(
        &self,
        actor: &Actor,
        feature: Feature,
        edit: &FeatureEdit,
        now: DateTime<Utc>,
    ) -> Result<FeatureConfig, FeatureDeskError> {
        retry(|| self.edit_once(actor, feature, edit, now)).await
    }
}
