use std::{collections::HashMap, sync::Arc};

use xmas_kernel::{
    UserId,
    db::{Db, retry},
};
use xmas_players::{Identity, check};
use xmas_rewards::RewardService;

use crate::{
    GrantReceipt, HistoryError, HistoryKind, HistoryPage, HistoryQuery, Receipt, place::cut, store,
};

/// What happened to a player, for the player.
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
        let mut coupons = Vec::new();
        if let Some(part) = query.part(HistoryKind::Play) {
            let plays = store::plays(db, user_id, &part).await?;
            found.extend(plays.into_iter().map(Receipt::Play));
        }
        if let Some(part) = query.part(HistoryKind::Stamp) {
            let stamps = store::stamps(db, user_id, &part).await?;
            found.extend(stamps.into_iter().map(Receipt::Stamp));
        }
        if let Some(part) = query.part(HistoryKind::Reward) {
            for grant in store::rewards(db, user_id, &part).await? {
                coupons.extend(grant.coupon.map(|key| (grant.receipt.id, key)));
                found.push(Receipt::Grant(grant.receipt));
            }
        }
        let (mut items, next) = cut(found, query.limit, Receipt::cursor);
        self.add_codes(user_id, &mut items, &coupons.into_iter().collect())
            .await?;
        let plays = items.iter_mut().filter_map(|receipt| match receipt {
            Receipt::Play(play) => Some(play),
            _ => None,
        });
        store::add_prize_states(db, plays).await?;
        Ok(HistoryPage { items, next })
    }

    /// Adds their codes to the grants that have one; `coupons` has their keys by id.
    async fn add_codes(
        &self,
        user_id: UserId,
        items: &mut [Receipt],
        coupons: &HashMap<i64, String>,
    ) -> Result<(), HistoryError> {
        let with_code = items.iter_mut().filter_map(|receipt| match receipt {
            Receipt::Grant(grant) => Some((coupons.get(&grant.id)?, grant)),
            _ => None,
        });
        let with_code: Vec<(&String, &mut GrantReceipt)> = with_code.collect();
        if with_code.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = with_code.iter().map(|(key, _)| (*key).clone()).collect();
        let codes = self.rewards.coupon_codes(user_id, &keys).await?;
        for (key, grant) in with_code {
            grant.coupon_code = codes.get(key).cloned();
        }
        Ok(())
    }

    /// One page of plays, stamps and rewards as receipts, newest first.
    pub async fn history(
        &self,
        identity: &Identity,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, HistoryError> {
        retry(|| self.history_once(identity, query)).await
    }
}
