//! Wallets, their ledger, and the delivery of rewards (domain.md, "Wallet and rewards").
//!
//! Invariants:
//! - A balance is never negative, and is always the sum of its ledger rows. Ledger rows are only
//!   ever added; a correction is a new row.
//! - Every grant has a `grant_key` and a receipt in `reward_log`. Asking twice gives once.
//! - Nothing in `participant.rs` commits: it works in the transaction of a play, a stamp or a claim.
//!
//! - A reward that waits for an admin is decided about once, whoever clicks twice.
//! - A coupon code belongs to one receipt. It is sealed in the database, and only its winner ever
//!   sees it whole.
//!
//! To add a reward type: a variant of [`RewardType`], what delivering it means in
//! `participant.rs`, and a migration that adds it to the lists of types.
//!
//! Owns the tables `user_game_wallet`, `wallet_ledger`, `reward_log`, `reward_bundle*` and
//! `coupon_*`.

mod bulk;
mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod participant;
pub mod rules;
mod service;
mod store;

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    Asset, BundleId, CouponKindId, RewardId, UserId,
    db::DbError,
    paging::{Cursor, Limit, Page},
};
use xmas_players::{Identity, LockedPlayer};

pub use bulk::{given_points, has_grant};
pub use desk::{RewardDesk, are_deliverable};
pub use error::{CreditError, RewardError, SpendError, WalletError};
pub use model::{
    CouponCode, Credit, Grant, GrantSource, Granted, LedgerRow, MalformedCode, MalformedReward,
    NewBundle, NewCouponKind, PointGrant, PointOccasion, Reviewer, Reward, RewardReceipt,
    RewardState, RewardType, Spend, UnknownGrantSource, UnknownRewardState, UnknownRewardType,
    XpCorrection,
};
pub use participant::Rewards;
pub use service::Wallets;

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

/// Bundles, coupons and rewards that wait, for handlers and operators: each call is one
/// transaction, or a read.
#[async_trait]
pub trait RewardService: Send + Sync {
    /// Whether every bundle and kind of coupon that is promised exists and can be given. What a
    /// configuration promises is asked when it is loaded, so that a play of it does not fail.
    async fn are_deliverable(&self, rewards: &[Reward]) -> Result<bool, DbError>;

    /// The coupon codes of a player's delivered grants, whole: grant key to code. For the winner's
    /// eyes only. A code that cannot be opened is left out and logged.
    async fn coupon_codes(
        &self,
        user_id: UserId,
        grant_keys: &[String],
    ) -> Result<HashMap<String, String>, DbError>;

    async fn add_bundle(
        &self,
        bundle: &NewBundle,
        now: DateTime<Utc>,
    ) -> Result<BundleId, RewardError>;

    async fn add_coupon_kind(
        &self,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKindId, RewardError>;

    /// Adds codes to the stock of a kind: all of them, or none if any is there already.
    async fn add_codes(
        &self,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<(), RewardError>;

    /// How many codes of a kind nobody has yet.
    async fn free_codes(&self, kind: CouponKindId) -> Result<u64, RewardError>;

    /// Rewards that wait for an admin, newest first.
    async fn pending(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<RewardReceipt>, RewardError>;

    /// Delivers a reward that waits; once, whoever asks twice.
    async fn approve(
        &self,
        reward: RewardId,
        reviewer: &Reviewer,
        now: DateTime<Utc>,
    ) -> Result<RewardReceipt, RewardError>;

    /// Refuses a reward that waits, with a reason of 1 to 191 characters that the player sees.
    async fn reject(
        &self,
        reward: RewardId,
        reason: &str,
        reviewer: &Reviewer,
        now: DateTime<Utc>,
    ) -> Result<RewardReceipt, RewardError>;
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
