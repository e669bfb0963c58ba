//! The season's arithmetic, without a database.

use std::{ops::RangeInclusive, sync::Arc};

use xmas_kernel::{
    ErrorCode, MAX_NUMBER, Problem, Problems, SeasonId, UserId,
    text::{self, Kept, Lines},
};
use xmas_rewards::{Reward, RewardType};
use xmas_time::EventDay;

use crate::{Level, LevelEdit, NewSeason, Progress, Season, SeasonEdit, SeasonError};

/// What makes the once-a-season bonus stamp unique in its season.
pub const INTERNAL_WIN_PERIOD: &str = "INTERNAL_WIN_50";
/// How many levels a season may have.
pub const MAX_LEVELS: i64 = 1_000;
/// How many characters the label of a level's reward may have.
pub const LABEL_CHARACTERS: RangeInclusive<usize> = 1..=191;

/// The season that runs on `today`: active, and between its first and last day.
pub fn running(
    seasons: &[Arc<Season>],
    today: EventDay,
) -> Result<Option<Arc<Season>>, SeasonError> {
    let mut running = seasons.iter().filter(|season| {
        let rules = &season.rules;
        rules.is_active && (rules.start..=rules.end).contains(&today)
    });
    let season = running.next();
    match running.next() {
        Some(_) => Err(SeasonError::Conflict),
        None => season.map(sound).transpose(),
    }
}

fn sound(season: &Arc<Season>) -> Result<Arc<Season>, SeasonError> {
    if season.is_sound {
        Ok(season.clone())
    } else {
        Err(SeasonError::InvalidConfig)
    }
}

/// Names the grant of a level's reward.
pub fn grant_key(season: SeasonId, level: i64, user_id: UserId) -> String {
    format!("season:{season}:level:{level}:user:{user_id}")
}

/// The season whose status and claims are served on `today`: the running one, else the one that
/// ended last and whose grace days are not over.
pub fn serving(seasons: &[Arc<Season>], today: EventDay) -> Result<Arc<Season>, SeasonError> {
    if let Some(season) = running(seasons, today)? {
        return Ok(season);
    }
    let in_grace = seasons.iter().filter(|season| {
        let rules = &season.rules;
        rules.is_active && rules.end < today && today <= last_served(season)
    });
    let last = in_grace.max_by_key(|season| season.rules.end);
    sound(last.ok_or(SeasonError::NoActiveSeason)?)
}

/// The last of the season's grace days.
fn last_served(season: &Season) -> EventDay {
    season.rules.end.plus_days(season.rules.grace_days)
}

/// The last day on which a season is served, unless another one runs.
pub fn served_until(seasons: &[Arc<Season>], season: SeasonId) -> Option<EventDay> {
    let season = seasons.iter().find(|known| known.id == season)?;
    Some(last_served(season))
}

/// The level that an amount of XP amounts to: the highest whose requirement it meets.
pub fn level_for(rules: &NewSeason, xp: i64) -> i64 {
    let reached = rules.levels.iter().filter(|level| level.required_xp <= xp);
    let highest = reached.map(|level| level.level).max().unwrap_or(0);
    highest.min(rules.max_level)
}

/// The XP at which the next level is reached; that of the last level once there is no next one.
pub fn next_level_xp(rules: &NewSeason, current_level: i64) -> i64 {
    let next = (current_level + 1).min(rules.max_level);
    let rung = rules.levels.iter().find(|level| level.level == next);
    rung.or(rules.levels.last())
        .map_or(0, |level| level.required_xp)
}

/// Progress after `xp` more, by the ladder as it is now; also picks up an edit of the ladder.
pub fn gain_xp(rules: &NewSeason, progress: &Progress, xp: i64) -> Progress {
    let current_xp = progress.current_xp.saturating_add(xp);
    let current_level = level_for(rules, current_xp);
    Progress {
        current_xp,
        current_level,
        level_high_water: progress.level_high_water.max(current_level),
        ..progress.clone()
    }
}

/// What is wrong with a season in which players may play, in the order of the fields. Whether its texts
/// may be saved is for [`check_save`] to say.
pub fn check_season(season: &NewSeason) -> Vec<Problem> {
    let mut problems = Problems::default();
    check_frame(season, &mut problems);
    check_ladder(season, &mut problems);
    problems.into_vec()
}

/// What is wrong with a season that is to be saved: its ladder may follow later, as long as the season
/// does not run on `today`. Texts that stand in the season `before` are not refused.
pub fn check_save(season: &NewSeason, before: Option<&NewSeason>, today: EventDay) -> Vec<Problem> {
    let runs = season.is_active && (season.start..=season.end).contains(&today);
    let mut problems = Problems::default();
    let before = before.into_iter();
    let kept: Kept = before
        .flat_map(|before| {
            let labels = before
                .levels
                .iter()
                .map(|level| level.reward_label.as_str());
            labels.chain([before.name.as_str()])
        })
        .collect();
    kept.expect_label(&season.name, "season_name", &mut problems);
    for (index, level) in season.levels.iter().enumerate() {
        let label = &level.reward_label;
        if !kept.has(label) {
            // How long it may be is asked of the ladder.
            let fit = text::check(label, 0..=usize::MAX, Lines::One);
            problems.expect_fit(fit, format!("levels.{index}.reward_label"));
        }
    }
    check_frame(season, &mut problems);
    if runs || !season.levels.is_empty() {
        check_ladder(season, &mut problems);
    }
    problems.into_vec()
}

fn check_frame(season: &NewSeason, problems: &mut Problems) {
    problems.expect_or(
        ErrorCode::InvalidSeasonDates,
        season.start <= season.end,
        "end_date",
        "is not before start_date",
    );
    problems.expect(
        (1..=MAX_LEVELS).contains(&season.max_level),
        "max_level",
        "is 1 to 1,000",
    );
    let amount = 0..=1_000_000;
    problems.expect(
        amount.contains(&season.base_xp_per_stamp),
        "base_xp_per_stamp",
        "is 0 to 1,000,000",
    );
    problems.expect(
        amount.contains(&season.max_xp_bonus),
        "max_xp_bonus",
        "is 0 to 1,000,000",
    );
    problems.expect(
        (1..=MAX_NUMBER).contains(&season.internal_win_threshold),
        "internal_win_threshold",
        "must be 1 to 9,000,000,000,000,000",
    );
    problems.expect(season.grace_days <= 366, "grace_days", "are 0 to 366");
}

fn check_ladder(season: &NewSeason, problems: &mut Problems) {
    let numbers = season.levels.iter().map(|level| level.level);
    problems.expect(
        numbers.eq(1..=season.max_level.min(MAX_LEVELS)),
        "levels",
        "are 1 to max_level without gaps, ascending",
    );
    let mut below = -1;
    for (index, level) in season.levels.iter().enumerate() {
        let field = |name: &str| format!("levels.{index}.{name}");
        problems.expect(
            level.required_xp > below && level.required_xp <= MAX_NUMBER,
            field("required_xp"),
            "must be 0 to 9,000,000,000,000,000 and above that of the level before",
        );
        below = level.required_xp;
        problems.expect(
            level.reward.kind() != RewardType::Xp,
            field("reward_type"),
            "is not XP, which is a prize of games",
        );
        problems.expect(
            LABEL_CHARACTERS.contains(&level.reward_label.trim().chars().count()),
            field("reward_label"),
            "has 1 to 191 characters",
        );
    }
}

/// A season after an edit, and what is wrong with the edit itself. Without a season before, what the
/// edit leaves out is usual.
pub fn edited(before: Option<&NewSeason>, edit: &SeasonEdit) -> (NewSeason, Vec<Problem>) {
    let mut problems = Problems::default();
    let mut season = match before {
        Some(before) => before.clone(),
        None => {
            let is_named = edit.name.is_some() || edit.season_name.is_some();
            problems.expect(is_named, "season_name", "is needed");
            problems.expect(edit.start.is_some(), "start_date", "is needed");
            problems.expect(edit.end.is_some(), "end_date", "is needed");
            NewSeason {
                name: String::new(),
                start: edit.start.unwrap_or_default(),
                end: edit.end.unwrap_or_default(),
                max_level: 10,
                base_xp_per_stamp: 20,
                max_xp_bonus: 20,
                grace_days: 7,
                internal_win_threshold: 50,
                is_active: false,
                levels: Vec::new(),
            }
        }
    };
    let ladder = season.levels.len();
    if let Some(levels) = &edit.levels {
        season.levels = edited_ladder(&season.levels, levels, &mut problems);
        season.max_level = i64::try_from(season.levels.len()).unwrap_or(i64::MAX);
    }
    if let Some(max_level) = edit.max_level {
        let rungs = i64::try_from(season.levels.len()).unwrap_or(i64::MAX);
        problems.expect(
            max_level == rungs || ladder == 0 && edit.levels.is_none(),
            "max_level",
            "is the number of levels; saving the levels changes both",
        );
        season.max_level = max_level;
    }
    let kept = before.map(|before| before.name.as_str());
    let names = [&edit.name, &edit.season_name].into_iter().flatten();
    let mut changed = names
        .map(|name| text::edited(name, kept))
        .filter(|name| Some(name.as_str()) != kept);
    if let Some(name) = changed.next() {
        let agree = changed.all(|other| other == name);
        problems.expect(
            agree,
            "season_name",
            "is sent under two names, with two values",
        );
        season.name = name;
    }
    season.start = edit.start.unwrap_or(season.start);
    season.end = edit.end.unwrap_or(season.end);
    let number = |new: Option<i64>, old| new.unwrap_or(old);
    season.base_xp_per_stamp = number(edit.base_xp_per_stamp, season.base_xp_per_stamp);
    season.max_xp_bonus = number(edit.max_xp_bonus, season.max_xp_bonus);
    season.grace_days = edit.grace_days.unwrap_or(season.grace_days);
    season.internal_win_threshold =
        number(edit.internal_win_threshold, season.internal_win_threshold);
    season.is_active = edit.is_active.unwrap_or(season.is_active);
    (season, problems.into_vec())
}

fn edited_ladder(before: &[Level], edits: &[LevelEdit], problems: &mut Problems) -> Vec<Level> {
    let mut levels = Vec::with_capacity(edits.len());
    for (index, edit) in edits.iter().enumerate() {
        let field = |name: &str| format!("levels.{index}.{name}");
        let old = before.iter().find(|level| level.level == edit.level);
        let required_xp = edit.required_xp.or(old.map(|old| old.required_xp));
        problems.expect(required_xp.is_some(), field("required_xp"), "is needed");
        let old_kind = old.map(|old| old.reward.kind());
        let kind = edit.reward_type.or(old_kind);
        problems.expect(kind.is_some(), field("reward_type"), "is needed");
        let kind = kind.unwrap_or(RewardType::None);
        // What belonged to another type of reward says nothing about this one.
        let same = old.filter(|old| old.reward.kind() == kind);
        let amount = edit.reward_amount.or(same.map(|old| old.reward.amount()));
        let item = edit.reward_item.or(same.map(|old| old.reward.item()));
        let amount = amount.unwrap_or(i64::from(kind != RewardType::None));
        let reward = Reward::from_parts(kind, amount, item.flatten());
        problems.expect(
            reward.is_ok(),
            field("reward_amount"),
            "must be 0 of NONE, 1 of a named BUNDLE or COUPON (reward_item), else 0 to 1,000,000,000",
        );
        let kept_label = old.map(|old| old.reward_label.as_str());
        let label = edit.reward_label.as_deref().or(kept_label);
        levels.push(Level {
            level: edit.level,
            required_xp: required_xp.unwrap_or(0),
            reward: reward.unwrap_or(Reward::NONE),
            reward_label: text::edited(label.unwrap_or_default(), kept_label),
            auto_claim: edit
                .auto_claim
                .unwrap_or(old.is_none_or(|old| old.auto_claim)),
            manual: edit.manual.unwrap_or(old.is_some_and(|old| old.manual)),
        });
    }
    levels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ladder(required: &[i64]) -> NewSeason {
        let level = |(index, xp): (usize, &i64)| Level {
            level: i64::try_from(index).unwrap() + 1,
            required_xp: *xp,
            reward: Reward::new(RewardType::TicketRoulette, 1).unwrap(),
            reward_label: "룰렛 티켓 1장".to_owned(),
            auto_claim: true,
            manual: false,
        };
        NewSeason {
            name: "S".to_owned(),
            start: day(25),
            end: day(31),
            max_level: i64::try_from(required.len()).unwrap(),
            base_xp_per_stamp: 20,
            max_xp_bonus: 20,
            grace_days: 7,
            internal_win_threshold: 50,
            is_active: true,
            levels: required.iter().enumerate().map(level).collect(),
        }
    }

    fn day(day: u32) -> EventDay {
        EventDay::from_ymd(2025, 12, day).unwrap()
    }

    fn season(id: i64, rules: NewSeason) -> Arc<Season> {
        Arc::new(Season {
            id: SeasonId(id),
            rules,
            is_sound: true,
        })
    }

    #[test]
    fn a_season_runs_from_its_first_to_its_last_day() {
        let seasons = [season(1, ladder(&[20]))];
        for (today, runs) in [(24, false), (25, true), (31, true)] {
            assert_eq!(
                running(&seasons, day(today)).unwrap().is_some(),
                runs,
                "{today}"
            );
        }
        assert!(running(&seasons, day(31).next()).unwrap().is_none());
    }

    #[test]
    fn the_ended_season_is_served_for_its_grace_days_unless_another_runs() {
        let seasons = [season(1, ladder(&[20]))];
        let served =
            |seasons: &[Arc<Season>], today| serving(seasons, today).map(|season| season.id);
        assert_eq!(served(&seasons, day(31).plus_days(7)).unwrap(), SeasonId(1));
        assert!(matches!(
            served(&seasons, day(31).plus_days(8)),
            Err(SeasonError::NoActiveSeason)
        ));
        assert!(matches!(
            served(&seasons, day(24)),
            Err(SeasonError::NoActiveSeason)
        ));
        let next = NewSeason {
            start: day(31).next(),
            end: day(31).plus_days(3),
            ..ladder(&[20])
        };
        let both = [seasons[0].clone(), season(2, next)];
        assert_eq!(served(&both, day(31).next()).unwrap(), SeasonId(2));
        // On the fifth day both have ended; the later one is served.
        assert_eq!(served(&both, day(31).plus_days(5)).unwrap(), SeasonId(2));
    }

    #[test]
    fn a_season_that_is_not_active_never_runs_and_two_active_ones_conflict() {
        let idle = NewSeason {
            is_active: false,
            ..ladder(&[20])
        };
        assert!(running(&[season(1, idle)], day(26)).unwrap().is_none());
        let both = [season(1, ladder(&[20])), season(2, ladder(&[20]))];
        assert!(matches!(
            running(&both, day(26)),
            Err(SeasonError::Conflict)
        ));
        assert!(matches!(
            serving(&both, day(26)),
            Err(SeasonError::Conflict)
        ));
    }

    #[test]
    fn the_next_level_is_never_unknown() {
        let rules = ladder(&[20, 50]);
        assert_eq!(next_level_xp(&rules, 0), 20);
        assert_eq!(next_level_xp(&rules, 1), 50);
        assert_eq!(next_level_xp(&rules, 2), 50);
    }

    #[test]
    fn lowering_the_ladder_lifts_and_raising_it_takes_nothing_back() {
        let at_30 = gain_xp(&ladder(&[20, 50]), &Progress::default(), 30);
        assert_eq!((at_30.current_level, at_30.level_high_water), (1, 1));
        let lowered = gain_xp(&ladder(&[20, 30]), &at_30, 0);
        assert_eq!((lowered.current_level, lowered.level_high_water), (2, 2));
        let raised = gain_xp(&ladder(&[20, 50]), &lowered, 0);
        assert_eq!((raised.current_level, raised.level_high_water), (1, 2));
    }

    #[test]
    fn a_bad_season_is_told_field_by_field() {
        assert_eq!(check_season(&ladder(&[20, 50])), []);
        let fields = |season: &NewSeason| -> Vec<String> {
            let problems = check_season(season).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        assert_eq!(fields(&ladder(&[20, 20])), ["levels.1.required_xp"]);
        assert_eq!(fields(&ladder(&[-1, 20])), ["levels.0.required_xp"]);
        let mut gap = ladder(&[20, 50]);
        gap.levels[1].level = 3;
        assert_eq!(fields(&gap), ["levels"]);
        let mut xp = ladder(&[20]);
        xp.levels[0].reward = Reward::new(RewardType::Xp, 5).unwrap();
        assert_eq!(fields(&xp), ["levels.0.reward_type"]);
        let wrong = NewSeason {
            end: day(24),
            internal_win_threshold: 0,
            ..ladder(&[20])
        };
        assert_eq!(fields(&wrong), ["end_date", "internal_win_threshold"]);
    }

    #[test]
    fn new_texts_keep_the_rules_and_those_that_stand_may_stay() {
        let fields = |season: &NewSeason, before: Option<&NewSeason>| -> Vec<String> {
            let problems = check_save(season, before, day(26)).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let mut wrong = NewSeason {
            name: " ".to_owned(),
            ..ladder(&[20, 50])
        };
        wrong.levels[0].reward_label = "e\u{301}".to_owned();
        wrong.levels[1].reward_label = "룰렛\u{200b}".to_owned();
        let all = [
            "season_name",
            "levels.0.reward_label",
            "levels.1.reward_label",
        ];
        assert_eq!(fields(&wrong, None), all);
        assert_eq!(fields(&wrong, Some(&wrong)), [""; 0]);
        assert_eq!(fields(&wrong, Some(&ladder(&[20, 50]))), all);
        // Players go on playing in it.
        assert_eq!(check_season(&wrong), []);
    }

    proptest! {
        #[test]
        fn the_level_is_the_highest_whose_requirement_is_met(
            steps in prop::collection::vec(1i64..500, 1..20),
            xp in 0i64..10_000,
        ) {
            let required: Vec<i64> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
            let rules = ladder(&required);
            let level = level_for(&rules, xp);
            let met = i64::try_from(required.iter().filter(|needed| **needed <= xp).count()).unwrap();
            prop_assert_eq!(level, met);
        }

        #[test]
        fn gaining_in_two_steps_is_gaining_in_one(a in 0i64..5_000, b in 0i64..5_000) {
            let rules = ladder(&[20, 50, 100, 180, 300, 450, 650, 900, 1_200, 1_600]);
            let in_one = gain_xp(&rules, &Progress::default(), a + b);
            let in_two = gain_xp(&rules, &gain_xp(&rules, &Progress::default(), a), b);
            prop_assert_eq!(in_one, in_two);
        }
    }
}
