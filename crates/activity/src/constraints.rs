//! The unique constraints whose violation means something in this crate.

use xmas_kernel::db::Constraint;

/// A row that is there once, such as the day's first page view.
pub const ONCE: Constraint = Constraint::new(
    "uq_user_event_log_once",
    "user_event_log",
    &["user_id", "once_key"],
);
