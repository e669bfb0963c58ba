//! Wallets, their ledger, and the delivery of rewards (domain.md, "Wallet and rewards").
//!
//! Invariants:
//! - A balance is never negative, and is always the sum of its ledger rows. Ledger rows are only
//!   ever added; a correction is a new row.
//! - Every grant has a `grant_key` and a receipt in `reward_log`. Asking twice gives once.
//! - Nothing in `participant.rs` commits: it works in the transaction of a play, a stamp or a claim.
//!
//! To add a reward type: a variant of [`RewardType`], what delivering it means in
//! `participant.rs`, and a line in the migration that lists the types.
//!
//! Owns the tables `user_game_wallet`, `wallet_ledger` and `reward_log`.

mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod participant;
pub mod rules;
mod service;
mod store;

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    Asset, UserId,
    db::DbError,
    paging::{Cursor, Limit, Page},
};
use xmas_players::LockedPlayer;

pub use error::{CreditError, SpendError, WalletError};
pub use model::{
    Credit, Grant, GrantSource, Granted, LedgerRow, MalformedReward, Reward, RewardState,
    RewardType, Spend, UnknownRewardType,
};
pub use participant::Rewards;
pub use service::Wallets;

/// Wallets for handlers and operators: each call is one transaction, or a read.
#[async_trait]
pub trait WalletService: Send + Sync {
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

    /// What the player holds of one asset.
    async fn balance_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        asset: Asset,
    ) -> Result<i64, DbError>;
}
