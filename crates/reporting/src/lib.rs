//! What people want to see in one piece and no single domain holds: a player's own history, and the
//! operators' list of players.
//!
//! Invariants:
//! - Nothing here writes, locks or opens a transaction.
//! - This is the one crate that may read every table. It owns none: it knows other crates' tables
//!   by their names in `store.rs`, and has no entities of them.
//! - A report is a bounded number of statements, and each of them reads a bounded number of rows.
//!
//! To add a report: what it is asked and what it answers in `model.rs`, its queries in `store.rs`,
//! and a service trait here with an implementation in `service.rs`. What another crate keeps sealed
//! or computes, such as coupon codes, is asked of that crate's service.

mod audit;
mod error;
mod model;
mod payout;
mod recipients;
mod rewards;
mod service;
mod store;
mod users;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{UserId, db::DbError, paging::Page};
use xmas_players::{Identity, PlayerRecord};

pub use audit::{Audit, AuditReport, Check};
pub use error::HistoryError;
pub use model::{
    HistoryCursor, HistoryKind, HistoryPage, HistoryQuery, MalformedCursor, Receipt, UnknownKind,
};
pub use payout::{PayoutQuery, PayoutRow, Payouts};
pub use recipients::ActivePlayers;
pub use rewards::{Queue, QueuedReward, RewardQuery};
pub use service::History;
pub use users::{UserFilter, UserList, UserWindow, Users};

/// What happened to a player, for the player.
#[async_trait]
pub trait HistoryService: Send + Sync {
    /// One page of plays, stamps and rewards as receipts, newest first.
    async fn history(
        &self,
        identity: &Identity,
        query: &HistoryQuery,
    ) -> Result<HistoryPage, HistoryError>;
}

/// Accounts, for operators.
#[async_trait]
pub trait UserService: Send + Sync {
    /// Accounts, newest first, and how many there are in all.
    async fn list(
        &self,
        filter: &UserFilter,
        window: UserWindow,
        now: DateTime<Utc>,
    ) -> Result<UserList, DbError>;

    async fn one(
        &self,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<PlayerRecord>, DbError>;
}

/// Receipts of rewards for operators.
#[async_trait]
pub trait RewardQueue: Send + Sync {
    /// One page of receipts, newest first: one statement.
    async fn rewards(&self, query: &RewardQuery) -> Result<Page<QueuedReward>, DbError>;
}

/// What players are due, for whoever pays them elsewhere.
#[async_trait]
pub trait PayoutService: Send + Sync {
    /// The next players after `after`, in ascending id; nobody once there are none left.
    async fn page(
        &self,
        query: &PayoutQuery,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<PayoutRow>, DbError>;
}
