//! The bridge's rules, without a database.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use xmas_activity::{Event, EventKind};
use xmas_kernel::{BridgeId, Feature, Problem, Problems, SeasonId, UserId};
use xmas_rewards::Reward;
use xmas_season_pass::rules::INTERNAL_WIN_PERIOD;
use xmas_texts::{bridge as texts, field, quoted};
use xmas_time::EventDay;

use crate::{Bridge, BridgeDay, BridgeEdit, DayEdit, Mission, NewBridge, Slot, SlotState};

/// How many days a bridge may have.
pub const MAX_DAYS: usize = 7;
/// The games of [`Mission::PlayAllGames`].
pub const ALL_GAMES: [Feature; 3] = [Feature::Roulette, Feature::Dice, Feature::Lottery];
/// How long into `settle_on` the settlement begins by itself: no action of the day before is still
/// under way then.
const SETTLE_AFTER: TimeDelta = TimeDelta::minutes(10);
/// How long before `settle_on` the pre-check is made: 23:00 of the evening before.
const PRECHECK_BEFORE: TimeDelta = TimeDelta::hours(1);

/// What an event does for a mission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fulfilment {
    Nothing,
    /// One game of several.
    Part(Feature),
    Whole,
}

/// What an event of the mission's day does for it.
pub fn fulfilment(mission: Mission, event: &Event) -> Fulfilment {
    let plays = |game| event.kind == EventKind::Play && event.feature == Some(game);
    let fulfils = match mission {
        Mission::PlayRoulette => plays(Feature::Roulette),
        Mission::PlayDice => plays(Feature::Dice),
        Mission::PlayLottery => plays(Feature::Lottery),
        Mission::ViewRanking => {
            event.kind == EventKind::EnterPage && event.feature == Some(Feature::Ranking)
        }
        Mission::Stamp => event.kind == EventKind::SeasonPassStamp,
        // Whoever does anything is there: a token of the evening before is as good as a login.
        Mission::Login => matches!(
            event.kind,
            EventKind::AuthLogin
                | EventKind::Play
                | EventKind::SeasonPassStamp
                | EventKind::EnterPage
        ),
        Mission::PlayAllGames => {
            let game = ALL_GAMES.into_iter().find(|game| plays(*game));
            return game.map_or(Fulfilment::Nothing, Fulfilment::Part);
        }
    };
    if fulfils {
        Fulfilment::Whole
    } else {
        Fulfilment::Nothing
    }
}

/// The days as a player who has these keys sees them.
pub fn slots(days: &[BridgeDay], collected: &BTreeSet<String>, today: EventDay) -> Vec<Slot> {
    let slot = |day: &BridgeDay| Slot {
        state: match day.day.cmp(&today) {
            _ if collected.contains(&day.event_type) => SlotState::Collected,
            std::cmp::Ordering::Less => SlotState::Missed,
            std::cmp::Ordering::Equal => SlotState::Open,
            std::cmp::Ordering::Greater => SlotState::Upcoming,
        },
        day: day.clone(),
    };
    days.iter().map(slot).collect()
}

/// When the settlement runs by itself: 00:10 KST of `settle_on`.
pub fn settles_at(settle_on: EventDay) -> DateTime<Utc> {
    settle_on.start() + SETTLE_AFTER
}

/// Whether the settlement of its day has come to its end. A run by hand in the first minutes of the day may have missed
/// who was still acting.
pub fn is_settled(bridge: &Bridge) -> bool {
    let settles_at = settles_at(bridge.rules.settle_on);
    bridge.settled_at.is_some_and(|at| at >= settles_at)
}

/// How long a settlement has been due at `now` without having come to its end.
pub fn lateness(bridge: &Bridge, now: DateTime<Utc>) -> Option<TimeDelta> {
    let late = now - settles_at(bridge.rules.settle_on);
    (late > TimeDelta::zero() && !is_settled(bridge)).then_some(late)
}

/// From when the pre-check is made: 23:00 KST of the evening before `settle_on`.
pub fn prechecks_at(settle_on: EventDay) -> DateTime<Utc> {
    settle_on.start() - PRECHECK_BEFORE
}

/// What every grant key of a bridge begins with.
pub fn grant_prefix(bridge: BridgeId) -> String {
    format!("bridge:{bridge}:user:")
}

/// Names a player's payment.
pub fn grant_key(bridge: BridgeId, user_id: UserId) -> String {
    format!("{}{user_id}", grant_prefix(bridge))
}

/// How many days after its last one a bridge is usually settled.
const USUAL_SETTLE_AFTER: u32 = 1;

/// When a bridge is usually settled whose last day, or whose season's, is this.
pub(crate) fn usual_settle_on(last: EventDay) -> EventDay {
    last.plus_days(USUAL_SETTLE_AFTER)
}

/// A bridge after an edit, and what is wrong with the edit itself. Without a bridge before, what the
/// edit leaves out is usual.
pub fn edited(
    before: Option<&NewBridge>,
    season_id: SeasonId,
    edit: &BridgeEdit,
) -> (NewBridge, Vec<Problem>) {
    let mut problems = Problems::default();
    let old_days = before.map_or(&[][..], |before| &before.days);
    let days = match &edit.days {
        None => old_days.to_vec(),
        Some(days) => edited_days(old_days, days, &mut problems),
    };
    let keys = i64::try_from(days.len()).unwrap_or(i64::MAX);
    let keys_required = edit
        .keys_required
        .or(before.map(|before| before.keys_required));
    let settle_on = edit.settle_on.or(before.map(|before| before.settle_on));
    let usual = days.last().map(|last| usual_settle_on(last.day));
    let auto_settle = edit.auto_settle.or(before.map(|before| before.auto_settle));
    let bridge = NewBridge {
        season_id,
        keys_required: keys_required.unwrap_or(keys),
        settle_on: settle_on.or(usual).unwrap_or_default(),
        auto_settle: auto_settle.unwrap_or(true),
        days,
    };
    (bridge, problems.into_vec())
}

fn edited_days(before: &[BridgeDay], edits: &[DayEdit], problems: &mut Problems) -> Vec<BridgeDay> {
    let mut days = Vec::with_capacity(edits.len());
    for (index, edit) in edits.iter().enumerate() {
        let old = before.iter().find(|day| day.number == edit.number);
        let path = |name: &str| format!("days.{index}.{name}");
        let day = edit.day.or(old.map(|old| old.day));
        problems.expect(day.is_some(), path("date"), field::required());
        let event_type = edit.event_type.clone();
        let event_type = event_type.or_else(|| old.map(|old| old.event_type.clone()));
        problems.expect(event_type.is_some(), path("event_type"), field::required());
        let mission = edit.mission.or(old.map(|old| old.mission));
        problems.expect(mission.is_some(), path("mission"), field::required());
        let points = edit.points.or(old.map(|old| old.points));
        problems.expect(points.is_some(), path("points"), field::required());
        days.push(BridgeDay {
            number: edit.number,
            day: day.unwrap_or_default(),
            event_type: event_type.unwrap_or_default(),
            mission: mission.unwrap_or(Mission::Login),
            points: points.unwrap_or(0),
        });
    }
    days
}

/// Whether an action of the day may still be under way.
pub(crate) fn is_running(day: EventDay, now: DateTime<Utc>) -> bool {
    (day.start()..day.end() + SETTLE_AFTER).contains(&now)
}

/// Days of a bridge that an edit changes or leaves out.
pub(crate) fn touched<'a>(
    before: &'a NewBridge,
    after: &'a NewBridge,
) -> impl Iterator<Item = &'a BridgeDay> {
    let days = before.days.iter();
    days.filter(|day| !after.days.contains(day))
}

/// What is wrong with a bridge that is to be saved. `season` is its season's first and last day.
pub fn check(bridge: &NewBridge, season: (EventDay, EventDay)) -> Vec<Problem> {
    let mut problems = Problems::default();
    let count = bridge.days.len();
    problems.expect(
        (1..=MAX_DAYS).contains(&count),
        "days",
        texts::days(MAX_DAYS, count),
    );
    let mut names = BTreeSet::new();
    for (index, day) in bridge.days.iter().enumerate() {
        let path = |name: &str| format!("days.{index}.{name}");
        let before = index.checked_sub(1).map(|before| &bridge.days[before]);
        check_day(day, before, season, &path, &mut problems);
        problems.expect(
            names.insert(day.event_type.as_str()),
            path("event_type"),
            texts::event_type_twice(quoted(&day.event_type)),
        );
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let numbered = texts::number(number, day.number);
        problems.expect(day.number == number, path("day"), numbered);
    }
    let keys = i64::try_from(count).unwrap_or(i64::MAX);
    problems.expect(
        (1..=keys).contains(&bridge.keys_required),
        "keys_required",
        texts::keys_required(keys, bridge.keys_required),
    );
    if let Some(last) = bridge.days.last() {
        let settle_on = bridge.settle_on;
        let text = texts::settles_after(last.day.to_string(), settle_on.to_string());
        problems.expect(last.day < settle_on, "settle_on", text);
    }
    problems.into_vec()
}

/// What is wrong with one day, but for its number and what it has of others.
fn check_day(
    day: &BridgeDay,
    before: Option<&BridgeDay>,
    season: (EventDay, EventDay),
    path: &dyn Fn(&str) -> String,
    problems: &mut Problems,
) {
    if let Some(before) = before.map(|before| before.day) {
        let text = texts::date_order(before.to_string(), day.day.to_string());
        problems.expect(before < day.day, path("date"), text);
    }
    let (first, last) = season;
    problems.expect(
        (first..=last).contains(&day.day),
        path("date"),
        texts::date_outside(first.to_string(), last.to_string(), day.day.to_string()),
    );
    let name = &day.event_type;
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    problems.expect(
        (1..=32).contains(&name.len()) && name.bytes().all(is_plain) && name != INTERNAL_WIN_PERIOD,
        path("event_type"),
        texts::event_type(INTERNAL_WIN_PERIOD, quoted(name)),
    );
    problems.expect(
        (0..=Reward::MAX_AMOUNT).contains(&day.points),
        path("points"),
        field::between(0, Reward::MAX_AMOUNT, day.points),
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn day(day: u32) -> EventDay {
        EventDay::from_ymd(2025, 12, day).unwrap()
    }

    fn bridge(days: usize) -> NewBridge {
        let bridge_day = |number: i64| BridgeDay {
            number,
            day: day(24).plus_days(u32::try_from(number).unwrap()),
            event_type: format!("KEY_DAY_{number}"),
            mission: Mission::Stamp,
            points: 5_000,
        };
        NewBridge {
            season_id: SeasonId(1),
            days: (1..).take(days).map(bridge_day).collect(),
            keys_required: i64::try_from(days).unwrap(),
            settle_on: day(31).next(),
            auto_settle: true,
        }
    }

    fn fields(bridge: &NewBridge) -> Vec<String> {
        let problems = check(bridge, (day(25), day(31)));
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn a_bridge_has_one_to_seven_days_in_its_season() {
        assert_eq!(fields(&bridge(7)), Vec::<&str>::new());
        assert_eq!(fields(&bridge(0)), ["days", "keys_required"]);
        let eight = bridge(8);
        assert_eq!(fields(&eight), ["days", "days.7.date", "settle_on"]);
    }

    #[test]
    fn a_bad_bridge_is_told_field_by_field() {
        let mut wrong = bridge(7);
        wrong.days[2].points = -1;
        wrong.days[3].event_type = "KEY_DAY_1".to_owned();
        wrong.days[4].number = 9;
        wrong.keys_required = 8;
        wrong.settle_on = day(31);
        assert_eq!(
            fields(&wrong),
            [
                "days.2.points",
                "days.3.event_type",
                "days.4.day",
                "keys_required",
                "settle_on"
            ]
        );
        let mut outside = bridge(1);
        outside.days[0].day = day(24);
        assert_eq!(fields(&outside), ["days.0.date"]);
        let mut lower = bridge(1);
        lower.days[0].event_type = "key day 1".to_owned();
        assert_eq!(fields(&lower), ["days.0.event_type"]);
    }

    fn event(kind: EventKind, feature: Option<Feature>) -> Event {
        Event {
            kind,
            feature,
            meta: json!({}),
        }
    }

    #[test]
    fn each_mission_is_fulfilled_by_its_own_action() {
        use Fulfilment::{Nothing, Part, Whole};
        let play = |game| event(EventKind::Play, Some(game));
        let events = [
            play(Feature::Roulette),
            play(Feature::Dice),
            play(Feature::Lottery),
            event(EventKind::EnterPage, Some(Feature::Ranking)),
            event(EventKind::SeasonPassStamp, Some(Feature::SeasonPass)),
            event(EventKind::AuthLogin, None),
        ];
        let expected = [
            (
                Mission::PlayRoulette,
                [Whole, Nothing, Nothing, Nothing, Nothing, Nothing],
            ),
            (
                Mission::PlayDice,
                [Nothing, Whole, Nothing, Nothing, Nothing, Nothing],
            ),
            (
                Mission::PlayLottery,
                [Nothing, Nothing, Whole, Nothing, Nothing, Nothing],
            ),
            (
                Mission::ViewRanking,
                [Nothing, Nothing, Nothing, Whole, Nothing, Nothing],
            ),
            (
                Mission::Stamp,
                [Nothing, Nothing, Nothing, Nothing, Whole, Nothing],
            ),
            (
                Mission::PlayAllGames,
                [
                    Part(Feature::Roulette),
                    Part(Feature::Dice),
                    Part(Feature::Lottery),
                    Nothing,
                    Nothing,
                    Nothing,
                ],
            ),
            (Mission::Login, [Whole, Whole, Whole, Whole, Whole, Whole]),
        ];
        for (mission, fulfilments) in expected {
            assert_eq!(
                events.each_ref().map(|event| fulfilment(mission, event)),
                fulfilments
            );
        }
        let page = event(EventKind::EnterPage, Some(Feature::Roulette));
        assert_eq!(fulfilment(Mission::ViewRanking, &page), Nothing);
        assert_eq!(fulfilment(Mission::Login, &page), Whole);
        let claim = event(EventKind::SeasonPassClaim, Some(Feature::SeasonPass));
        assert_eq!(fulfilment(Mission::Login, &claim), Nothing);
    }

    #[test]
    fn the_settlement_begins_ten_minutes_into_its_day_and_is_checked_the_evening_before() {
        let kst = |instant: DateTime<Utc>| (instant + TimeDelta::hours(9)).to_rfc3339();
        let new_year = day(31).next();
        assert_eq!(kst(settles_at(new_year)), "2026-01-01T00:10:00+00:00");
        assert_eq!(kst(prechecks_at(new_year)), "2025-12-31T23:00:00+00:00");
    }

    #[test]
    fn the_bounds_of_a_bridge_are_inclusive() {
        type Set = fn(&mut NewBridge, i64);
        let numbers: [(&str, Set, i64, i64); 2] = [
            (
                "days.6.points",
                |bridge, number| bridge.days[6].points = number,
                0,
                1_000_000_000,
            ),
            (
                "keys_required",
                |bridge, number| bridge.keys_required = number,
                1,
                7,
            ),
        ];
        for (field, set, least, most) in numbers {
            for (number, fits) in [
                (least - 1, false),
                (least, true),
                (most, true),
                (most + 1, false),
            ] {
                let mut bridge = bridge(7);
                set(&mut bridge, number);
                let expected: &[&str] = if fits { &[] } else { &[field] };
                assert_eq!(fields(&bridge), expected, "{field} {number}");
            }
        }
    }

    #[test]
    fn the_name_of_a_key_is_short_plain_and_not_the_season_s_own() {
        for (name, fits) in [
            ("A", true),
            ("_", true),
            ("7", true),
            ("KEY_DAY_1_ROULETTE", true),
            (&"K".repeat(32), true),
            (&"K".repeat(33), false),
            ("", false),
            ("key", false),
            ("KEY-1", false),
            ("KEY 1", false),
            ("열쇠", false),
            (INTERNAL_WIN_PERIOD, false),
        ] {
            let mut bridge = bridge(1);
            name.clone_into(&mut bridge.days[0].event_type);
            let expected: &[&str] = if fits { &[] } else { &["days.0.event_type"] };
            assert_eq!(fields(&bridge), expected, "{name:?}");
        }
    }

    #[test]
    fn the_dates_rise_from_the_season_s_first_to_its_last_day() {
        let told = |dates: &[u32]| {
            let mut bridge = bridge(dates.len());
            for (bridge_day, date) in bridge.days.iter_mut().zip(dates) {
                bridge_day.day = day(*date);
            }
            fields(&bridge)
        };
        assert_eq!(told(&[25, 31]), [""; 0]);
        for (bad, which) in [([24, 31], 0), ([26, 26], 1), ([27, 26], 1)] {
            assert_eq!(told(&bad), [format!("days.{which}.date")], "{bad:?}");
        }
        let mut late = bridge(7);
        late.days[6].day = day(31).next();
        late.settle_on = day(31).plus_days(2);
        assert_eq!(fields(&late), ["days.6.date"]);
    }

    #[test]
    fn the_settlement_is_due_after_the_last_day() {
        for (settle_on, fits) in [(day(31), false), (day(31).next(), true)] {
            let bridge = NewBridge {
                settle_on,
                ..bridge(7)
            };
            assert_eq!(fields(&bridge).is_empty(), fits, "{settle_on}");
        }
        assert_eq!(usual_settle_on(day(31)), day(31).next());
    }

    #[test]
    fn a_payment_is_named_after_its_bridge_and_its_player() {
        assert_eq!(grant_key(BridgeId(3), UserId(42)), "bridge:3:user:42");
        assert_eq!(grant_prefix(BridgeId(3)), "bridge:3:user:");
    }

    fn day_edit(number: i64) -> DayEdit {
        DayEdit {
            number,
            day: None,
            event_type: None,
            mission: None,
            points: None,
        }
    }

    fn with_days(days: &[DayEdit]) -> BridgeEdit {
        BridgeEdit {
            days: Some(days.to_vec()),
            ..BridgeEdit::default()
        }
    }

    #[test]
    fn a_new_bridge_asks_for_every_key_and_pays_by_itself_the_day_after() {
        let whole = |number: i64, date| DayEdit {
            day: Some(day(date)),
            event_type: Some(format!("KEY_{number}")),
            mission: Some(Mission::PlayDice),
            points: Some(100),
            ..day_edit(number)
        };
        let edit = with_days(&[whole(1, 25), whole(2, 27)]);
        let (bridge, problems) = edited(None, SeasonId(9), &edit);
        let bridge_day = |number, date| BridgeDay {
            number,
            day: day(date),
            event_type: format!("KEY_{number}"),
            mission: Mission::PlayDice,
            points: 100,
        };
        let usual = NewBridge {
            season_id: SeasonId(9),
            days: vec![bridge_day(1, 25), bridge_day(2, 27)],
            keys_required: 2,
            settle_on: day(28),
            auto_settle: true,
        };
        assert_eq!((bridge, problems), (usual, vec![]));
        let (bare, problems) = edited(None, SeasonId(9), &with_days(&[day_edit(1)]));
        let told: Vec<String> = problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(
            told,
            [
                "days.0.date",
                "days.0.event_type",
                "days.0.mission",
                "days.0.points"
            ]
        );
        assert_eq!(bare.days.len(), 1);
    }

    #[test]
    fn a_day_keeps_what_an_edit_leaves_out_and_is_found_by_its_number() {
        let before = NewBridge {
            keys_required: 5,
            auto_settle: false,
            ..bridge(7)
        };
        let unchanged = edited(Some(&before), SeasonId(1), &BridgeEdit::default());
        assert_eq!(unchanged, (before.clone(), vec![]));
        let edit = with_days(&[
            day_edit(3),
            DayEdit {
                day: Some(day(30)),
                event_type: Some("OTHER".to_owned()),
                mission: Some(Mission::Login),
                points: Some(1),
                ..day_edit(2)
            },
        ]);
        let (after, problems) = edited(Some(&before), SeasonId(1), &edit);
        assert_eq!(problems, []);
        let changed = BridgeDay {
            number: 2,
            day: day(30),
            event_type: "OTHER".to_owned(),
            mission: Mission::Login,
            points: 1,
        };
        assert_eq!(after.days, [before.days[2].clone(), changed]);
        // What is said of the whole stays, even where other days would make it other.
        let kept = (after.keys_required, after.settle_on, after.auto_settle);
        assert_eq!(kept, (5, before.settle_on, false));
        let edit = BridgeEdit {
            keys_required: Some(6),
            settle_on: Some(day(31).plus_days(3)),
            auto_settle: Some(true),
            ..BridgeEdit::default()
        };
        let (after, _) = edited(Some(&before), SeasonId(2), &edit);
        let changed = NewBridge {
            season_id: SeasonId(2),
            keys_required: 6,
            settle_on: day(31).plus_days(3),
            auto_settle: true,
            ..before
        };
        assert_eq!(after, changed);
    }

    #[test]
    fn actions_of_a_day_are_under_way_until_ten_minutes_after_its_end() {
        let instant = TimeDelta::microseconds(1);
        let (start, over) = (day(26).start(), day(27).start() + TimeDelta::minutes(10));
        for (now, runs) in [
            (start - instant, false),
            (start, true),
            (day(27).start(), true),
            (over - instant, true),
            (over, false),
        ] {
            assert_eq!(is_running(day(26), now), runs, "{now}");
        }
    }

    #[test]
    fn a_day_is_touched_if_it_is_changed_or_left_out() {
        let before = bridge(3);
        let numbers = |after: &NewBridge| -> Vec<i64> {
            touched(&before, after).map(|day| day.number).collect()
        };
        assert_eq!(numbers(&before), [0; 0]);
        assert_eq!(numbers(&bridge(4)), [0; 0]);
        let mut after = bridge(2);
        after.days[0].points += 1;
        assert_eq!(numbers(&after), [1, 3]);
    }

    #[test]
    fn a_mission_asks_for_the_action_as_well_as_for_the_feature() {
        let page = |feature| event(EventKind::EnterPage, Some(feature));
        for (mission, feature) in [
            (Mission::PlayRoulette, Feature::Roulette),
            (Mission::PlayDice, Feature::Dice),
            (Mission::PlayLottery, Feature::Lottery),
            (Mission::PlayAllGames, Feature::Roulette),
        ] {
            let fulfilled = fulfilment(mission, &page(feature));
            assert_eq!(fulfilled, Fulfilment::Nothing, "{mission}");
        }
        let elsewhere = event(EventKind::Play, Some(Feature::Ranking));
        assert_eq!(
            fulfilment(Mission::ViewRanking, &elsewhere),
            Fulfilment::Nothing
        );
    }

    proptest! {
        #[test]
        fn a_day_is_open_on_its_date_only(today in 20u32..31, collected in prop::collection::btree_set(1i64..8, 0..8)) {
            let keys: BTreeSet<String> = collected.iter().map(|number| format!("KEY_DAY_{number}")).collect();
            let slots = slots(&bridge(7).days, &keys, day(today));
            prop_assert_eq!(slots.len(), 7);
            for slot in slots {
                let state = match slot.day.day.cmp(&day(today)) {
                    _ if collected.contains(&slot.day.number) => SlotState::Collected,
                    std::cmp::Ordering::Less => SlotState::Missed,
                    std::cmp::Ordering::Equal => SlotState::Open,
                    std::cmp::Ordering::Greater => SlotState::Upcoming,
                };
                prop_assert_eq!(slot.state, state);
            }
        }
    }
}
