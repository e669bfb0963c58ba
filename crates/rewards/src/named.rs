//! Bundles and kinds of coupons by their names, as the event's file knows them.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    BundleId, CouponKindId, Problem,
    audit::{self, Actor},
    db::DbError,
};
use xmas_texts::reward as texts;

use crate::{
    Bundle, BundleDraft, BundleItem, CouponKind, NewCouponKind, RewardDesk, RewardError, bundles,
    desk::REWARDS, store,
};

impl RewardDesk {
    /// Lets nobody else edit bundles and coupons until the transaction ends.
    pub async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
        audit::enter_in_tx(tx, REWARDS).await
    }

    /// The bundles of these names.
    pub async fn bundles_named(
        conn: &impl ConnectionTrait,
        names: &[&str],
    ) -> Result<Vec<Bundle>, DbError> {
        let mut named = store::bundles_named(conn, names).await?;
        named.retain(|bundle| names.contains(&bundle.name.as_str()));
        Ok(named)
    }

    /// The bundles of these ids.
    pub async fn bundles_of(
        conn: &impl ConnectionTrait,
        ids: &[i64],
    ) -> Result<Vec<Bundle>, DbError> {
        store::bundles_of(conn, ids).await
    }

    /// The kinds of coupons of these names.
    pub async fn coupon_kinds_named(
        conn: &impl ConnectionTrait,
        names: &[&str],
    ) -> Result<Vec<CouponKind>, DbError> {
        let mut named = store::coupon_kinds_named(conn, names).await?;
        named.retain(|kind| names.contains(&kind.name.as_str()));
        Ok(named)
    }

    /// The kinds of coupons of these ids.
    pub async fn coupon_kinds_of(
        conn: &impl ConnectionTrait,
        ids: &[i64],
    ) -> Result<Vec<CouponKind>, DbError> {
        store::coupon_kinds_of(conn, ids).await
    }

    /// Adds a bundle unless it is there as it is written; once nobody else edits bundles ([`RewardDesk::enter_in_tx`]).
    ///
    /// # Errors
    /// What is promised by name is given by name: another bundle of this name is a problem.
    pub async fn put_bundle_in_tx(
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        draft: &BundleDraft,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError> {
        let bundle = bundles::bundle(draft).map_err(RewardError::Invalid)?;
        let named = Self::bundles_named(tx, &[&bundle.name]).await?;
        if let Some(there) = named.into_iter().next() {
            let items = |items: &[BundleItem]| -> Vec<(String, i64)> {
                let items = items.iter();
                items
                    .map(|item| (item.reward_type.clone(), item.amount))
                    .collect()
            };
            return match items(&there.items) == items(&draft.items) {
                true => Ok(there.id),
                false => Err(RewardError::Invalid(vec![Problem::new(
                    "items",
                    texts::bundle_is_fixed(),
                )])),
            };
        }
        Ok(bundles::create_in_tx(tx, actor, &bundle, now).await?.id)
    }

    /// Makes the kind of coupon of this name what is said, or adds it, checked as an operator's edit is; once nobody else
    /// edits coupons ([`RewardDesk::enter_in_tx`]). One that ignores case from now on needs every code's print
    /// ([`RewardDesk::complete_codes`]).
    pub async fn put_coupon_kind_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKindId, RewardError> {
        let named = Self::coupon_kinds_named(tx, &[&kind.name]).await?;
        let saved = match named.into_iter().next() {
            Some(before) => {
                self.save_coupon_kind_in_tx(tx, actor, before, kind.clone(), now)
                    .await?
            }
            None => Self::create_coupon_kind_in_tx(tx, actor, kind, now).await?,
        };
        Ok(saved.id)
    }
}
