//! An in-memory [`WalletService`] for crates that build on this one.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    Asset, UserId,
    paging::{Cursor, Limit, Page},
};

use xmas_players::Identity;

use crate::{Credit, CreditError, LedgerRow, Reward, WalletError, WalletService};

/// Ledgers of the players it was made for; balances are their sums. Every identity may act.
#[derive(Debug)]
pub struct FakeWallets {
    ledgers: Mutex<BTreeMap<UserId, Vec<LedgerRow>>>,
}

impl FakeWallets {
    pub fn for_players(players: impl IntoIterator<Item = UserId>) -> Self {
        let ledgers = players
            .into_iter()
            .map(|player| (player, Vec::new()))
            .collect();
        Self {
            ledgers: Mutex::new(ledgers),
        }
    }

    fn rows(&self, user_id: UserId) -> Vec<LedgerRow> {
        let ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        ledgers.get(&user_id).cloned().unwrap_or_default()
    }
}

fn balance(rows: &[LedgerRow], asset: Asset) -> i64 {
    rows.iter()
        .filter(|row| row.asset == asset)
        .map(|row| row.delta)
        .sum()
}

#[async_trait]
impl WalletService for FakeWallets {
    async fn own(&self, identity: &Identity) -> Result<BTreeMap<Asset, i64>, WalletError> {
        self.balances(identity.user_id).await
    }

    async fn balances(&self, user_id: UserId) -> Result<BTreeMap<Asset, i64>, WalletError> {
        let rows = self.rows(user_id);
        Ok(Asset::ALL
            .map(|asset| (asset, balance(&rows, asset)))
            .into())
    }

    async fn ledger(
        &self,
        user_id: UserId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<LedgerRow>, WalletError> {
        let mut rows = self.rows(user_id);
        rows.reverse();
        rows.retain(|row| before.is_none_or(|Cursor(id)| row.id < id));
        Ok(Page::from_overfetched(rows, limit, |row| row.id))
    }

    async fn credit(
        &self,
        user_id: UserId,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<i64, CreditError> {
        if !(1..=Reward::MAX_AMOUNT).contains(&credit.amount) {
            return Err(CreditError::InvalidAmount);
        }
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = ledgers
            .get_mut(&user_id)
            .ok_or(CreditError::UnknownPlayer)?;
        let balance_after = balance(rows, credit.asset) + credit.amount;
        rows.push(LedgerRow {
            id: rows.last().map_or(1, |row| row.id + 1),
            asset: credit.asset,
            delta: credit.amount,
            balance_after,
            reason: credit.reason.to_owned(),
            reference: credit.reference.clone(),
            actor: credit.actor.clone(),
            created_at: now,
        });
        Ok(balance_after)
    }
}
