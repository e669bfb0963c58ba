use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use xmas_kernel::db::{Db, retry};
use xmas_players::{Identity, check};
use xmas_rewards::RewardService;

use crate::{
    HistoryError, HistoryKind, HistoryPage, HistoryQuery, HistoryService, Receipt,
    place::cut,
    store::{self, Found},
};

/// [`HistoryService`] on the database.
pub struct History {
    db: Db,
    rewards: Arc<dyn RewardService>,
}

impl History {
    pub fn new(db: Db, rewards: Arc<dyn RewardService>) -> Self {
        Self { db, rewards }
    }

    async fn history_once(
        &self,
        identity: &Identity,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, HistoryError> {
        let (db, user_id) = (self.db.read(), identity.user_id);
        check(db, identity).await?;
        let mut found = Vec::new();
        if let Some(part) = query.part(HistoryKind::Play) {
            found.extend(store::plays(db, user_id, &part).await?);
        }
        if let Some(part) = query.part(HistoryKind::Stamp) {
            found.extend(store::stamps(db, user_id, &part).await?);
        }
        if let Some(part) = query.part(HistoryKind::Reward) {
            found.extend(store::rewards(db, user_id, &part).await?);
        }
        let (found, next) = cut(found, query.limit, |row| row.receipt.cursor());

        let coupons: Vec<String> = found.iter().filter_map(|row| row.coupon.clone()).collect();
        let codes = if coupons.is_empty() {
            HashMap::new()
        } else {
            self.rewards.coupon_codes(user_id, &coupons).await?
        };
        let mut items: Vec<Receipt> = found
            .into_iter()
            .map(|row| with_code(row, &codes))
            .collect();
        let plays = items.iter().filter_map(|receipt| match receipt {
            Receipt::Play { id, .. } => Some(*id),
            _ => None,
        });
        let plays: Vec<i64> = plays.collect();
        if !plays.is_empty() {
            let mut states = store::prize_states(db, &plays).await?;
            for receipt in &mut items {
                if let Receipt::Play {
                    id, reward_state, ..
                } = receipt
                {
                    *reward_state = states.remove(id);
                }
            }
        }
        Ok(HistoryPage { items, next })
    }
}

/// The receipt, with its coupon code if it has one.
fn with_code(found: Found, codes: &HashMap<String, String>) -> Receipt {
    let mut receipt = found.receipt;
    if let Receipt::Reward { coupon_code, .. } = &mut receipt {
        *coupon_code = found.coupon.and_then(|grant| codes.get(&grant).cloned());
    }
    receipt
}

#[async_trait]
impl HistoryService for History {
    async fn history(
        &self,
        identity: &Identity,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, HistoryError> {
        retry(|| self.history_once(identity, query)).await
    }
}
