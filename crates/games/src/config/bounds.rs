//! What every game asks of its configuration, and the words in which it says so.

/// The problem of a field that a new thing cannot do without.
pub(crate) const REQUIRED: &str = "is required";

/// The highest daily limit, and the problem of any other.
pub(crate) const MAX_DAILY: i64 = 1_000_000_000;
pub(crate) const DAILY: &str = "is 0 to 1,000,000,000";
