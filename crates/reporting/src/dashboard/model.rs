use chrono::{DateTime, TimeDelta, Utc};
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

/// How far back the dashboard looks: 1 hour to a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RangeHours(u16);

impl RangeHours {
    pub const MAX: u16 = 168;

    /// `None` outside of 1 to [`RangeHours::MAX`].
    pub fn new(hours: i64) -> Option<Self> {
        let hours = u16::try_from(hours).ok()?;
        (1..=Self::MAX).contains(&hours).then_some(Self(hours))
    }

    pub fn get(self) -> u16 {
        self.0
    }

    pub(super) fn length(self) -> TimeDelta {
        TimeDelta::hours(self.0.into())
    }
}

/// One number, and how it compares with the range of the same length before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric<T> {
    /// `None` if there is nothing to take it from.
    pub value: Option<T>,
    /// By how many percent it is higher than before; `None` if that was nothing, or if it is not
    /// known.
    pub diff_percent: Option<f64>,
}

/// What happened in the event lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub range: RangeHours,
    pub generated_at: DateTime<Utc>,
    /// Players who did anything: logged in, opened a page, played, stamped or claimed. What is done to
    /// them, such as a settlement, and what their clients report, does not count.
    pub active_users: Metric<i64>,
    /// Plays of all games.
    pub game_participation: Metric<i64>,
    /// Tokens that were spent on plays.
    pub ticket_usage: Metric<i64>,
    /// The mean of the durations that clients report.
    pub avg_session_time_seconds: Metric<f64>,
    /// Players who played.
    pub unique_players: Metric<i64>,
    pub total_plays: Metric<i64>,
    pub wins: Metric<i64>,
    /// Points that rewards have brought into wallets.
    pub rewards_granted_points: Metric<i64>,
    /// Accounts of players that were created.
    pub new_users: Metric<i64>,
    /// Rewards that wait for an admin now.
    pub pending_reviews: Metric<i64>,
}

/// What a play costs, in tokens of its game.
const PRICE: i64 = 1;

/// What happened in a part of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) plays: i64,
    pub(super) wins: i64,
    pub(super) points: i64,
    pub(super) new_users: i64,
    /// The sum of the durations that clients reported, and how many these are.
    pub(super) seconds: i64,
    pub(super) durations: i64,
    pub(super) players: RoaringTreemap,
    /// Who did something else than playing.
    pub(super) others: RoaringTreemap,
}

impl Counts {
    pub(super) fn add(&mut self, more: &Counts) {
        self.plays += more.plays;
        self.wins += more.wins;
        self.points = self.points.saturating_add(more.points);
        self.new_users += more.new_users;
        self.seconds += more.seconds;
        self.durations += more.durations;
        self.players |= &more.players;
        self.others |= &more.others;
    }

    fn active(&self) -> i64 {
        number(self.players.union_len(&self.others))
    }

    fn mean_duration(&self) -> Option<f64> {
        (self.durations > 0).then(|| self.seconds as f64 / self.durations as f64)
    }
}

impl Metrics {
    pub(super) fn of(
        range: RangeHours,
        now: DateTime<Utc>,
        current: &Counts,
        before: &Counts,
        pending_reviews: i64,
    ) -> Self {
        let count = |of: fn(&Counts) -> i64| {
            let (value, earlier) = (of(current), of(before));
            Metric {
                value: Some(value),
                diff_percent: difference(value as f64, earlier as f64),
            }
        };
        let (mean, mean_before) = (current.mean_duration(), before.mean_duration());
        let mean_difference = mean.zip(mean_before);
        let mean_difference = mean_difference.and_then(|(now, then)| difference(now, then));
        Self {
            range,
            generated_at: now,
            active_users: count(Counts::active),
            game_participation: count(|counts| counts.plays),
            ticket_usage: count(|counts| counts.plays * PRICE),
            avg_session_time_seconds: Metric {
                value: mean.map(to_a_tenth),
                diff_percent: mean_difference,
            },
            unique_players: count(|counts| number(counts.players.len())),
            total_plays: count(|counts| counts.plays),
            wins: count(|counts| counts.wins),
            rewards_granted_points: count(|counts| counts.points),
            new_users: count(|counts| counts.new_users),
            pending_reviews: Metric {
                value: Some(pending_reviews),
                diff_percent: None,
            },
        }
    }
}

fn number(len: u64) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// By how many percent a value is higher than it was; `None` if it was 0.
fn difference(value: f64, before: f64) -> Option<f64> {
    (before != 0.0).then(|| to_a_tenth((value - before) / before * 100.0))
}

fn to_a_tenth(value: f64) -> f64 {
    // Adding 0 makes a negative zero a plain one.
    (value * 10.0).round() / 10.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_hour_to_a_week() {
        for bad in [0, -1, 169, i64::MIN, i64::MAX] {
            assert_eq!(RangeHours::new(bad), None);
        }
        assert_eq!(RangeHours::new(1).unwrap().get(), 1);
        assert_eq!(RangeHours::new(168).unwrap().get(), 168);
    }

    #[test]
    fn a_difference_needs_something_to_differ_from() {
        assert_eq!(difference(150.0, 100.0), Some(50.0));
        assert_eq!(difference(0.0, 3.0), Some(-100.0));
        assert_eq!(difference(1.0, 3.0), Some(-66.7));
        assert_eq!(difference(5.0, 0.0), None);
        let hardly = difference(99_999.0, 100_000.0).unwrap();
        assert!(hardly == 0.0 && hardly.is_sign_positive());
    }

    #[test]
    fn whoever_plays_and_stamps_is_one_active_player() {
        let mut counts = Counts {
            plays: 2,
            players: RoaringTreemap::from_iter([1, 2]),
            others: RoaringTreemap::from_iter([2, 3]),
            ..Counts::default()
        };
        counts.add(&Counts {
            plays: 1,
            players: RoaringTreemap::from_iter([1]),
            ..Counts::default()
        });
        let range = RangeHours::new(24).unwrap();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let metrics = Metrics::of(range, now, &counts, &Counts::default(), 0);
        assert_eq!(metrics.active_users.value, Some(3));
        assert_eq!(metrics.unique_players.value, Some(2));
        assert_eq!(metrics.ticket_usage.value, Some(3));
        assert_eq!(metrics.avg_session_time_seconds, Metric::default());
        assert_eq!(metrics.active_users.diff_percent, None);
    }
}
