//! Wallets, their ledger, and the delivery of rewards (docs/rules.md, "Wallet and rewards").
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
mod books;
mod bulk;
mod bundles;
pub mod constraints;
mod coupons;
mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod forget;
mod hold;
mod model;
mod named;
mod order;
mod participant;
mod purse;
mod review_queue;
mod service;
mod store;
mod wallet_desk;
mod wallets;

pub use batch::{
    Batch, BatchLine, BatchOrders, BatchRef, BatchReport, BatchState, BatchSummary, BatchTally,
    Batches, NewBatch, RecipientFilter, Recipients, Refusal, Reverted, ShortWallet, Tally,
};
pub use books::Books;
pub use bulk::{count_given, given_points, has_grant, known_grants};
pub use bundles::{Bundle, BundleDraft, BundleItem, MAX_ITEMS, NewBundle, check_bundle};
pub use coupons::{
    ClashWith, CodeClash, CodeState, CodeStock, CouponCode, CouponKind, CouponKindEdit,
    CouponStock, MalformedCode, NewCouponKind, SealedCoupons, StockedCode, StockedCodes,
    WithheldCode, WithheldCodes, check_coupon_kind,
};
pub use desk::RewardDesk;
pub use error::{BatchError, CreditError, OrderError, RewardError, SpendError, WalletError};
pub use hold::decide;
pub use model::{
    Credit, Decision, Grant, GrantSource, Granted, LedgerRow, MalformedReward, PointGrant,
    PointOccasion, Reward, RewardReceipt, RewardState, RewardType, Spend, XpCorrection,
};
pub use order::{Order, OrderDone, OrderKind};
pub use participant::{RewardLedger, Rewards};
pub use service::{RewardService, are_deliverable, codes_to_show};
pub use store::{join_balance, joined_balance};
pub use wallets::{WalletService, Wallets};
