//! The unique constraints whose violation means something in this crate.

use xmas_kernel::db::Constraint;

/// At most one bridge that is not closed.
pub const ONE_OPEN: Constraint =
    Constraint::new("uq_event_bridge_open", "event_bridge", &["open_slot"]);
/// One bridge per season.
pub const ONE_PER_SEASON: Constraint =
    Constraint::new("uq_event_bridge_season", "event_bridge", &["season_id"]);
