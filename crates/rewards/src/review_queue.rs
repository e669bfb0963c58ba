use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xmas_kernel::{
    RewardId,
    audit::{self, Actor, Change},
    db::DbError,
    idempotency::{Replayable, RequestKey, find_in_tx, retry_keyed, store_in_tx},
    paging::{Cursor, Limit, Page},
    text::Lines,
};
use xmas_players::{Inactive, RecipientError, find_by_id, lock_by_id_in_tx, lock_recipient_in_tx};

use crate::{Decision, RewardDesk, RewardError, RewardReceipt, RewardState, store};

impl RewardDesk {
    async fn decide_once(
        &self,
        actor: &Actor,
        reward: RewardId,
        (decision, inactive): ((RewardState, Option<&str>), Inactive),
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Decision>, RewardError> {
        let (state, reason) = decision;
        let tx = self.db.begin().await?;
        // Read for its player, who is locked before anything of theirs is changed.
        let before = store::find_receipt(&*tx, reward).await?;
        let before = before.ok_or(RewardError::NotFound)?;
        let nobody = || DbError::Corrupt(format!("reward_log {reward} belongs to nobody"));
        let deliver = state == RewardState::Delivered;
        let locked = match deliver {
            true => lock_recipient_in_tx(&tx, before.user_id, inactive).await,
            // What waits can be refused whoever it waits for.
            false => {
                let locked = lock_by_id_in_tx(&tx, before.user_id).await?;
                Ok(locked.ok_or_else(nobody)?)
            }
        };
        if let Err(RecipientError::Db(error)) = locked {
            return Err(error.into());
        }
        // The key is the operator's. An answer is given again whatever has become of the player; the decision
        // stands with its reward, and their names are those of today.
        if let Some(reward) = find_in_tx(&tx, actor.user_id, request).await? {
            let receipt = store::find_receipt(&*tx, reward).await?;
            let player = find_by_id(&*tx, before.user_id).await?;
            return Ok(Replayable::replayed(Decision {
                receipt: receipt.ok_or(RewardError::NotFound)?,
                player: player.ok_or_else(nobody)?,
            }));
        }
        let locked = locked?;
        let by = &actor.name;
        if !store::end_wait(&tx, reward, decision, by, now).await? {
            return Err(RewardError::NotPending);
        }
        if deliver
            && !self
                .rewards
                .deliver_in_tx(&tx, &locked, &before, by, now)
                .await?
        {
            return Err(RewardError::NoCouponLeft);
        }
        let meta = decision_meta(&before, decision, by);
        let change = Change {
            action: if deliver {
                "REWARD_APPROVE"
            } else {
                "REWARD_REJECT"
            },
            resource: &format!("reward:{reward}"),
            before: json!({ "state": before.state, "reason": before.reason }),
            after: json!({
                "state": state,
                "reason": reason,
                "user_id": before.user_id,
                "grant_key": before.grant_key,
                "reward_type": before.reward.kind(),
                "reward_amount": before.reward.amount(),
                "reward_item": before.reward.item(),
            }),
        };
        self.rewards.record_in_tx(&tx, &locked, meta, now).await?;
        audit::write_in_tx(&tx, actor, change, now).await?;
        let player = find_by_id(&*tx, before.user_id).await?;
        let player = player.ok_or_else(nobody)?;
        store_in_tx(&tx, actor.user_id, request, &reward, now).await?;
        tx.commit().await?;
        let receipt = RewardReceipt {
            state,
            reason: reason.map(str::to_owned),
            reviewed_at: Some(now),
            reviewed_by: Some(by.clone()),
            ..before
        };
        Ok(Replayable::fresh(Decision { receipt, player }))
    }
}

/// What an activity row says about a decision.
pub(crate) fn decision_meta(
    receipt: &RewardReceipt,
    (state, reason): (RewardState, Option<&str>),
    by: &str,
) -> Value {
    json!({
        "grant_key": receipt.grant_key,
        "reward_type": receipt.reward.kind(),
        "amount": receipt.reward.amount(),
        "item": receipt.reward.item(),
        "state": state,
        "reason": reason,
        "decided_by": by,
    })
}

/// The review queue: rewards that wait for an admin. Every decision leaves a row in the audit log.
impl RewardDesk {
    /// Rewards that wait for an admin, newest first.
    pub async fn pending_rewards(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<RewardReceipt>, RewardError> {
        Ok(store::pending(self.db.read(), limit, before).await?)
    }

    /// Delivers a reward that waits; once, whoever asks twice, and with the same answer for the same request. A player who is blocked by now gets it all
    /// the same, one who is INACTIVE if `inactive` says so, and one who was anonymised never.
    pub async fn approve(
        &self,
        actor: &Actor,
        reward: RewardId,
        inactive: Inactive,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Decision>, RewardError> {
        let what = ((RewardState::Delivered, None), inactive);
        retry_keyed(&self.db, request, || {
            self.decide_once(actor, reward, what, request, now)
        })
        .await
    }

    /// Refuses a reward that waits, with a reason of 1 to 191 characters that the player sees.
    pub async fn reject(
        &self,
        actor: &Actor,
        reward: RewardId,
        reason: &str,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Decision>, RewardError> {
        let reason = audit::required_reason(reason, Lines::One).map_err(RewardError::Invalid)?;
        let refused = (RewardState::Rejected, Some(reason.as_str()));
        let what = (refused, Inactive::Reached);
        retry_keyed(&self.db, request, || {
            self.decide_once(actor, reward, what, request, now)
        })
        .await
    }
}
