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
//! `store.rs`, and a service in `mod.rs`. What another crate keeps sealed
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
mod vitals;

pub use audit::{Audit, AuditReport, Check};
pub use dashboard::{Dashboard, Metric, Metrics, RangeHours};
pub use error::HistoryError;
pub use model::{
    GrantReceipt, HistoryCursor, HistoryKind, HistoryPage, HistoryQuery, PlayReceipt, Receipt,
    StampReceipt,
};
pub use payout::{PayoutQuery, PayoutRow, Payouts};
pub use place::{Cursor, Kind, MalformedCursor};
pub use recipients::ActivePlayers;
pub use records::{
    AuditFilter, AuditRecord, EXPORT_AUDIT_ROWS, EXPORT_ROWS, EventFilter, EventRecord,
    LedgerFilter, LedgerRecord, PlayFilter, PlayRecord, Records, Resource, Slice, Span,
    WalletFilter, WalletPlace, WalletRecord, Whose,
};
pub use rewards::{QueuedReward, RewardQuery, RewardQueue};
pub use service::History;
pub use store::PendingReviews;
pub use timeline::{
    LevelEntry, PlayerStanding, RewardEntry, Timeline, TimelineCursor, TimelineEntry,
    TimelineError, TimelineKind, TimelineQuery, Timelines,
};
pub use users::{UserFilter, UserList, UserWindow, Users};
pub use vitals::{Direction, Flows, FreeCodes, Lookout, PrizeStock, Vitals};
