//! Features and texts as the event's file knows them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;
use xmas_kernel::{
    audit::{self, Actor},
    db::DbError,
};

use crate::{
    FeatureConfig, FeatureDeskError, Features, UiConfigs, desk, rules, store, ui, ui_rules,
};

impl Features {
    /// Every feature that is configured, in the order of their names.
    pub async fn all(conn: &impl ConnectionTrait) -> Result<Vec<FeatureConfig>, DbError> {
        store::configs(conn).await
    }

    /// Lets nobody else edit features until the transaction ends.
    pub async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
        audit::enter_in_tx(tx, desk::FEATURES).await
    }

    /// Makes a feature what is said, or adds it, checked as an operator's edit is; once nobody else edits features
    /// ([`Features::enter_in_tx`]).
    pub async fn put_in_tx(
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        config: &FeatureConfig,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureDeskError> {
        let before = store::config(tx, config.feature).await?;
        let kept = before.iter().map(|before| before.title.as_str()).collect();
        let problems = rules::check_feature(config, &kept);
        if !problems.is_empty() {
            return Err(FeatureDeskError::Invalid(problems));
        }
        if before.as_ref() == Some(config) {
            return Ok(());
        }
        Ok(desk::save_in_tx(tx, actor, before.as_ref(), config, now).await?)
    }

    /// Makes this process look features up again.
    pub fn drop_copies(&self) {
        self.rows.drop_all();
    }
}

impl UiConfigs {
    /// Everything that clients are told to show, by its key.
    pub async fn all(conn: &impl ConnectionTrait) -> Result<BTreeMap<String, Value>, DbError> {
        store::all_ui(conn).await
    }

    /// Lets nobody else edit texts until the transaction ends.
    pub async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
        audit::enter_in_tx(tx, ui::UI_CONFIG).await
    }

    /// Saves a value under a key, checked as an operator's edit is; once nobody else edits texts
    /// ([`UiConfigs::enter_in_tx`]).
    pub async fn put_in_tx(
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        key: &str,
        value: &Value,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureDeskError> {
        let problems = ui_rules::check_ui(key, value);
        if !problems.is_empty() {
            return Err(FeatureDeskError::Invalid(problems));
        }
        let before = store::ui(tx, key).await?.map(|before| before.value);
        if before.as_ref() == Some(value) {
            return Ok(());
        }
        Ok(ui::save_in_tx(tx, actor, key, (before, value), now).await?)
    }

    /// Makes this process look texts up again.
    pub fn drop_copies(&self) {
        self.values.drop_all();
    }
}
