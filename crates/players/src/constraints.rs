//! The unique constraints whose violation means something in this crate.

use xmas_kernel::db::Constraint;

/// One player per external id.
pub const EXTERNAL_ID: Constraint =
    Constraint::new("uq_user_external_id", "user", &["external_id"]);
