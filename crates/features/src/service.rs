use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_cache::Snapshot;
use xmas_kernel::{
    Feature,
    db::{Db, DbError, EventSeen, retry},
};
use xmas_time::EventDay;

use crate::{FeatureError, FeatureRow, FeatureSettings, rules, store};

/// Lets requests in, or says why not.
#[async_trait]
pub trait FeatureService: Send + Sync {
    /// The settings of `feature` if it runs on `today`.
    async fn require(
        &self,
        feature: Feature,
        today: EventDay,
    ) -> Result<FeatureSettings, FeatureError>;
}

/// [`FeatureService`] on the database.
pub struct Features {
    pub(crate) db: Db,
    gate_enabled: bool,
    pub(crate) rows: Snapshot<EventSeen, Arc<[FeatureRow]>>,
    pub(crate) schedules: Snapshot<EventDay, Arc<[Feature]>>,
}

impl Features {
    /// `gate_enabled` is `FEATURE_GATE_ENABLED`.
    pub fn new(db: Db, gate_enabled: bool) -> Self {
        Self {
            db,
            gate_enabled,
            rows: Snapshot::new(),
            schedules: Snapshot::new(),
        }
    }

    /// Adds a feature's row.
    pub async fn insert_in_tx(
        tx: &DatabaseTransaction,
        row: &FeatureRow,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::insert(tx, row, now).await
    }

    /// Throws a kill switch.
    pub async fn set_enabled(
        &self,
        feature: Feature,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureError> {
        retry(|| self.set_enabled_once(feature, enabled, now)).await
    }

    async fn set_enabled_once(
        &self,
        feature: Feature,
        enabled: bool,
        now: DateTime<Utc>,
    ) -> Result<(), FeatureError> {
        let tx = self.db.begin().await?;
        if !store::set_enabled(&tx, feature, enabled, now).await? {
            return Err(FeatureError::NotToday);
        }
        tx.commit().await?;
        self.rows.drop_all();
        Ok(())
    }

    async fn rows(&self) -> Result<Arc<[FeatureRow]>, DbError> {
        let conn = self.db.read();
        let load = || async { Ok(store::features(conn).await?.into()) };
        let load = self.db.load_of_event(conn, load);
        self.rows.get_or_load(self.db.event(), load).await
    }

    async fn scheduled(&self, today: EventDay) -> Result<Arc<[Feature]>, DbError> {
        let load = async { Ok(store::scheduled(self.db.read(), today).await?.into()) };
        self.schedules.get_or_load(today, load).await
    }
}

#[async_trait]
impl FeatureService for Features {
    async fn require(
        &self,
        feature: Feature,
        today: EventDay,
    ) -> Result<FeatureSettings, FeatureError> {
        let rows = self.rows().await?;
        let row = rows.iter().find(|row| row.feature == feature);
        if !self.gate_enabled {
            return rules::admit(row, None);
        }
        rules::admit(row, Some(&self.scheduled(today).await?))
    }
}
