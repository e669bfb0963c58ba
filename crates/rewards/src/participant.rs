use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_activity::{Event, EventKind, EventWriter};
use xmas_kernel::{Asset, CouponKindId, UserId, audit::REQUIRED_REASON, db::DbError};
use xmas_players::LockedPlayer;

use crate::{
    Grant, GrantSource, Granted, PointGrant, PointOccasion, Reward, RewardReceipt, RewardState,
    RewardType, Spend, SpendError, XpCorrection, bulk, constraints, hold,
    store::{self, Change},
};

/// Who moved a balance, when it was the player's own doing.
const PLAYER: &str = "player";

/// Spending and granting as part of somebody else's use case.
#[async_trait]
pub trait RewardLedger: Send + Sync {
    /// Takes tokens; returns the new balance. Takes nothing when there are too few.
    async fn spend_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        spend: &Spend,
        now: DateTime<Utc>,
    ) -> Result<i64, SpendError>;

    /// Gives what was promised, or puts it before an admin; once per `grant_key`.
    async fn grant_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        grant: &Grant,
        now: DateTime<Utc>,
    ) -> Result<Granted, DbError>;

    /// Gives points to many players, whom the caller has locked; once per `grant_key`, and without
    /// a review. Returns who was given them now.
    async fn grant_points_many_in_tx(
        &self,
        tx: &DatabaseTransaction,
        grants: &[PointGrant],
        occasion: &PointOccasion,
        now: DateTime<Utc>,
    ) -> Result<Vec<UserId>, DbError>;

    /// Writes the receipt of an operator's correction of season XP. The caller moves the season.
    async fn correct_xp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        correction: &XpCorrection,
        now: DateTime<Utc>,
    ) -> Result<(), DbError>;

    /// What the player holds of one asset.
    async fn balance_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        asset: Asset,
    ) -> Result<i64, DbError>;
}
/// [`RewardLedger`] on the database. It has no connection of its own.
#[derive(Clone, Debug)]
pub struct Rewards {
    events: EventWriter,
    review_points: i64,
}

/// Why and for whom contents go into a wallet.
struct Credited<'a> {
    reason: &'a str,
    grant_key: &'a str,
    actor: &'a str,
}

impl Rewards {
    /// `review_points` is `REWARD_REVIEW_POINTS`.
    pub fn new(events: EventWriter, review_points: i64) -> Self {
        Self {
            events,
            review_points,
        }
    }

    /// Delivers what a receipt promised, after an admin has looked at it. `false` if it is a coupon
    /// and no code is left. The caller has ended the receipt's wait.
    pub(crate) async fn deliver_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        receipt: &RewardReceipt,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        if let Some(kind) = receipt.reward.coupon_kind() {
            let Some(code) = store::reserve_code(tx, kind).await? else {
                return Ok(false);
            };
            store::take_code(tx, code, receipt.id, now).await?;
        }
        let contents = contents_in_tx(tx, receipt.reward).await?;
        let credit = Credited {
            reason: receipt.source.ledger_reason(),
            grant_key: &receipt.grant_key,
            actor,
        };
        credit_in_tx(tx, player, &contents, &credit, now).await?;
        Ok(true)
    }

    /// Writes the activity row of a reward that was granted, or that an admin has decided about.
    pub(crate) async fn record_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        meta: Value,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let event = Event {
            kind: EventKind::RewardGranted,
            feature: None,
            meta,
        };
        self.events.write_in_tx(tx, player, &[event], now).await
    }
}

/// What an activity row says about a grant.
fn grant_meta(grant: &Grant, (state, reason): (RewardState, Option<&str>)) -> Value {
    json!({
        "grant_key": grant.grant_key,
        "reward_type": grant.reward.kind(),
        "amount": grant.reward.amount(),
        "item": grant.reward.item(),
        "state": state,
        "reason": reason,
    })
}

/// What is given: the things in a bundle, or else the reward itself.
async fn contents_in_tx(tx: &DatabaseTransaction, reward: Reward) -> Result<Vec<Reward>, DbError> {
    let Some(bundle) = reward.bundle_id() else {
        return Ok(vec![reward]);
    };
    let bundles = store::bundles(tx, [bundle]).await?;
    let contents = bundles.into_iter().next().map(|(_, contents)| contents);
    contents.ok_or_else(|| DbError::Corrupt(format!("bundle {bundle} cannot be delivered")))
}

async fn is_manual(tx: &DatabaseTransaction, kind: CouponKindId) -> Result<bool, DbError> {
    let kinds = store::coupon_kinds(tx, [kind]).await?;
    match kinds.first() {
        Some((_, manual)) => Ok(*manual),
        None => Err(DbError::Corrupt(format!(
            "there is no kind {kind} of coupon"
        ))),
    }
}

/// Puts into the wallet what belongs there.
async fn credit_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    contents: &[Reward],
    credit: &Credited<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    for item in contents {
        let asset = item.kind().asset().filter(|_| !item.is_nothing());
        let Some(asset) = asset else {
            continue;
        };
        let change = Change {
            asset,
            delta: item.amount(),
            reason: credit.reason,
            reference: credit.grant_key,
            actor: credit.actor,
        };
        let balance = store::change(tx, player, &change, now).await?;
        balance.ok_or_else(|| DbError::Corrupt(format!("{} overflows", credit.grant_key)))?;
    }
    Ok(())
}

#[async_trait]
impl RewardLedger for Rewards {
    async fn spend_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        spend: &Spend,
        now: DateTime<Utc>,
    ) -> Result<i64, SpendError> {
        let change = Change {
            asset: spend.asset,
            delta: -spend.amount,
            reason: spend.reason,
            reference: &spend.reference,
            actor: PLAYER,
        };
        let balance = store::change(tx, player, &change, now).await?;
        balance.ok_or(SpendError::NotEnough)
    }

    async fn grant_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        grant: &Grant,
        now: DateTime<Utc>,
    ) -> Result<Granted, DbError> {
        let reward = grant.reward;
        let contents = contents_in_tx(tx, reward).await?;
        let mut decision = match reward.coupon_kind() {
            Some(kind) if is_manual(tx, kind).await? => {
                let manual = Grant {
                    manual: true,
                    ..grant.clone()
                };
                hold::decide(&manual, &contents, self.review_points)
            }
            _ => hold::decide(grant, &contents, self.review_points),
        };
        let mut code = None;
        if let Some(kind) = reward.coupon_kind()
            && decision.0 == RewardState::Delivered
        {
            code = store::reserve_code(tx, kind).await?;
            if code.is_none() {
                decision = (RewardState::PendingReview, Some(hold::NO_COUPON_LEFT));
            }
        }
        let receipt = match store::insert_receipt(tx, player, grant, decision, now).await {
            Ok(receipt) => receipt,
            Err(error) if error.violates(&constraints::GRANT) => {
                return Ok(Granted {
                    state: store::receipt_state(tx, &grant.grant_key).await?,
                    xp_due: 0,
                    repeated: true,
                });
            }
            Err(error) => return Err(error),
        };
        let state = decision.0;
        let delivered = state == RewardState::Delivered;
        if let Some(code) = code {
            store::take_code(tx, code, receipt, now).await?;
        }
        if delivered {
            let credit = Credited {
                reason: grant.source.ledger_reason(),
                grant_key: &grant.grant_key,
                actor: PLAYER,
            };
            credit_in_tx(tx, player, &contents, &credit, now).await?;
        }
        if !reward.is_nothing() {
            let meta = grant_meta(grant, decision);
            self.record_in_tx(tx, player, meta, now).await?;
        }
        Ok(Granted {
            state,
            xp_due: if reward.kind() == RewardType::Xp && delivered {
                reward.amount()
            } else {
                0
            },
            repeated: false,
        })
    }

    async fn grant_points_many_in_tx(
        &self,
        tx: &DatabaseTransaction,
        grants: &[PointGrant],
        occasion: &PointOccasion,
        now: DateTime<Utc>,
    ) -> Result<Vec<UserId>, DbError> {
        bulk::grant_points(tx, grants, occasion, now).await
    }

    async fn correct_xp_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        correction: &XpCorrection,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let grant = Grant {
            grant_key: correction.grant_key.clone(),
            source: GrantSource::Correction,
            reward: Reward::xp_correction(correction.delta),
            label: None,
            manual: false,
            season_id: Some(correction.season_id),
        };
        let reason = correction.reason.as_deref();
        let reason = reason.map(|text| {
            text.chars()
                .take(*REQUIRED_REASON.end())
                .collect::<String>()
        });
        let decision = (RewardState::Delivered, reason.as_deref());
        store::insert_receipt(tx, player, &grant, decision, now).await?;
        self.record_in_tx(tx, player, grant_meta(&grant, decision), now)
            .await
    }

    async fn balance_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        asset: Asset,
    ) -> Result<i64, DbError> {
        let balance = store::balance(tx, player.user_id(), asset).await?;
        Ok(balance.unwrap_or(0))
    }
}
