use chrono::{DateTime, Utc};

/// What is left until `target`, as `H:MM:SS`. Hours are not padded and may exceed 99.
///
/// A begun second counts as a whole one, so that `0:00:00` is shown from `target` on and never
/// before.
pub fn countdown(now: DateTime<Utc>, target: DateTime<Utc>) -> String {
    let micros = (target - now).num_microseconds().unwrap_or(i64::MAX).max(0);
    let seconds = micros / 1_000_000 + i64::from(micros % 1_000_000 != 0);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{hours}:{minutes:02}:{seconds:02}")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::EventDay;

    fn new_year() -> DateTime<Utc> {
        EventDay::from_ymd(2026, 1, 1).unwrap().start()
    }

    fn left(before: TimeDelta) -> String {
        countdown(new_year() - before, new_year())
    }

    #[test]
    fn the_contract_s_example() {
        let before = TimeDelta::hours(154) + TimeDelta::minutes(20) + TimeDelta::seconds(11);
        assert_eq!(left(before), "154:20:11");
    }

    #[test]
    fn the_last_second_and_after() {
        assert_eq!(left(TimeDelta::seconds(61)), "0:01:01");
        assert_eq!(left(TimeDelta::microseconds(1)), "0:00:01");
        assert_eq!(left(TimeDelta::zero()), "0:00:00");
        assert_eq!(left(-TimeDelta::days(3)), "0:00:00");
    }

    proptest! {
        #[test]
        fn it_reads_back_as_the_seconds_left(micros in -10_000_000i64..1_000_000_000_000_000) {
            let text = left(TimeDelta::microseconds(micros));
            let parts: Vec<i64> = text.split(':').map(|part| part.parse().unwrap()).collect();
            prop_assert!(parts[1] < 60 && parts[2] < 60);
            let seconds = parts[0] * 3_600 + parts[1] * 60 + parts[2];
            prop_assert_eq!(seconds, micros.max(0).div_euclid(1_000_000) + i64::from(micros.max(0) % 1_000_000 != 0));
        }
    }
}
