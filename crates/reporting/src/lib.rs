//! What people want to see in one piece and no single domain holds: a player's own history, and for
//! operators the timeline of a player, lists and exports of what the tables hold, and the dashboard.
//!
//! Invariants:
//! - Nothing here writes, locks or opens a transaction.
//! - This is the one crate that may read every table. It owns none: it knows other crates' tables
//!   by their names in its stores, and has no entities of them.
//! - A report is a bounded number of statements, and each of them reads a bounded number of rows. An
//!   export is as many as it has pages.
//!
//! To add a report: a folder with what it is asked and what it answers in `model.rs`, its queries in
//! `store.rs`, and a service trait with its implementation in `mod.rs`. What another crate keeps sealed
//! or computes, such as coupon codes, is asked of that crate's service.

mod audit;
mod dashboard;
mod error;
mod model;
mod payout;
mod place;
mod recipients;
mod records;
mod rewards;
mod service;
mod store;
mod timeline;
mod users;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::{UserId, db::DbError, paging::Page};
use xmas_players::{Identity, PlayerRecord};

pub use audit::{Audit, AuditReport, Check};
pub use dashboard::{Dashboard, DashboardService, Metric, Metrics, RangeHours};
pub use error::HistoryError;
pub use model::{
    GrantReceipt, HistoryCursor, HistoryKind, HistoryPage, HistoryQuery, PlayReceipt, Receipt,
    StampReceipt,
};
pub use payout::{PayoutQuery, PayoutRow, Payouts};
pub use place::{Cursor, Kind, MalformedCursor, UnknownKind};
pub use recipients::ActivePlayers;
pub use records::{
    AuditFilter, AuditRecord, EXPORT_AUDIT_ROWS, EXPORT_ROWS, EventFilter, EventRecord,
    LedgerFilter, LedgerRecord, PlayFilter, PlayRecord, RecordService, Records, Resource, Slice,
    Span, WalletFilter, WalletPlace, WalletRecord, Whose,
};
pub use rewards::{Queue, QueuedReward, RewardQuery};
pub use service::History;
pub use timeline::{
    LevelEntry, PlayerStanding, RewardEntry, Timeline, TimelineCursor, TimelineEntry,
    TimelineError, TimelineKind, TimelineQuery, TimelineService, Timelines,
};
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
