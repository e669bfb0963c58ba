//! Wallets, their ledger, and the delivery of rewards (domain.md, "Wallet and rewards").
//!
//! Invariants:
//! - A balance is never negative, and is always the sum of its ledger rows. Ledger rows are only
//!   ever added; a correction is a new row.
//! - Every grant has a `grant_key` and a receipt in `reward_log`. Asking twice gives once.
//! - Nothing in `participant.rs` commits: it works in the transaction of a play, a stamp or a claim.
//!
//! - An item of a batch is done once, under the lock of its player.
//! - A batch is taken back once, and never by more than it gave. What was spent meanwhile stays spent.
//! - A reward that waits for an admin is decided about once, whoever clicks twice.
//! - A coupon code is there once, whatever its kind, and belongs to one receipt. It is sealed in the database, and only its winner ever
//!   sees it whole.
//!
//! To add a reward type: a variant of [`RewardType`], what delivering it means in
//! `participant.rs`, and a migration that adds it to the lists of types.
//!
//! Owns the tables `user_game_wallet`, `wallet_ledger`, `wallet_batch*`, `reward_log`,
//! `reward_bundle*` and `coupon_*`.

mod batch;
mod bulk;
mod bundles;
mod coupons;
mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod forget;
mod model;
mod order;
mod participant;
mod review;
pub mod rules;
mod service;
mod store;
mod wallet_desk;
mod wallets;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{
    BundleId, CouponKindId, RewardId,
    audit::Actor,
    db::DbError,
    idempotency::{Replayable, RequestKey},
    paging::{Cursor, Limit, Page},
};
use xmas_players::Inactive;

pub use batch::{
    Batch, BatchLine, BatchOrders, BatchRef, BatchReport, BatchState, BatchSummary, BatchTally,
    Batches, NewBatch, RecipientFilter, Recipients, Refusal, Reverted, ShortWallet, Tally,
};
pub use bulk::{given_points, has_grant, known_grants};
pub use bundles::{Bundle, BundleDraft, BundleItem, NewBundle};
pub use coupons::{
    ClashWith, CodeClash, CodeState, CodeStock, CouponCode, CouponKind, CouponKindEdit,
    CouponStock, MalformedCode, NewCouponKind, StockedCode, WithheldCode,
};
pub use desk::{RewardDesk, SealedCoupons};
pub use error::{BatchError, CreditError, OrderError, RewardError, SpendError, WalletError};
pub use model::{
    Credit, Decision, Grant, GrantSource, Granted, LedgerRow, MalformedReward, PointGrant,
    PointOccasion, Reward, RewardReceipt, RewardState, RewardType, Spend, UnknownGrantSource,
    UnknownRewardState, UnknownRewardType, XpCorrection,
};
pub use order::{Order, OrderDone, OrderKind};
pub use participant::{RewardLedger, Rewards};
pub use service::{RewardService, are_deliverable};
pub use wallets::{WalletService, Wallets};

/// The review queue: rewards that wait for an admin. Every decision leaves a row in the audit log.
#[async_trait]
pub trait ReviewDesk: Send + Sync {
    /// Rewards that wait for an admin, newest first.
    async fn pending(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<RewardReceipt>, RewardError>;

    /// Delivers a reward that waits; once, whoever asks twice. A player who is blocked by now gets it all
    /// the same, one who is INACTIVE if `inactive` says so, and one who was anonymised never.
    async fn approve(
        &self,
        actor: &Actor,
        reward: RewardId,
        inactive: Inactive,
        now: DateTime<Utc>,
    ) -> Result<Decision, RewardError>;

    /// Refuses a reward that waits, with a reason of 1 to 191 characters that the player sees.
    async fn reject(
        &self,
        actor: &Actor,
        reward: RewardId,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Decision, RewardError>;
}

/// Kinds of coupons and their codes for operators. Every change leaves a row in the audit log, without
/// codes.
#[async_trait]
pub trait CouponDesk: Send + Sync {
    /// Kinds of coupons, newest first.
    async fn kinds(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<CouponKind>, DbError>;

    async fn kind(&self, id: CouponKindId) -> Result<CouponKind, RewardError>;

    async fn add_kind(
        &self,
        actor: &Actor,
        kind: &NewCouponKind,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError>;

    /// Changes a kind. Coupons of it that are won from now on are treated so.
    async fn edit_kind(
        &self,
        actor: &Actor,
        id: CouponKindId,
        edit: &CouponKindEdit,
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError>;

    /// Adds codes to the stock of a kind: all of them, or none if any is there already.
    async fn add_codes(
        &self,
        actor: &Actor,
        kind: CouponKindId,
        codes: &[CouponCode],
        now: DateTime<Utc>,
    ) -> Result<CouponKind, RewardError>;

    /// Whether [`CouponDesk::add_codes`] would add these.
    async fn check_codes(
        &self,
        kind: CouponKindId,
        codes: &[CouponCode],
    ) -> Result<CouponKind, RewardError>;

    /// The stock of a kind, newest first.
    async fn codes(
        &self,
        kind: CouponKindId,
        state: Option<CodeState>,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<CodeStock, RewardError>;
}

/// Codes that an older version took into the stocks of several kinds, for operators. Nobody knows to which
/// kind such a code belongs, so it is given to nobody until an operator decides. Every decision leaves a
/// row in the audit log, without codes.
#[async_trait]
pub trait WithheldDesk: Send + Sync {
    /// Withheld codes, newest first.
    async fn withheld(
        &self,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<WithheldCode>, DbError>;

    /// Puts a code into the stock of its kind, unless a copy of it is in a stock or was given away. The
    /// other copies stay withheld.
    async fn release(&self, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<(), RewardError>;

    /// Takes a code out of the database.
    async fn remove(&self, actor: &Actor, id: i64, now: DateTime<Utc>) -> Result<(), RewardError>;
}

/// Bundles for operators, who name them in levels and prizes. They are not changed once they are there,
/// since what was promised by name is given by name.
#[async_trait]
pub trait BundleDesk: Send + Sync {
    /// Bundles, newest first.
    async fn bundles(&self, limit: Limit, before: Option<Cursor>) -> Result<Page<Bundle>, DbError>;

    async fn bundle(&self, id: BundleId) -> Result<Bundle, RewardError>;

    async fn add_bundle(
        &self,
        actor: &Actor,
        draft: &BundleDraft,
        now: DateTime<Utc>,
    ) -> Result<Bundle, RewardError>;
}

/// What operators give to a player, and take. Each is a row in the ledger and one in the audit log.
#[async_trait]
pub trait WalletDesk: Send + Sync {
    /// Carries an order out, once per request.
    async fn carry_out(
        &self,
        actor: &Actor,
        order: &Order,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<OrderDone>, OrderError>;
}

/// Orders about many players under one name, in the ledger and the audit log as well.
#[async_trait]
pub trait BatchDesk: Send + Sync {
    /// What [`BatchDesk::run`] would do, or what became of it if it has run. Changes nothing.
    async fn preview(&self, batch: &NewBatch) -> Result<Replayable<BatchReport>, BatchError>;

    /// Registers a batch and does it, or does what is left of it, or says that it is done or was stopped.
    /// It may be killed anywhere and asked for again, by several at once: every item is done once.
    async fn run(
        &self,
        actor: &Actor,
        batch: &NewBatch,
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError>;

    /// Registered batches, newest first; only the one of this name, if one is given.
    async fn batches(
        &self,
        key: Option<&str>,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<BatchSummary>, DbError>;

    async fn batch(&self, which: &BatchRef) -> Result<BatchReport, BatchError>;

    /// What [`BatchDesk::revert`] would do now, or what became of it. Changes nothing.
    async fn preview_revert(
        &self,
        which: &BatchRef,
        reason: &str,
    ) -> Result<Replayable<BatchReport>, BatchError>;

    /// Takes back what a batch has given, as far as the players still have it, or gives back what it has
    /// taken; a batch that is open is stopped first. Once per batch, and as a batch of its own: it too may
    /// be killed anywhere and asked for again, by several at once. The reason has 1 to 191 characters.
    async fn revert(
        &self,
        actor: &Actor,
        which: &BatchRef,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError>;
}
