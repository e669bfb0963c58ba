use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use xmas_kernel::{
    BundleId,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    paging::{Cursor, Limit, Page},
};

use crate::{BundleDesk, Reward, RewardDesk, RewardError, desk::named, rules, store};

/// A bundle to be saved. [`crate::rules::check_bundle`] says whether it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBundle {
    pub name: String,
    /// Points and tokens.
    pub items: Vec<Reward>,
}

/// A bundle as an operator writes it down.
#[derive(Clone, Debug)]
pub struct BundleDraft {
    pub name: String,
    pub items: Vec<BundleItem>,
}

/// A bundle that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bundle {
    pub id: BundleId,
    pub name: String,
    pub items: Vec<BundleItem>,
    pub created_at: DateTime<Utc>,
}

/// One thing in a bundle, whether or not it can be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleItem {
    pub reward_type: String,
    pub amount: i64,
}

impl RewardDesk {
    /// Adds a bundle in a transaction of the caller's, who may be nobody in particular.
    pub async fn add_bundle_in_tx(
        tx: &DatabaseTransaction,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError> {
        let problems = rules::check_bundle(bundle);
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        store::insert_bundle(tx, bundle, now).await.map_err(named)
    }

    async fn add_bundle_once(
        &self,
        actor: &Actor,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<Bundle, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, Area::Rewards).await?;
        let item = |item: &Reward| BundleItem {
            reward_type: item.kind().as_str().to_owned(),
            amount: item.amount(),
        };
        let added = Bundle {
            id: Self::add_bundle_in_tx(&tx, bundle, now).await?,
            name: bundle.name.clone(),
            items: bundle.items.iter().map(item).collect(),
            created_at: now,
        };
        let change = Change {
            action: "BUNDLE_CREATE",
            resource: &format!("bundle:{}", added.id),
            before: serde_json::Value::Null,
            after: audit::state(&added),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await?;
        Ok(added)
    }
}

#[async_trait]
impl BundleDesk for RewardDesk {
    async fn bundles(&self, limit: Limit, before: Option<Cursor>) -> Result<Page<Bundle>, DbError> {
        store::bundle_page(self.db.read(), limit, before).await
    }

    async fn bundle(&self, id: BundleId) -> Result<Bundle, RewardError> {
        let found = store::bundle(self.db.read(), id).await?;
        found.ok_or(RewardError::UnknownBundle)
    }

    async fn add_bundle(
        &self,
        actor: &Actor,
        draft: &BundleDraft,
        now: DateTime<Utc>,
    ) -> Result<Bundle, RewardError> {
        let bundle = rules::bundle(draft).map_err(RewardError::Invalid)?;
        retry(|| self.add_bundle_once(actor, &bundle, now)).await
    }
}
