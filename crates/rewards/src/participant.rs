use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use xmas_activity::{Event, EventKind, EventWriter};
use xmas_kernel::{
    Asset,
    db::{Constraint, DbError},
};
use xmas_players::LockedPlayer;

use crate::{
    Grant, Granted, RewardLedger, RewardState, RewardType, Spend, SpendError, rules,
    store::{self, Change},
};

/// Who moved a balance, when it was the player's own doing.
const PLAYER: &str = "player";

/// [`RewardLedger`] on the database. It has no connection of its own.
#[derive(Clone, Debug)]
pub struct Rewards {
    events: EventWriter,
    review_points: i64,
}

impl Rewards {
    /// `review_points` is `REWARD_REVIEW_POINTS`.
    pub fn new(events: EventWriter, review_points: i64) -> Self {
        Self {
            events,
            review_points,
        }
    }
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
        let decision = rules::decide(grant, self.review_points);
        match store::insert_receipt(tx, player, grant, decision, now).await {
            Ok(()) => {}
            Err(error) if error.constraint() == Some(Constraint::RewardGrant) => {
                return Ok(Granted {
                    state: store::receipt_state(tx, &grant.grant_key).await?,
                    xp_due: 0,
                    repeated: true,
                });
            }
            Err(error) => return Err(error),
        }
        let (state, reason) = decision;
        let delivered = state == RewardState::Delivered;
        let (kind, amount) = (grant.reward.kind(), grant.reward.amount());
        if let Some(asset) = kind.asset().filter(|_| delivered) {
            let change = Change {
                asset,
                delta: amount,
                reason: grant.source.as_str(),
                reference: &grant.grant_key,
                actor: PLAYER,
            };
            let balance = store::change(tx, player, &change, now).await?;
            balance.ok_or_else(|| DbError::Corrupt(format!("{} overflows", grant.grant_key)))?;
        }
        if kind != RewardType::None {
            let event = Event {
                kind: EventKind::RewardGranted,
                feature: None,
                meta: json!({
                    "grant_key": grant.grant_key,
                    "reward_type": kind,
                    "amount": amount,
                    "state": state,
                    "reason": reason,
                }),
            };
            self.events.write_in_tx(tx, player, &[event], now).await?;
        }
        Ok(Granted {
            state,
            xp_due: if kind == RewardType::Xp && delivered {
                amount
            } else {
                0
            },
            repeated: false,
        })
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
