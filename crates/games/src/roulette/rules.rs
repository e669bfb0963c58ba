//! What a wheel is, and how it is spun.

use xmas_rewards::Reward;

use super::{NewWheel, Segment};
use crate::draw;

/// How many segments every wheel has; the client draws exactly these.
pub const SEGMENTS: usize = 6;
/// The largest weight of a segment: far above need, and six of them are far from overflowing.
pub const MAX_WEIGHT: i64 = 1_000_000_000;

/// A segment with its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighted {
    pub segment: Segment,
    pub weight: i64,
    pub reward: Reward,
}

/// Six segments in the order of their slots, of which at least one can come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wheel {
    segments: Vec<Weighted>,
    weights: Vec<u64>,
}

/// The segments do not make a wheel (`INVALID_ROULETTE_CONFIG`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a wheel has six segments in slots 0 to 5 with weights that are not all 0")]
pub struct InvalidWheel;

impl Wheel {
    pub fn new(mut segments: Vec<Weighted>) -> Result<Self, InvalidWheel> {
        segments.sort_by_key(|weighted| weighted.segment.slot_index);
        let slots = segments.iter().map(|weighted| weighted.segment.slot_index);
        if !slots.eq(0..6) {
            return Err(InvalidWheel);
        }
        let weight = |weighted: &Weighted| {
            let allowed = (0..=MAX_WEIGHT).contains(&weighted.weight);
            u64::try_from(weighted.weight).ok().filter(|_| allowed)
        };
        let weights: Option<Vec<u64>> = segments.iter().map(weight).collect();
        let weights = weights.filter(|weights| weights.iter().any(|weight| *weight > 0));
        Ok(Self {
            weights: weights.ok_or(InvalidWheel)?,
            segments,
        })
    }

    /// The segment that comes up.
    pub fn spin(&self, next: impl FnMut() -> u64) -> &Weighted {
        &self.segments[draw::pick(&self.weights, next)]
    }

    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().map(|weighted| &weighted.segment)
    }
}

/// What is wrong with a wheel that is to be saved: field and problem.
pub fn check(wheel: &NewWheel) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let mut expect = |holds: bool, field, problem: &str| {
        if !holds {
            problems.push((field, problem.to_owned()));
        }
    };
    let fits = |text: &str| (1..=100).contains(&text.trim().chars().count());
    expect(fits(&wheel.name), "name", "has 1 to 100 characters");
    expect(
        wheel.max_daily_spins >= 0,
        "max_daily_spins",
        "is at least 0",
    );
    let segments = wheel
        .segments
        .iter()
        .enumerate()
        .map(|(index, segment)| Weighted {
            segment: Segment {
                id: i64::try_from(index).unwrap_or(i64::MAX),
                label: segment.label.clone(),
                reward_type: segment.reward.kind(),
                reward_amount: segment.reward.amount(),
                slot_index: segment.slot_index,
                is_jackpot: segment.is_jackpot,
            },
            weight: segment.weight,
            reward: segment.reward,
        });
    if let Err(error) = Wheel::new(segments.collect()) {
        problems.push(("segments", error.to_string()));
    }
    if !wheel.segments.iter().all(|segment| fits(&segment.label)) {
        problems.push(("segments.label", "has 1 to 100 characters".to_owned()));
    }
    problems
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xmas_rewards::RewardType;

    use super::*;

    fn segments(weights: &[i64]) -> Vec<Weighted> {
        let segment = |(slot, weight): (usize, &i64)| Weighted {
            segment: Segment {
                id: 100 + i64::try_from(slot).unwrap(),
                label: format!("칸 {slot}"),
                reward_type: RewardType::None,
                reward_amount: 0,
                slot_index: i64::try_from(slot).unwrap(),
                is_jackpot: false,
            },
            weight: *weight,
            reward: Reward::NONE,
        };
        weights.iter().enumerate().map(segment).collect()
    }

    #[test]
    fn a_wheel_has_six_segments_of_which_one_can_come_up() {
        assert!(Wheel::new(segments(&[0, 0, 0, 0, 0, 1])).is_ok());
        for bad in [
            &[1, 1, 1, 1, 1][..],
            &[1, 1, 1, 1, 1, 1, 1],
            &[0, 0, 0, 0, 0, 0],
            &[1, 1, 1, 1, 1, -1],
            &[MAX_WEIGHT + 1, 1, 1, 1, 1, 1],
            &[],
        ] {
            assert_eq!(Wheel::new(segments(bad)), Err(InvalidWheel), "{bad:?}");
        }
    }

    #[test]
    fn each_slot_is_there_once() {
        let mut twice = segments(&[1; 6]);
        twice[5].segment.slot_index = 0;
        assert_eq!(Wheel::new(twice), Err(InvalidWheel));
        let mut reversed = segments(&[1; 6]);
        reversed.reverse();
        let wheel = Wheel::new(reversed).unwrap();
        let slots: Vec<_> = wheel.segments().map(|segment| segment.slot_index).collect();
        assert_eq!(slots, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_bad_wheel_is_told_field_by_field() {
        let wheel = |weights: &[i64]| NewWheel {
            name: "룰렛".to_owned(),
            max_daily_spins: 0,
            segments: segments(weights)
                .into_iter()
                .map(|weighted| super::super::NewSegment {
                    slot_index: weighted.segment.slot_index,
                    label: weighted.segment.label,
                    weight: weighted.weight,
                    reward: weighted.reward,
                    is_jackpot: false,
                })
                .collect(),
        };
        assert_eq!(check(&wheel(&[1; 6])), []);
        let fields = |wheel: &NewWheel| -> Vec<&str> {
            check(wheel).into_iter().map(|(field, _)| field).collect()
        };
        assert_eq!(fields(&wheel(&[1; 5])), ["segments"]);
        let mut wrong = NewWheel {
            name: String::new(),
            max_daily_spins: -1,
            ..wheel(&[0; 6])
        };
        wrong.segments[2].label = " ".to_owned();
        assert_eq!(
            fields(&wrong),
            ["name", "max_daily_spins", "segments", "segments.label"]
        );
    }

    proptest! {
        #[test]
        fn a_weight_of_0_never_comes_up(slot in 0usize..6, number in any::<u64>()) {
            let mut weights = [1; 6];
            weights[slot] = 0;
            let wheel = Wheel::new(segments(&weights)).unwrap();
            let mut numbers = std::iter::once(number).chain(0..);
            let drawn = wheel.spin(|| numbers.next().unwrap());
            prop_assert!(drawn.weight > 0);
        }
    }
}
