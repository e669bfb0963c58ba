//! The season's arithmetic, without a database.

use std::{ops::RangeInclusive, sync::Arc};

use chrono::{DateTime, Utc};
use xmas_kernel::{
    ErrorCode, MAX_NUMBER, Problem, Problems, SeasonId, UserId,
    text::{self, Kept, Lines},
};
use xmas_rewards::{Reward, RewardType};
use xmas_texts::{field, season as texts};
use xmas_time::EventDay;

use crate::{Level, LevelEdit, NewSeason, Progress, Season, SeasonEdit, SeasonError};

/// What makes the once-a-season bonus stamp unique in its season.
pub const INTERNAL_WIN_PERIOD: &str = "INTERNAL_WIN_50";
/// How many levels a season may have.
pub const MAX_LEVELS: i64 = 1_000;
/// The most XP that a stamp brings by itself, and the most that it brings besides.
const MAX_XP_OF_STAMP: i64 = 1_000_000;
/// How many days a season may be served after its last one.
pub const MAX_GRACE_DAYS: i64 = 366;
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
pub(crate) fn last_served(season: &Season) -> EventDay {
    season.rules.end.plus_days(season.rules.grace_days)
}

/// The last day on which a season is served, unless another one runs.
pub fn served_until(seasons: &[Arc<Season>], season: SeasonId) -> Option<EventDay> {
    let season = seasons.iter().find(|known| known.id == season)?;
    Some(last_served(season))
}

/// A season from its first moment to the end of its last grace day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeasonSpan {
    pub begins: DateTime<Utc>,
    /// The first moment at which it is not served any more.
    pub over: DateTime<Utc>,
}

impl SeasonSpan {
    /// Of a season with these first and last days.
    pub fn of(start: EventDay, end: EventDay, grace_days: u32) -> Self {
        Self {
            begins: start.start(),
            over: end.plus_days(grace_days).next().start(),
        }
    }
}

/// Answers to requests that were stored before this instant are not needed any more at `now`; `None` keeps all.
///
/// An answer is needed until the seasons of its time are over: those that were not when it was stored. So nothing
/// goes before any season is over, and while another one is not, nothing that was stored since that one began.
pub fn answers_needless_before(
    seasons: &[SeasonSpan],
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (over, others): (Vec<SeasonSpan>, Vec<SeasonSpan>) = seasons
        .iter()
        .copied()
        .partition(|season| season.over <= now);
    let last = over.into_iter().map(|season| season.over).max()?;
    let begun = others.into_iter().map(|season| season.begins).min();
    Some(begun.map_or(last, |begun| last.min(begun)))
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
        problems.label(format!("levels.{index}"), label);
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
        field::not_before(
            "start_date",
            season.end.to_string(),
            season.start.to_string(),
        ),
    );
    problems.expect(
        (1..=MAX_LEVELS).contains(&season.max_level),
        "max_level",
        field::between(1, MAX_LEVELS, season.max_level),
    );
    let mut expect = |name: &str, allowed: RangeInclusive<i64>, number: i64| {
        let text = field::between(*allowed.start(), *allowed.end(), number);
        problems.expect(allowed.contains(&number), name, text);
    };
    expect(
        "base_xp_per_stamp",
        0..=MAX_XP_OF_STAMP,
        season.base_xp_per_stamp,
    );
    expect("max_xp_bonus", 0..=MAX_XP_OF_STAMP, season.max_xp_bonus);
    expect(
        "internal_win_threshold",
        1..=MAX_NUMBER,
        season.internal_win_threshold,
    );
    expect("grace_days", 0..=MAX_GRACE_DAYS, season.grace_days.into());
}

fn check_ladder(season: &NewSeason, problems: &mut Problems) {
    let numbers = season.levels.iter().map(|level| level.level);
    problems.expect(
        numbers.eq(1..=season.max_level.min(MAX_LEVELS)),
        "levels",
        texts::levels_with_gaps(season.max_level),
    );
    let mut below = -1;
    for (index, level) in season.levels.iter().enumerate() {
        let path = |name: &str| format!("levels.{index}.{name}");
        problems.expect(
            level.required_xp > below && level.required_xp <= MAX_NUMBER,
            path("required_xp"),
            match index {
                0 => texts::first_required_xp(MAX_NUMBER, level.required_xp),
                _ => texts::required_xp(below, MAX_NUMBER, level.required_xp),
            },
        );
        below = level.required_xp;
        problems.expect(
            level.reward.kind() != RewardType::Xp,
            path("reward_type"),
            texts::no_xp_as_reward(),
        );
        let count = level.reward_label.trim().chars().count();
        let (least, most) = (*LABEL_CHARACTERS.start(), *LABEL_CHARACTERS.end());
        problems.expect(
            LABEL_CHARACTERS.contains(&count),
            path("reward_label"),
            field::characters(least, most, count),
        );
    }
}

/// A season after an edit, and what is wrong with the edit itself. Without a season before, what the
/// edit leaves out is usual.
pub fn edited(before: Option<&NewSeason>, edit: &SeasonEdit) -> (NewSeason, Vec<Problem>) {
    let mut problems = Problems::default();
    problems.extend(edit.problems.clone());
    let mut season = match before {
        Some(before) => before.clone(),
        None => {
            problems.expect(edit.name.is_some(), "season_name", field::required());
            problems.expect(edit.start.is_some(), "start_date", field::required());
            problems.expect(edit.end.is_some(), "end_date", field::required());
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
            texts::max_level_is_count(rungs, max_level),
        );
        season.max_level = max_level;
    }
    if let Some(name) = &edit.name {
        let kept = before.map(|before| before.name.as_str());
        season.name = text::edited(name, kept);
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
        let path = |name: &str| format!("levels.{index}.{name}");
        let old = before.iter().find(|level| level.level == edit.level);
        let required_xp = edit.required_xp.or(old.map(|old| old.required_xp));
        problems.expect(
            required_xp.is_some(),
            path("required_xp"),
            field::required(),
        );
        let old_kind = old.map(|old| old.reward.kind());
        let kind = edit.reward_type.or(old_kind);
        problems.expect(kind.is_some(), path("reward_type"), field::required());
        let kind = kind.unwrap_or(RewardType::None);
        // What belonged to another type of reward says nothing about this one.
        let same = old.filter(|old| old.reward.kind() == kind);
        let amount = edit.reward_amount.or(same.map(|old| old.reward.amount()));
        let item = edit.reward_item.or(same.map(|old| old.reward.item()));
        let amount = amount.unwrap_or(i64::from(kind != RewardType::None));
        let reward = Reward::from_parts(kind, amount, item.flatten());
        problems.expect(reward.is_ok(), path("reward_amount"), texts::level_reward());
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

    fn fields(problems: Vec<Problem>) -> Vec<String> {
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn a_season_that_is_not_sound_is_refused_and_never_served() {
        let unsound = Arc::new(Season {
            id: SeasonId(1),
            rules: ladder(&[20]),
            is_sound: false,
        });
        let seasons = [unsound];
        for outcome in [
            running(&seasons, day(26)).map(drop),
            serving(&seasons, day(26)).map(drop),
            serving(&seasons, day(31).next()).map(drop),
        ] {
            assert!(matches!(outcome, Err(SeasonError::InvalidConfig)));
        }
    }

    #[test]
    fn an_ended_season_that_was_switched_off_has_no_grace_days() {
        let idle = NewSeason {
            is_active: false,
            ..ladder(&[20])
        };
        assert!(matches!(
            serving(&[season(1, idle)], day(31).next()),
            Err(SeasonError::NoActiveSeason)
        ));
    }

    #[test]
    fn a_season_is_served_until_the_last_of_its_grace_days() {
        let long = NewSeason {
            grace_days: 30,
            ..ladder(&[20])
        };
        let seasons = [season(1, ladder(&[20])), season(2, long)];
        let until = |id| served_until(&seasons, SeasonId(id));
        assert_eq!(until(1), EventDay::from_ymd(2026, 1, 7));
        assert_eq!(until(2), EventDay::from_ymd(2026, 1, 30));
        assert_eq!(until(3), None);
    }

    #[test]
    fn answers_are_needed_until_every_season_of_their_time_is_over() {
        let before = |seasons: &[SeasonSpan], now| answers_needless_before(seasons, now);
        let moment = chrono::TimeDelta::microseconds(1);
        // Served until the 7th of January.
        let first = SeasonSpan::of(day(25), day(31), 7);
        let over = EventDay::from_ymd(2026, 1, 8).unwrap().start();
        assert_eq!(first.over, over);
        assert_eq!(before(&[], over), None);
        assert_eq!(before(&[first], over - moment), None);
        assert_eq!(before(&[first], over), Some(over));
        // One that begins in its grace, and one that begins after it.
        let january = |day| EventDay::from_ymd(2026, 1, day).unwrap();
        let second = SeasonSpan::of(january(5), january(10), 7);
        let later = SeasonSpan::of(january(20), january(25), 7);
        let all = [later, second, first];
        assert_eq!(before(&all, over - moment), None);
        assert_eq!(before(&all, over), Some(january(5).start()));
        assert_eq!(before(&all, second.over), Some(second.over));
        assert_eq!(before(&all, later.over - moment), Some(second.over));
        assert_eq!(before(&all, later.over), Some(later.over));
    }

    #[test]
    fn the_grant_of_a_level_is_named_after_season_level_and_player() {
        let key = grant_key(SeasonId(3), 5, UserId(42));
        assert_eq!(key, "season:3:level:5:user:42");
    }

    #[test]
    fn without_a_ladder_the_next_level_needs_no_xp() {
        assert_eq!(next_level_xp(&ladder(&[]), 0), 0);
        // A ladder with a gap: the last level is the next best.
        let mut gap = ladder(&[20, 50, 100]);
        gap.levels.remove(1);
        assert_eq!(next_level_xp(&gap, 1), 100);
    }

    #[test]
    fn no_level_is_above_the_season_s_highest() {
        let short = NewSeason {
            max_level: 1,
            ..ladder(&[20, 50])
        };
        assert_eq!(level_for(&short, 49), 1);
        assert_eq!(level_for(&short, 50), 1);
        assert_eq!(next_level_xp(&short, 1), 20);
    }

    #[test]
    fn every_number_of_a_season_has_its_bounds() {
        type Set = fn(&mut NewSeason, i64);
        let numbers: [(&str, Set, i64, i64); 3] = [
            (
                "base_xp_per_stamp",
                |season, number| season.base_xp_per_stamp = number,
                0,
                1_000_000,
            ),
            (
                "max_xp_bonus",
                |season, number| season.max_xp_bonus = number,
                0,
                1_000_000,
            ),
            (
                "internal_win_threshold",
                |season, number| season.internal_win_threshold = number,
                1,
                MAX_NUMBER,
            ),
        ];
        for (field, set, least, most) in numbers {
            for (number, fits) in [
                (least - 1, false),
                (least, true),
                (most, true),
                (most + 1, false),
            ] {
                let mut season = ladder(&[20]);
                set(&mut season, number);
                let expected = if fits { vec![] } else { vec![field.to_owned()] };
                assert_eq!(fields(check_season(&season)), expected, "{field} {number}");
            }
        }
        for (grace_days, fits) in [(0, true), (366, true), (367, false)] {
            let season = NewSeason {
                grace_days,
                ..ladder(&[20])
            };
            let told = fields(check_season(&season));
            assert_eq!(told.is_empty(), fits, "{grace_days} {told:?}");
        }
    }

    #[test]
    fn a_season_may_be_one_day_long_and_have_a_thousand_levels() {
        let one_day = NewSeason {
            end: day(25),
            ..ladder(&[20])
        };
        assert_eq!(check_season(&one_day), []);
        let backwards = NewSeason {
            end: day(24),
            ..ladder(&[20])
        };
        assert_eq!(
            check_season(&backwards)[0].code,
            ErrorCode::InvalidSeasonDates
        );
        let long: Vec<i64> = (1..=MAX_LEVELS).collect();
        assert_eq!(check_season(&ladder(&long)), []);
        let longer: Vec<i64> = (0..=MAX_LEVELS).collect();
        assert_eq!(
            fields(check_season(&ladder(&longer))),
            ["max_level", "levels"]
        );
        assert_eq!(fields(check_season(&ladder(&[]))), ["max_level"]);
    }

    #[test]
    fn the_xp_of_the_levels_rises_from_0_to_the_largest_number() {
        assert_eq!(check_season(&ladder(&[0, 1, MAX_NUMBER])), []);
        for (bad, field) in [
            ([0, 0], "levels.1.required_xp"),
            ([1, 0], "levels.1.required_xp"),
            ([-1, 0], "levels.0.required_xp"),
            ([0, MAX_NUMBER + 1], "levels.1.required_xp"),
        ] {
            assert_eq!(fields(check_season(&ladder(&bad))), [field], "{bad:?}");
        }
    }

    #[test]
    fn a_reward_s_label_has_1_to_191_characters_besides_the_space_around_it() {
        for (label, fits) in [
            ("", false),
            ("  ", false),
            ("별", true),
            (&"별".repeat(191), true),
            (&format!(" {} ", "별".repeat(191)), true),
            (&"별".repeat(192), false),
        ] {
            let mut season = ladder(&[20]);
            label.clone_into(&mut season.levels[0].reward_label);
            let told = fields(check_season(&season));
            let expected: &[&str] = if fits {
                &[]
            } else {
                &["levels.0.reward_label"]
            };
            assert_eq!(told, expected, "{label:?}");
        }
    }

    #[test]
    fn a_ladder_may_follow_later_unless_the_season_runs_today() {
        let bare = NewSeason {
            max_level: 10,
            ..ladder(&[])
        };
        let told = |season: &NewSeason, today| fields(check_save(season, None, today));
        assert_eq!(told(&bare, day(24)), [""; 0]);
        assert_eq!(told(&bare, day(25)), ["levels"]);
        assert_eq!(told(&bare, day(31)), ["levels"]);
        assert_eq!(told(&bare, day(31).next()), [""; 0]);
        let idle = NewSeason {
            is_active: false,
            ..bare.clone()
        };
        assert_eq!(told(&idle, day(26)), [""; 0]);
        // A ladder that is there is looked at, whenever the season runs.
        let bad = NewSeason {
            is_active: false,
            ..ladder(&[20, 20])
        };
        assert_eq!(told(&bad, day(1)), ["levels.1.required_xp"]);
        // And so is everything else.
        let frame = NewSeason {
            max_level: 0,
            ..bare
        };
        assert_eq!(told(&frame, day(1)), ["max_level"]);
    }

    #[test]
    fn a_new_season_is_named_and_dated_and_has_what_is_usual() {
        let (_, problems) = edited(None, &SeasonEdit::default());
        assert_eq!(fields(problems), ["season_name", "start_date", "end_date"]);
        let edit = SeasonEdit {
            name: Some("2025".to_owned()),
            start: Some(day(25)),
            end: Some(day(31)),
            ..SeasonEdit::default()
        };
        let (season, problems) = edited(None, &edit);
        assert_eq!(problems, []);
        let usual = NewSeason {
            name: "2025".to_owned(),
            start: day(25),
            end: day(31),
            max_level: 10,
            base_xp_per_stamp: 20,
            max_xp_bonus: 20,
            grace_days: 7,
            internal_win_threshold: 50,
            is_active: false,
            levels: Vec::new(),
        };
        assert_eq!(season, usual);
    }

    #[test]
    fn an_edit_changes_what_it_names_and_nothing_else() {
        let before = ladder(&[20, 50]);
        let unchanged = edited(Some(&before), &SeasonEdit::default());
        assert_eq!(unchanged, (before.clone(), vec![]));
        let edit = SeasonEdit {
            name: Some("다음".to_owned()),
            start: Some(day(1)),
            end: Some(day(2)),
            base_xp_per_stamp: Some(1),
            max_xp_bonus: Some(2),
            grace_days: Some(3),
            internal_win_threshold: Some(4),
            is_active: Some(false),
            ..SeasonEdit::default()
        };
        let after = NewSeason {
            name: "다음".to_owned(),
            start: day(1),
            end: day(2),
            base_xp_per_stamp: 1,
            max_xp_bonus: 2,
            grace_days: 3,
            internal_win_threshold: 4,
            is_active: false,
            ..before.clone()
        };
        assert_eq!(edited(Some(&before), &edit), (after, vec![]));
    }

    fn rung(level: i64) -> LevelEdit {
        LevelEdit {
            level,
            required_xp: None,
            reward_type: None,
            reward_amount: None,
            reward_item: None,
            reward_label: None,
            auto_claim: None,
            manual: None,
        }
    }

    fn with_levels(levels: &[LevelEdit]) -> SeasonEdit {
        SeasonEdit {
            levels: Some(levels.to_vec()),
            ..SeasonEdit::default()
        }
    }

    #[test]
    fn a_level_keeps_what_an_edit_leaves_out_and_finds_it_by_its_number() {
        let mut before = ladder(&[20, 50]);
        before.levels[1].auto_claim = false;
        before.levels[1].manual = true;
        before.levels[1].reward = Reward::bundle(xmas_kernel::BundleId(7));
        let edit = with_levels(&[rung(2), rung(1)]);
        let (after, problems) = edited(Some(&before), &edit);
        assert_eq!(problems, []);
        assert_eq!(
            after.levels,
            [before.levels[1].clone(), before.levels[0].clone()]
        );
        let changed = LevelEdit {
            required_xp: Some(60),
            reward_label: Some("상자".to_owned()),
            auto_claim: Some(true),
            manual: Some(false),
            ..rung(2)
        };
        let (after, problems) = edited(Some(&before), &with_levels(&[changed]));
        assert_eq!(problems, []);
        let expected = Level {
            level: 2,
            required_xp: 60,
            reward: before.levels[1].reward,
            reward_label: "상자".to_owned(),
            auto_claim: true,
            manual: false,
        };
        assert_eq!(after.levels, [expected]);
        // The ladder's length is the season's highest level.
        assert_eq!(after.max_level, 1);
    }

    #[test]
    fn a_new_level_says_its_xp_and_its_reward_and_pays_by_itself() {
        let (_, problems) = edited(Some(&ladder(&[])), &with_levels(&[rung(1)]));
        assert_eq!(
            fields(problems),
            ["levels.0.required_xp", "levels.0.reward_type"]
        );
        let new = LevelEdit {
            required_xp: Some(20),
            reward_type: Some(RewardType::TicketDice),
            ..rung(1)
        };
        let (after, problems) = edited(Some(&ladder(&[])), &with_levels(&[new]));
        assert_eq!(problems, []);
        let expected = Level {
            level: 1,
            required_xp: 20,
            // One of it is usual.
            reward: Reward::new(RewardType::TicketDice, 1).unwrap(),
            reward_label: String::new(),
            auto_claim: true,
            manual: false,
        };
        assert_eq!(after.levels, [expected]);
        let none = LevelEdit {
            required_xp: Some(20),
            reward_type: Some(RewardType::None),
            ..rung(1)
        };
        let (after, problems) = edited(None, &with_levels(&[none]));
        assert_eq!(after.levels[0].reward, Reward::NONE);
        assert_eq!(fields(problems), ["season_name", "start_date", "end_date"]);
    }

    #[test]
    fn what_belonged_to_another_type_of_reward_goes_with_it() {
        let mut before = ladder(&[20, 50]);
        before.levels[0].reward = Reward::new(RewardType::Point, 500).unwrap();
        before.levels[1].reward = Reward::bundle(xmas_kernel::BundleId(7));
        let change = |level, reward_type| LevelEdit {
            reward_type: Some(reward_type),
            ..rung(level)
        };
        let edit = with_levels(&[change(1, RewardType::CcCoin), change(2, RewardType::Point)]);
        let (after, problems) = edited(Some(&before), &edit);
        assert_eq!(problems, []);
        assert_eq!(
            after.levels[0].reward,
            Reward::new(RewardType::CcCoin, 1).unwrap()
        );
        assert_eq!(
            after.levels[1].reward,
            Reward::new(RewardType::Point, 1).unwrap()
        );
        let same = with_levels(&[change(1, RewardType::Point)]);
        let (after, _) = edited(Some(&before), &same);
        assert_eq!(after.levels[0].reward, before.levels[0].reward);
    }

    #[test]
    fn a_reward_that_cannot_be_given_is_named() {
        let bad = LevelEdit {
            reward_amount: Some(-1),
            ..rung(1)
        };
        let unnamed = LevelEdit {
            reward_type: Some(RewardType::Bundle),
            reward_item: Some(None),
            ..rung(2)
        };
        let edit = with_levels(&[bad, unnamed]);
        let (after, problems) = edited(Some(&ladder(&[20, 50])), &edit);
        assert_eq!(
            fields(problems),
            ["levels.0.reward_amount", "levels.1.reward_amount"]
        );
        assert_eq!(after.levels[0].reward, Reward::NONE);
    }

    #[test]
    fn the_highest_level_is_the_number_of_levels_unless_there_is_no_ladder_yet() {
        let with_max = |max_level| SeasonEdit {
            max_level: Some(max_level),
            ..SeasonEdit::default()
        };
        let bare = ladder(&[]);
        let (after, problems) = edited(Some(&bare), &with_max(5));
        assert_eq!((after.max_level, problems), (5, vec![]));
        let before = ladder(&[20, 50]);
        for (max_level, fits) in [(1, false), (2, true), (3, false)] {
            let (after, problems) = edited(Some(&before), &with_max(max_level));
            assert_eq!(after.max_level, max_level);
            assert_eq!(problems.is_empty(), fits, "{max_level}");
        }
        // With a ladder in the same edit it is that ladder's length, whether or not there was one before.
        for before in [&bare, &before] {
            for (max_level, fits) in [(0, false), (1, true), (2, false)] {
                let level = LevelEdit {
                    required_xp: Some(20),
                    reward_type: Some(RewardType::None),
                    ..rung(1)
                };
                let edit = SeasonEdit {
                    max_level: Some(max_level),
                    ..with_levels(&[level])
                };
                let (_, problems) = edited(Some(before), &edit);
                let expected: &[&str] = if fits { &[] } else { &["max_level"] };
                assert_eq!(fields(problems), expected, "{max_level}");
            }
        }
    }

    #[test]
    fn a_name_is_changed_and_what_could_not_be_read_is_refused() {
        let before = ladder(&[20]);
        let named = |name: &str| SeasonEdit {
            name: Some(name.to_owned()),
            ..SeasonEdit::default()
        };
        for name in ["S", "T"] {
            let (season, problems) = edited(Some(&before), &named(name));
            assert_eq!((season.name.as_str(), problems), (name, vec![]));
        }
        let unreadable = SeasonEdit {
            problems: vec![Problem::new("season_name", field::two_names_differ())],
            ..named("T")
        };
        let (_, problems) = edited(Some(&before), &unreadable);
        assert_eq!(fields(problems), ["season_name"]);
        let (new, problems) = edited(None, &named("T"));
        assert_eq!(new.name, "T");
        assert_eq!(fields(problems), ["start_date", "end_date"]);
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
