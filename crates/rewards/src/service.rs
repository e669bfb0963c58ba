use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sea_orm::ConnectionTrait;
use xmas_kernel::{BundleId, CouponKindId, UserId, db::DbError};

use crate::{Reward, RewardDesk, coupons::place, store};

/// What rewards promise, for whoever gives them: reads only.
#[async_trait]
pub trait RewardService: Send + Sync {
    /// Whether every bundle and kind of coupon that is promised exists and can be given. What a
    /// configuration promises is asked when it is loaded, so that a play of it does not fail.
    async fn are_deliverable(&self, rewards: &[Reward]) -> Result<bool, DbError>;

    /// The coupon codes of a player's delivered grants, whole: grant key to code. For the winner's
    /// eyes only. A code that cannot be opened is left out and logged.
    async fn coupon_codes(
        &self,
        user_id: UserId,
        grant_keys: &[String],
    ) -> Result<HashMap<String, String>, DbError>;
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

/// The coupon codes of grants that were just delivered, for their winner's eyes: grant key to code. None if
/// they cannot be had now, which is logged: the rewards are the winner's, and their history shows them.
pub async fn codes_to_show(
    rewards: &dyn RewardService,
    user_id: UserId,
    grant_keys: &[String],
) -> HashMap<String, String> {
    match rewards.coupon_codes(user_id, grant_keys).await {
        Ok(codes) => codes,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(%user_id, ?grant_keys, error, "a coupon code could not be shown");
            HashMap::new()
        }
    }
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
