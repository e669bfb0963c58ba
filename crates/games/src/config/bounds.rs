//! What every game asks of its configuration.

use xmas_kernel::{ErrorCode, Problems};
use xmas_texts::field;

/// The highest daily limit.
pub(crate) const MAX_DAILY: i64 = 1_000_000_000;

/// Notes a daily limit that is out of its bounds. 0 stands for no limit.
pub(crate) fn expect_daily(limit: i64, field: &str, problems: &mut Problems) {
    problems.expect_or(
        ErrorCode::InvalidMaxDailyPlays,
        (0..=MAX_DAILY).contains(&limit),
        field,
        field::between(0, MAX_DAILY, limit),
    );
}
