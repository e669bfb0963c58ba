//! What a wheel is.

use std::collections::HashSet;

use xmas_kernel::{ConfigId, ErrorCode, Feature, Problem, Problems, text};
use xmas_texts::{field, game as texts};

use super::{NewSegment, NewWheel, Segment, SegmentConfig, SegmentEdit};
use crate::{
    config::expect_daily,
    odds::{Entry, InvalidOdds, MAX_WEIGHT, Odds},
};

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

/// What is wrong with a wheel that is to be saved, but for its texts.
pub fn check(new: &NewWheel) -> Vec<Problem> {
    use ErrorCode::InvalidRouletteConfig;
    let mut problems = Problems::default();
    expect_daily(new.max_daily_spins, "max_daily_spins", &mut problems);
    let count = new.segments.len();
    let text = texts::segments(SEGMENTS, count);
    problems.expect_or(InvalidRouletteConfig, count == SEGMENTS, "segments", text);
    let can_come_up = new.segments.iter().any(|segment| segment.weight > 0);
    let text = texts::weights_all_zero();
    problems.expect_or(InvalidRouletteConfig, can_come_up, "segments", text);
    let mut slots = HashSet::new();
    for (index, segment) in new.segments.iter().enumerate() {
        let path = |name: &str| format!("segments.{index}.{name}");
        let slot = segment.slot_index;
        problems.expect_or(
            InvalidRouletteConfig,
            (0..6).contains(&slot) && slots.insert(slot),
            path("index"),
            texts::segment_index(slot),
        );
        problems.expect_or(
            InvalidRouletteConfig,
            (0..=MAX_WEIGHT).contains(&segment.weight),
            path("weight"),
            field::between(0, MAX_WEIGHT, segment.weight),
        );
    }
    problems.into_vec()
}

/// The segments after an edit: those that are sent, each with what is kept of its slot.
pub fn edited(
    before: &[SegmentConfig],
    edit: &[SegmentEdit],
    problems: &mut Problems,
) -> Vec<SegmentConfig> {
    let mut segments = Vec::with_capacity(edit.len());
    for (place, edit) in (0..).zip(edit) {
        let prefix = format!("segments.{place}.");
        let slot_index = edit.slot_index.unwrap_or(place);
        let mut kept = before.iter().filter(|kept| kept.slot_index == slot_index);
        let kept = kept.next();
        let kept_id = kept.and_then(|kept| kept.id);
        problems.expect(
            edit.id.is_none() || edit.id == kept_id,
            format!("{prefix}id"),
            texts::segment_id(edit.id.unwrap_or_default().to_string()),
        );
        let weight = edit.weight.or(kept.map(|kept| kept.weight));
        if weight.is_none() {
            problems.push(Problem::new(format!("{prefix}weight"), field::required()));
        }
        let kept_label = kept.map(|kept| kept.label.as_str());
        let label = edit.label.as_deref().or(kept_label).unwrap_or_default();
        let was_jackpot = kept.is_some_and(|kept| kept.is_jackpot);
        let kept_reward = kept.map(|kept| &kept.reward);
        segments.push(SegmentConfig {
            id: kept_id,
            slot_index,
            label: text::edited(label, kept_label),
            weight: weight.unwrap_or(0),
            reward: edit.reward.applied(kept_reward, &prefix, problems),
            is_jackpot: edit.is_jackpot.unwrap_or(was_jackpot),
        });
    }
    segments
}

#[cfg(test)]
mod tests {
    use xmas_rewards::Reward;

    use super::*;
    use crate::config::MAX_DAILY;
    use crate::config::{RewardConfig, RewardEdit};

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
        let wrong = NewWheel {
            max_daily_spins: -1,
            ..new(&[0; 6])
        };
        assert_eq!(fields(&wrong), ["max_daily_spins", "segments"]);
    }
    fn kept() -> Vec<SegmentConfig> {
        let segment = |slot_index: i64| SegmentConfig {
            id: Some(100 + slot_index),
            slot_index,
            label: format!("칸 {slot_index}"),
            weight: 1,
            reward: RewardConfig {
                reward_type: "BUNDLE".to_owned(),
                reward_amount: 1,
                reward_item: Some(slot_index),
            },
            is_jackpot: slot_index == 5,
        };
        (0..6).map(segment).collect()
    }

    fn at_slot(slot_index: i64) -> SegmentEdit {
        SegmentEdit {
            slot_index: Some(slot_index),
            ..SegmentEdit::default()
        }
    }

    #[test]
    fn segments_are_matched_by_slot_or_by_place() {
        let edit = [at_slot(5), at_slot(4), SegmentEdit::default(), at_slot(3)];
        let mut problems = Problems::default();
        let after = edited(&kept(), &edit, &mut problems);
        assert_eq!(problems.into_vec(), []);
        let kept = kept();
        let expected = [5, 4, 2, 3].map(|slot: usize| kept[slot].clone());
        assert_eq!(after, expected);
    }

    #[test]
    fn an_id_that_comes_along_is_that_of_the_slot() {
        let kept = kept();
        let with_id = |id, slot| SegmentEdit {
            id: Some(id),
            ..at_slot(slot)
        };
        let mut problems = Problems::default();
        let after = edited(&kept, &[with_id(105, 5)], &mut problems);
        assert_eq!((after[0].id, problems.into_vec()), (Some(105), vec![]));
        let mut problems = Problems::default();
        edited(&kept, &[with_id(104, 5)], &mut problems);
        edited(&[], &[with_id(105, 5)], &mut problems);
        let problems = problems.into_vec().into_iter();
        let of_ids = problems.filter(|problem| problem.field == "segments.0.id");
        assert_eq!(of_ids.count(), 2);
    }

    #[test]
    fn a_new_segment_says_what_it_is() {
        let mut problems = Problems::default();
        let whole = SegmentEdit {
            label: Some("칸".to_owned()),
            weight: Some(3),
            reward: RewardEdit {
                reward_type: Some("NONE".to_owned()),
                ..RewardEdit::default()
            },
            ..SegmentEdit::default()
        };
        let after = edited(&[], &[whole, SegmentEdit::default()], &mut problems);
        assert_eq!(
            (after[0].id, after[0].weight, after[0].is_jackpot),
            (None, 3, false)
        );
        let problems = problems.into_vec().into_iter();
        let fields: Vec<String> = problems.map(|problem| problem.field).collect();
        assert_eq!(fields, ["segments.1.weight", "segments.1.reward_type"]);
    }

    #[test]
    fn slots_and_weights_are_told_one_by_one() {
        let mut new = NewWheel {
            name: "룰렛".to_owned(),
            max_daily_spins: 1,
            segments: segments(&[1; 6]).into_iter().map(|(_, new)| new).collect(),
        };
        new.segments[1].slot_index = 0;
        new.segments[2].weight = -1;
        new.segments[3].weight = i64::MAX;
        new.segments[4].slot_index = 6;
        let problems = check(&new).into_iter();
        let told: Vec<_> = problems
            .map(|problem| (problem.field, problem.code))
            .collect();
        let fields = ["1.index", "2.weight", "3.weight", "4.index"];
        let code = ErrorCode::InvalidRouletteConfig;
        assert_eq!(
            told,
            fields.map(|field| (format!("segments.{field}"), code))
        );
    }

    #[test]
    fn every_number_of_a_wheel_has_its_bounds() {
        let new = |weights: &[i64], max_daily_spins| NewWheel {
            name: "룰렛".to_owned(),
            max_daily_spins,
            segments: segments(weights).into_iter().map(|(_, new)| new).collect(),
        };
        let fields = |wheel: &NewWheel| -> Vec<String> {
            let problems = check(wheel).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let heaviest = [0, 0, 0, 0, 0, MAX_WEIGHT];
        assert_eq!(fields(&new(&heaviest, MAX_DAILY)), [""; 0]);
        assert_eq!(fields(&new(&heaviest, MAX_DAILY + 1)), ["max_daily_spins"]);
        let heavier = [0, 0, 0, 0, 0, MAX_WEIGHT + 1];
        assert_eq!(fields(&new(&heavier, 0)), ["segments.5.weight"]);
        assert_eq!(fields(&new(&[-1; 6], 0))[0], "segments");
        assert_eq!(fields(&new(&[1; 7], 0)), ["segments", "segments.6.index"]);
    }
}
