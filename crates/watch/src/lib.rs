//! What a replica looks at, and shows to those who watch it.
//!
//! Invariants:
//! - Nobody who watches slows a player down: metrics show what was counted, what was last looked at,
//!   and what the process itself knows.
//! - No label has a player in it.
//! - What the database knows is counted once, whichever replica, batch or command line did it.
//!
//! To add a metric: what happens within the process is counted where it happens (`http/src/metrics.rs`,
//! `metrics/statements.rs`); what the database knows is read by [`Watch`] and shown in `metrics/event.rs`. Then a line in
//! `docs/metrics.md`, which a test compares with what is shown.
//!
//! [`telemetry`] is what is sent elsewhere: traces of requests, and reports of failures.

mod audited;
pub mod metrics;
mod server;
pub mod telemetry;
mod watch;

pub use audited::{audit_if_due, keep_audit};
pub use server::{DatabaseServer, ServerState};
pub use watch::{Watch, WatchError};
