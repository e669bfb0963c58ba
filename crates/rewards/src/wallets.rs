use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    Asset, UserId,
    db::{Db, retry},
    paging::{Cursor, Limit, Page},
};
use xmas_players::{Identity, LockedPlayer, check, lock_by_id_in_tx};

use crate::{
    Credit, CreditError, LedgerRow, Reward, WalletError,
    purse::{Change, Purse},
    store,
};

/// Wallets for handlers and operators: each call is one transaction, or a read.
#[async_trait]
pub trait WalletService: Send + Sync {
    /// All balances of whoever asks, if they may act.
    async fn own(&self, identity: &Identity) -> Result<BTreeMap<Asset, i64>, WalletError>;

    /// All balances of a player; assets never held are 0.
    async fn balances(&self, user_id: UserId) -> Result<BTreeMap<Asset, i64>, WalletError>;

    /// A player's ledger, newest first.
    async fn ledger(
        &self,
        user_id: UserId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<LedgerRow>, WalletError>;

    /// Gives tokens or points to a player; returns the new balance.
    async fn credit(
        &self,
        user_id: UserId,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<i64, CreditError>;
}

/// [`WalletService`] on the database.
#[derive(Clone, Debug)]
pub struct Wallets {
    pub(crate) db: Db,
}

impl Wallets {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// [`WalletService::credit`] in a transaction of the caller's.
    pub async fn credit_in_tx(
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<i64, CreditError> {
        if !(1..=Reward::MAX_AMOUNT).contains(&credit.amount) {
            return Err(CreditError::InvalidAmount);
        }
        let change = Change {
            asset: credit.asset,
            delta: credit.amount,
            reason: credit.reason,
            reference: &credit.reference,
            actor: &credit.actor,
        };
        let mut purse = Purse::lock_in_tx(tx, player).await?;
        let balance = purse.change(&change, now);
        let balance = balance.ok_or(CreditError::InvalidAmount)?;
        Purse::write_all_in_tx(tx, vec![purse], now).await?;
        Ok(balance)
    }

    async fn credit_once(
        &self,
        user_id: UserId,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<i64, CreditError> {
        let tx = self.db.begin().await?;
        let player = lock_by_id_in_tx(&tx, user_id).await?;
        let player = player.ok_or(CreditError::UnknownPlayer)?;
        let balance = Self::credit_in_tx(&tx, &player, credit, now).await?;
        tx.commit().await?;
        Ok(balance)
    }
}

#[async_trait]
impl WalletService for Wallets {
    async fn own(&self, identity: &Identity) -> Result<BTreeMap<Asset, i64>, WalletError> {
        check(self.db.read(), identity).await?;
        self.balances(identity.user_id).await
    }

    async fn balances(&self, user_id: UserId) -> Result<BTreeMap<Asset, i64>, WalletError> {
        let mut balances = BTreeMap::from(Asset::ALL.map(|asset| (asset, 0)));
        balances.extend(store::balances(self.db.read(), user_id).await?);
        Ok(balances)
    }

    async fn ledger(
        &self,
        user_id: UserId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<LedgerRow>, WalletError> {
        Ok(store::ledger(self.db.read(), user_id, limit, before).await?)
    }

    async fn credit(
        &self,
        user_id: UserId,
        credit: &Credit,
        now: DateTime<Utc>,
    ) -> Result<i64, CreditError> {
        retry(|| self.credit_once(user_id, credit, now)).await
    }
}
