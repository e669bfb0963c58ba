//! How often a player may play a game on one day.

use crate::GameError;

/// Plays left today as clients read it: 0 means no limit, -1 that none is left.
pub fn remaining(max_daily: i64, played: i64) -> i64 {
    match max_daily {
        0 => 0,
        max if played < max => max - played,
        _ => -1,
    }
}

/// The nonce of the next play after so many, or that there is none left today. `max_daily` 0 means no limit.
pub(crate) fn next_nonce(played: i64, max_daily: i64) -> Result<i64, GameError> {
    match remaining(max_daily, played) {
        -1 => Err(GameError::DailyLimitReached),
        _ => Ok(played),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_left_and_no_limit_are_different_numbers() {
        assert_eq!(remaining(0, 1_000), 0);
        assert_eq!(remaining(3, 0), 3);
        assert_eq!(remaining(3, 2), 1);
        assert_eq!(remaining(3, 3), -1);
        // The limit was lowered below what has been played.
        assert_eq!(remaining(3, 10), -1);
    }

    proptest! {
        #[test]
        fn a_limit_is_never_0(max in 1i64..1_000, played in 0i64..2_000) {
            prop_assert!(remaining(max, played) != 0);
            prop_assert_eq!(remaining(max, played) > 0, played < max);
        }
    }
}
