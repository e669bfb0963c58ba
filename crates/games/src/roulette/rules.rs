//! What a wheel is.

use xmas_kernel::{ConfigId, ErrorCode, Feature, LABEL, Problem, Problems, is_label};

use super::{NewSegment, NewWheel, Segment};
use crate::odds::{Entry, InvalidOdds, Odds};

/// How many segments every wheel has; the client draws exactly these.
pub const SEGMENTS: usize = 6;

/// The segments, each with its id, as players see them and as they are drawn; or that they do not
/// make a wheel: one segment in each of the slots 0 to 5, of which at least one can come up.
pub fn wheel(
    config_id: ConfigId,
    mut segments: Vec<(i64, NewSegment)>,
) -> Result<(Vec<Segment>, Odds), InvalidOdds> {
    segments.sort_by_key(|(_, segment)| segment.slot_index);
    let slots = segments.iter().map(|(_, segment)| segment.slot_index);
    if segments.len() != SEGMENTS || !slots.eq(0..6) {
        return Err(InvalidOdds);
    }
    let entry = |(id, segment): &(i64, NewSegment)| {
        Entry::new(*id, &segment.label, segment.weight, segment.reward)
    };
    let entries = segments.iter().map(entry).collect::<Result<_, _>>()?;
    let odds = Odds::new(Feature::Roulette, config_id, entries)?;
    let shown = |(id, segment): (i64, NewSegment)| Segment {
        id,
        label: segment.label,
        reward_type: segment.reward.kind(),
        reward_amount: segment.reward.amount(),
        slot_index: segment.slot_index,
        is_jackpot: segment.is_jackpot,
    };
    Ok((segments.into_iter().map(shown).collect(), odds))
}

/// What is wrong with a wheel that is to be saved.
pub fn check(new: &NewWheel) -> Vec<Problem> {
    let mut problems = Problems::default();
    problems.expect(is_label(&new.name), "name", LABEL);
    problems.expect_or(
        ErrorCode::InvalidMaxDailyPlays,
        new.max_daily_spins >= 0,
        "max_daily_spins",
        "is at least 0",
    );
    let numbered = (0..).zip(new.segments.iter().cloned()).collect();
    problems.expect_or(
        ErrorCode::InvalidRouletteConfig,
        wheel(ConfigId(0), numbered).is_ok(),
        "segments",
        "are six, in slots 0 to 5, with weights of 0 to 1,000,000,000 that are not all 0",
    );
    for (index, segment) in new.segments.iter().enumerate() {
        let field = format!("segments.{index}.label");
        problems.expect(is_label(&segment.label), field, LABEL);
    }
    problems.into_vec()
}

#[cfg(test)]
mod tests {
    use xmas_rewards::Reward;

    use super::*;
    use crate::odds::MAX_WEIGHT;

    fn segments(weights: &[i64]) -> Vec<(i64, NewSegment)> {
        let segment = |(slot_index, weight): (i64, &i64)| {
            let segment = NewSegment {
                slot_index,
                label: format!("칸 {slot_index}"),
                weight: *weight,
                reward: Reward::NONE,
                is_jackpot: false,
            };
            (100 + slot_index, segment)
        };
        (0..).zip(weights).map(segment).collect()
    }

    fn is_wheel(segments: Vec<(i64, NewSegment)>) -> bool {
        wheel(ConfigId(1), segments).is_ok()
    }

    #[test]
    fn a_wheel_has_six_segments_of_which_one_can_come_up() {
        assert!(is_wheel(segments(&[0, 0, 0, 0, 0, 1])));
        for bad in [
            &[1, 1, 1, 1, 1][..],
            &[1, 1, 1, 1, 1, 1, 1],
            &[0, 0, 0, 0, 0, 0],
            &[1, 1, 1, 1, 1, -1],
            &[MAX_WEIGHT + 1, 1, 1, 1, 1, 1],
            &[],
        ] {
            assert!(!is_wheel(segments(bad)), "{bad:?}");
        }
    }

    #[test]
    fn each_slot_is_there_once() {
        let mut twice = segments(&[1; 6]);
        twice[5].1.slot_index = 0;
        assert!(!is_wheel(twice));
        let mut reversed = segments(&[1; 6]);
        reversed.reverse();
        let (shown, odds) = wheel(ConfigId(1), reversed).unwrap();
        let slots: Vec<_> = shown.iter().map(|segment| segment.slot_index).collect();
        assert_eq!(slots, [0, 1, 2, 3, 4, 5]);
        // Drawn in the order in which they are shown.
        let ids: Vec<_> = odds.entries().iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [100, 101, 102, 103, 104, 105]);
    }

    #[test]
    fn a_bad_wheel_is_told_field_by_field() {
        let new = |weights: &[i64]| NewWheel {
            name: "룰렛".to_owned(),
            max_daily_spins: 0,
            segments: segments(weights).into_iter().map(|(_, new)| new).collect(),
        };
        assert_eq!(check(&new(&[1; 6])), []);
        let fields = |wheel: &NewWheel| -> Vec<String> {
            let problems = check(wheel).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        assert_eq!(fields(&new(&[1; 5])), ["segments"]);
        let mut wrong = NewWheel {
            name: String::new(),
            max_daily_spins: -1,
            ..new(&[0; 6])
        };
        wrong.segments[2].label = " ".to_owned();
        assert_eq!(
            fields(&wrong),
            ["name", "max_daily_spins", "segments", "segments.2.label"]
        );
    }
}
