mod model;
mod rules;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    BundleId,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    paging::{Cursor, Limit, Page},
};

pub use model::{Bundle, BundleDraft, BundleItem, NewBundle};
pub use rules::{MAX_ITEMS, check_bundle};
pub(crate) use rules::{are_contents, bundle};

use crate::{
    Reward, RewardDesk, RewardError,
    desk::{REWARDS, name_conflict},
    store,
};

impl RewardDesk {
    /// Adds a bundle in a transaction of the caller's, who may be nobody in particular.
    pub async fn add_bundle_in_tx(
        tx: &DatabaseTransaction,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError> {
        let problems = rules::check_new(bundle);
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems));
        }
        store::insert_bundle(tx, bundle, now)
            .await
            .map_err(name_conflict)
    }

    async fn add_bundle_once(
        &self,
        actor: &Actor,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<Bundle, RewardError> {
        let tx = self.db.begin().await?;
        audit::enter_in_tx(&tx, REWARDS).await?;
        let added = create_in_tx(&tx, Some(actor), bundle, now).await?;
        tx.commit().await?;
        Ok(added)
    }
}

/// Adds a bundle that keeps its rules, or else what is wrong with it, and writes it to the audit log.
pub(crate) async fn create_in_tx(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    bundle: &NewBundle,
    now: DateTime<Utc>,
) -> Result<Bundle, RewardError> {
    let item = |item: &Reward| BundleItem {
        reward_type: item.kind().as_str().to_owned(),
        amount: item.amount(),
    };
    let added = Bundle {
        id: RewardDesk::add_bundle_in_tx(tx, bundle, now).await?,
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
    audit::write_in_tx(tx, actor, change, now).await?;
    Ok(added)
}

/// Bundles for operators, who name them in levels and prizes. They are not changed once they are there,
/// since what was promised by name is given by name.
impl RewardDesk {
    /// Bundles, newest first.
    pub async fn bundles(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<Bundle>, DbError> {
        store::bundle_page(self.db.read(), limit, before).await
    }

    /// A bundle with what lies in it.
    pub async fn bundle(&self, id: BundleId) -> Result<Bundle, RewardError> {
        let found = store::bundle(self.db.read(), id).await?;
        found.ok_or(RewardError::UnknownBundle)
    }

    /// Adds a bundle that an operator has written down.
    pub async fn add_bundle(
        &self,
        actor: &Actor,
        draft: &BundleDraft,
        now: DateTime<Utc>,
    ) -> Result<Bundle, RewardError> {
        let bundle = bundle(draft).map_err(RewardError::Invalid)?;
        retry(|| self.add_bundle_once(actor, &bundle, now)).await
    }
}
