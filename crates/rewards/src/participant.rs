use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_activity::{Event, EventKind, EventWriter};
use xmas_kernel::{CouponKindId, UserId, audit::REQUIRED_REASON, db::DbError};
use xmas_players::LockedPlayer;

use crate::{
    Books, Grant, GrantSource, Granted, PointGrant, PointOccasion, Reward, RewardReceipt,
    RewardState, RewardType, XpCorrection, books::PLAYER, bulk, hold, purse::Change, store,
};

/// Granting as part of somebody else's use case.
#[async_trait]
pub trait RewardLedger: Send + Sync {
    /// Gives what was promised, or puts it before an admin. `grant_key` names a row that the transaction has just
    /// written, so that nobody has been given anything for it yet; a second receipt with it is a violation of
    /// [`crate::constraints::GRANT`], and undoes the whole use case.
    async fn grant(&self, books: &mut Books<'_>, grant: &Grant) -> Result<Granted, DbError>;

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
        let mut books = Books::lock_in_tx(tx, player, now).await?;
        if let Some(kind) = receipt.reward.coupon_kind()
            && !books.give_code(kind, &receipt.grant_key).await?
        {
            return Ok(false);
        }
        let contents = contents_in_tx(tx, receipt.reward).await?;
        let credit = Credited {
            reason: receipt.source.ledger_reason(),
            grant_key: &receipt.grant_key,
            actor,
        };
        put_in(&mut books, &contents, &credit)?;
        books.write_in_tx().await?;
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
        self.events
            .write_in_tx(tx, player, &[granted(meta)], now)
            .await
    }
}

fn granted(meta: Value) -> Event {
    Event {
        kind: EventKind::RewardGranted,
        feature: None,
        meta,
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
fn put_in(
    books: &mut Books<'_>,
    contents: &[Reward],
    credit: &Credited<'_>,
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
        let balance = books.change(&change);
        balance.ok_or_else(|| DbError::Corrupt(format!("{} overflows", credit.grant_key)))?;
    }
    Ok(())
}

#[async_trait]
impl RewardLedger for Rewards {
    async fn grant(&self, books: &mut Books<'_>, grant: &Grant) -> Result<Granted, DbError> {
        let (tx, reward) = (books.tx, grant.reward);
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
        if let Some(kind) = reward.coupon_kind()
            && decision.0 == RewardState::Delivered
            && !books.give_code(kind, &grant.grant_key).await?
        {
            decision = (RewardState::PendingReview, Some(hold::NO_COUPON_LEFT));
        }
        let state = decision.0;
        books.issue(store::receipt_of(books.player, grant, decision, books.now));
        let is_delivered = state == RewardState::Delivered;
        if is_delivered {
            let credit = Credited {
                reason: grant.source.ledger_reason(),
                grant_key: &grant.grant_key,
                actor: PLAYER,
            };
            put_in(books, &contents, &credit)?;
        }
        if !reward.is_nothing() {
            books.note(granted(grant_meta(grant, decision)));
        }
        Ok(Granted {
            state,
            xp_due: if reward.kind() == RewardType::Xp && is_delivered {
                reward.amount()
            } else {
                0
            },
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
        let receipt = store::receipt_of(player, &grant, decision, now);
        store::insert_receipts(tx, vec![receipt]).await?;
        self.record_in_tx(tx, player, grant_meta(&grant, decision), now)
            .await
    }
}
