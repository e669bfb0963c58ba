use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    BundleId, CouponKindId, UserId,
    db::{Constraint, Db, DbError},
    entropy::Entropy,
    seal::{DataKey, Sealed, SealedTable},
};

use crate::{Reward, RewardError, RewardService, Rewards, store};

/// [`RewardService`] on the database, and the desks of operators: [`crate::ReviewDesk`],
/// [`crate::CouponDesk`], [`crate::BundleDesk`].
#[derive(Clone)]
pub struct RewardDesk {
    pub(crate) db: Db,
    pub(crate) key: DataKey,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) rewards: Rewards,
}

/// What a code is sealed for: a code copied to another kind does not open.
pub(crate) fn place(kind: CouponKindId) -> String {
    format!("coupon_code:{kind}")
}

/// `coupon_code`, for comparing keys.
#[derive(Clone, Copy, Debug)]
pub struct SealedCoupons;

#[async_trait]
impl SealedTable for SealedCoupons {
    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError> {
        let code = store::any_code(tx).await?;
        Ok(code.map(|(kind, value)| Sealed {
            place: place(kind),
            value,
        }))
    }
}

/// A duplicate name is told as such.
pub(crate) fn named(error: DbError) -> RewardError {
    match error.constraint() {
        Some(Constraint::BundleName | Constraint::CouponKindName) => RewardError::NameTaken,
        _ => error.into(),
    }
}

impl RewardDesk {
    /// `key` is `DATA_KEY`.
    pub fn new(db: Db, key: DataKey, entropy: Arc<dyn Entropy>, rewards: Rewards) -> Self {
        Self {
            db,
            key,
            entropy,
            rewards,
        }
    }
}

/// [`RewardService::are_deliverable`] in a transaction of the caller's.
pub async fn are_deliverable(
    conn: &impl ConnectionTrait,
    rewards: &[Reward],
) -> Result<bool, DbError> {
    let bundles = rewards.iter().filter_map(|reward| reward.bundle_id());
    let bundles: HashSet<BundleId> = bundles.collect();
    let kinds = rewards.iter().filter_map(|reward| reward.coupon_kind());
    let kinds: HashSet<CouponKindId> = kinds.collect();
    let known_bundles = store::bundles(conn, bundles.iter().copied()).await?;
    let known_kinds = store::coupon_kinds(conn, kinds.iter().copied()).await?;
    Ok(known_bundles.len() == bundles.len() && known_kinds.len() == kinds.len())
}

#[async_trait]
impl RewardService for RewardDesk {
    async fn are_deliverable(&self, rewards: &[Reward]) -> Result<bool, DbError> {
        are_deliverable(self.db.read(), rewards).await
    }

    async fn coupon_codes(
        &self,
        user_id: UserId,
        grant_keys: &[String],
    ) -> Result<HashMap<String, String>, DbError> {
        if grant_keys.is_empty() {
            return Ok(HashMap::new());
        }
        let sealed = store::codes_of_grants(self.db.read(), user_id, grant_keys).await?;
        let open = |(grant_key, kind, sealed): (String, CouponKindId, String)| {
            let opened = self.key.open(&place(kind), &sealed);
            // One code that cannot be read takes no other one away.
            if let Err(error) = opened {
                tracing::error!(grant_key, %error, "a coupon code cannot be shown to its winner");
            }
            let code = String::from_utf8(opened.ok()?).ok()?;
            Some((grant_key, code))
        };
        Ok(sealed.into_iter().filter_map(open).collect())
    }
}
