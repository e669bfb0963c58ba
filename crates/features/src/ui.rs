//! What operators tell clients to show: `app_ui_config`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_cache::Snapshot;
use xmas_kernel::{
    audit::{self, Actor, Area, Change},
    db::{Db, DbError, retry},
    version::{self, Seen},
};

use crate::{FeatureDeskError, UiConfig, store, ui_rules};

/// What only one operator at a time edits: the texts that clients show.
pub(crate) const UI_CONFIG: Area = Area::new("UI_CONFIG");

/// Saves a value that keeps its rules, and writes it to the audit log.
pub(crate) async fn save_in_tx(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    key: &str,
    (before, after): (Option<Value>, &Value),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    store::save_ui(tx, key, after, before.is_none(), now).await?;
    let change = Change {
        action: "UI_CONFIG_UPDATE",
        resource: &format!("ui-config:{key}"),
        before: before.unwrap_or(Value::Null),
        after: after.clone(),
    };
    audit::write_in_tx(tx, actor, change, now).await
}

/// What clients are told to show.
pub struct UiConfigs {
    db: Db,
    pub(crate) values: Snapshot<String, Option<Arc<UiConfig>>>,
}

impl UiConfigs {
    pub fn new(db: Db) -> Self {
        Self {
            db,
            values: Snapshot::new(),
        }
    }

    async fn put_once(
        &self,
        actor: &Actor,
        key: &str,
        value: &Value,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<UiConfig, FeatureDeskError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, UI_CONFIG).await?;
        let before = store::ui(&*tx, key).await?;
        version::expect(seen, &UiConfig::version(before.as_ref()))?;
        // What is saved as it is leaves no trace.
        if let Some(before) = before.as_ref().filter(|before| before.value == *value) {
            return Ok(before.clone());
        }
        let before = before.map(|before| before.value);
        save_in_tx(&tx, Some(actor), key, (before, value), now).await?;
        tx.commit().await?;
        self.values.drop_all();
        Ok(UiConfig {
            value: value.clone(),
            updated_at: now,
        })
    }

    /// What is saved under a key, at most [`xmas_cache::Snapshot::LIFETIME`] old.
    pub async fn find(&self, key: &str) -> Result<Option<Arc<UiConfig>>, DbError> {
        // Whatever anybody asks for must not fill the memory.
        if !ui_rules::is_key(key) {
            return Ok(None);
        }
        let load = async { Ok(store::ui(self.db.read(), key).await?.map(Arc::new)) };
        self.values.get_or_load(key.to_owned(), load).await
    }

    /// Saves a value under a key, if [`ui_rules::check_ui`] lets it. `seen` is what the operator
    /// has seen.
    pub async fn put(
        &self,
        actor: &Actor,
        key: &str,
        value: &Value,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<UiConfig, FeatureDeskError> {
        let problems = ui_rules::check_ui(key, value);
        if !problems.is_empty() {
            return Err(FeatureDeskError::Invalid(problems));
        }
        retry(|| self.put_once(actor, key, value, seen, now)).await
    }
}
