use std::ops::RangeInclusive;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use xmas_kernel::{
    Problems, RewardId,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    paging::{Cursor, Limit, Page},
    text::{self, Lines},
};
use xmas_players::{find_by_id, lock_by_id_in_tx};

use crate::{Decision, ReviewDesk, RewardDesk, RewardError, RewardReceipt, RewardState, store};

/// The longest reason that the database keeps.
pub(crate) const REASON_CHARACTERS: RangeInclusive<usize> = 1..=191;

impl RewardDesk {
    async fn decide_once(
        &self,
        actor: &Actor,
        reward: RewardId,
        (state, reason): (RewardState, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<Decision, RewardError> {
        let tx = self.db.begin().await?;
        // Read for its player, who is locked before anything of theirs is changed.
        let before = store::find_receipt(&*tx, reward).await?;
        let before = before.ok_or(RewardError::NotFound)?;
        let nobody = || DbError::Corrupt(format!("reward_log {reward} belongs to nobody"));
        let locked = lock_by_id_in_tx(&tx, before.user_id).await?;
        let locked = locked.ok_or_else(nobody)?;
        let by = &actor.name;
        if !store::end_wait(&tx, reward, (state, reason), by, now).await? {
            return Err(RewardError::NotPending);
        }
        let deliver = state == RewardState::Delivered;
        if deliver
            && !self
                .rewards
                .deliver_in_tx(&tx, &locked, &before, by, now)
                .await?
        {
            return Err(RewardError::NoCouponLeft);
        }
        let meta = json!({
            "grant_key": before.grant_key,
            "reward_type": before.reward.kind(),
            "amount": before.reward.amount(),
            "item": before.reward.item(),
            "state": state,
            "reason": reason,
            "decided_by": by,
        });
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
        self.rewards.tell_in_tx(&tx, &locked, meta, now).await?;
        audit::write_in_tx(&tx, actor, change, now).await?;
        let player = find_by_id(&*tx, before.user_id).await?;
        let player = player.ok_or_else(nobody)?;
        tx.commit().await?;
        let receipt = RewardReceipt {
            state,
            reason: reason.map(str::to_owned),
            reviewed_at: Some(now),
            reviewed_by: Some(by.clone()),
            ..before
        };
        Ok(Decision { receipt, player })
    }
}

#[async_trait]
impl ReviewDesk for RewardDesk {
    async fn pending(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<RewardReceipt>, RewardError> {
        Ok(store::pending(self.db.read(), limit, before).await?)
    }

    async fn approve(
        &self,
        actor: &Actor,
        reward: RewardId,
        now: DateTime<Utc>,
    ) -> Result<Decision, RewardError> {
        let decision = (RewardState::Delivered, None);
        retry(|| self.decide_once(actor, reward, decision, now)).await
    }

    async fn reject(
        &self,
        actor: &Actor,
        reward: RewardId,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Decision, RewardError> {
        let reason = text::tidy(reason);
        let mut problems = Problems::default();
        let fit = text::check(&reason, REASON_CHARACTERS, Lines::One);
        problems.expect_fit(fit, "reason");
        if !problems.is_empty() {
            return Err(RewardError::Invalid(problems.into_vec()));
        }
        let decision = (RewardState::Rejected, Some(reason.as_str()));
        retry(|| self.decide_once(actor, reward, decision, now)).await
    }
}
