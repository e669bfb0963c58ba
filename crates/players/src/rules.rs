//! What an operator's edit of a player means, without a database.

use serde_json::{Map, Value};
use xmas_kernel::{
    Problem, Problems, audit,
    text::{self, Unfit},
};
use xmas_texts::{Text, player as texts};

use crate::{ExternalId, Nickname, PlayerEdit, PlayerRecord, SeasonWish, Standing};

/// The most XP that an operator may give. Far above any ladder, and far from overflowing a sum.
pub(crate) const MAX_XP: i64 = 1_000_000_000;

/// Why XP cannot be corrected as wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WishError {
    NoSeason,
    Invalid(Problem),
}

/// A ladder: the XP at which a level is reached.
pub(crate) type Ladder<'a> = &'a dyn Fn(i64) -> Option<i64>;

/// The XP that a player is to have, if it is to change (docs/contract.md, "Edits"). `ladder` is that of
/// the season served today.
///
/// Clients send back the XP and the level that they loaded, and the player may have played since. So
/// what is lower than it is now is an echo, unless the wish is `exact`: made by somebody who has seen
/// what is in force. Where all three have moved and do not belong together, the form was loaded when
/// another season was served, and nothing is earned by it.
pub(crate) fn wanted_xp(
    wish: &SeasonWish,
    now: Standing,
    exact: bool,
    ladder: Option<Ladder<'_>>,
) -> Result<Option<i64>, WishError> {
    let moves = |wanted: i64, current| wanted > current || exact && wanted < current;
    let xp = wish.xp.filter(|xp| moves(*xp, now.xp));
    let levels = [("level", wish.level), ("season_level", wish.season_level)];
    let levels = levels.map(|(field, level)| (field, level.filter(|level| *level != now.level)));
    let Some(ladder) = ladder else {
        let mut levels = levels.iter().filter_map(|(_, level)| *level);
        let asks = xp.is_some() || levels.any(|level| moves(level, now.level));
        return if asks {
            Err(WishError::NoSeason)
        } else {
            Ok(None)
        };
    };
    let invalid = |field: &str, text: Text| Err(WishError::Invalid(Problem::new(field, text)));
    let mut by_level = None;
    for (field, level) in levels {
        let Some(level) = level else { continue };
        // Before the first level there is level 0.
        let required = if level == 0 { Some(0) } else { ladder(level) };
        let Some(required) = required else {
            return invalid(field, texts::no_such_level(level));
        };
        if !moves(level, now.level) {
            continue;
        }
        if by_level.is_some_and(|(_, other)| other != required) {
            return invalid(field, texts::levels_differ());
        }
        by_level = Some((field, required));
    }
    let both = wish
        .level
        .filter(|level| wish.season_level == Some(*level) && *level != now.level);
    if let (Some(xp), Some(level)) = (xp, both) {
        let reaches = ladder(level).is_none_or(|required| required <= xp);
        let passes = ladder(level + 1).is_some_and(|required| required <= xp);
        if !reaches || passes {
            return invalid("xp", texts::xp_of_another_level());
        }
    }
    let Some((field, wanted)) = xp.map(|xp| ("xp", xp)).or(by_level) else {
        return Ok(None);
    };
    if !(0..=MAX_XP).contains(&wanted) {
        return invalid(field, texts::xp_bounds(MAX_XP, wanted));
    }
    Ok((wanted != now.xp).then_some(wanted))
}

/// The names that an edit gives to an account: the id, and the nickname or that there is none.
pub(crate) type NewNames = (Option<ExternalId>, Option<Option<Nickname>>);

/// The names that an edit changes, or what is wrong with them. An id that stands is taken to the byte, so
/// that one from before the policy for text can be composed; a nickname that is the same in NFC stays.
pub(crate) fn new_names(
    before: &PlayerRecord,
    edit: &PlayerEdit,
) -> Result<NewNames, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut noted = |field: &str, unfit: Unfit| problems.expect_fit(Err(unfit), field);
    let external_id = edit.external_id.as_deref();
    let external_id = external_id.filter(|id| id.trim() != before.external_id);
    let external_id = external_id.map(ExternalId::try_from).transpose();
    let external_id =
        external_id.map(|id| id.filter(|id| id.as_str() != before.external_id.as_str()));
    let external_id = external_id.unwrap_or_else(|error| {
        noted("external_id", error.0);
        None
    });
    let is_same = |new: &&Option<String>| match (new, &before.nickname) {
        (Some(new), Some(old)) => text::tidy(new) == text::tidy(old),
        (new, old) => new.is_none() && old.is_none(),
    };
    let nickname = match edit.nickname.as_ref().filter(|new| !is_same(new)) {
        None => None,
        Some(None) => Some(None),
        Some(Some(new)) => match Nickname::try_from(new.as_str()) {
            Ok(new) => Some(Some(new)),
            Err(error) => {
                noted("nickname", error.0);
                None
            }
        },
    };
    let problems = problems.into_vec();
    if problems.is_empty() {
        Ok((external_id, nickname))
    } else {
        Err(problems)
    }
}

/// What of an account has changed: as it was and as it is. The rest is left out, so that the log of
/// operators does not keep names longer than it must.
pub(crate) fn changes(before: &PlayerRecord, after: &PlayerRecord) -> (Value, Value) {
    let fields = |record: &PlayerRecord| match audit::state(&record.editable()) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let (mut before, mut after) = (fields(before), fields(after));
    before.retain(|field, value| after.get(field) != Some(value));
    after.retain(|field, _| before.contains_key(field));
    (Value::Object(before), Value::Object(after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn required(level: i64) -> Option<i64> {
        [20, 50, 100, 180]
            .get(usize::try_from(level - 1).ok()?)
            .copied()
    }

    const NOW: Standing = Standing { xp: 60, level: 2 };

    fn wish(xp: Option<i64>, level: Option<i64>, season_level: Option<i64>) -> SeasonWish {
        SeasonWish {
            xp,
            level,
            season_level,
        }
    }

    fn loose(wish: SeasonWish) -> Result<Option<i64>, WishError> {
        wanted_xp(&wish, NOW, false, Some(&required))
    }

    fn exact(wish: SeasonWish) -> Result<Option<i64>, WishError> {
        wanted_xp(&wish, NOW, true, Some(&required))
    }

    fn field(outcome: Result<Option<i64>, WishError>) -> String {
        match outcome {
            Err(WishError::Invalid(problem)) => problem.field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_echo_changes_nothing_and_neither_does_a_stale_one() {
        for echo in [
            wish(Some(60), Some(2), Some(2)),
            wish(Some(20), Some(1), Some(1)),
            wish(Some(0), Some(0), Some(0)),
            wish(None, None, None),
        ] {
            assert_eq!(loose(echo), Ok(None), "{echo:?}");
        }
    }

    #[test]
    fn more_xp_is_a_correction_and_a_higher_level_alone_is_one_to_its_xp() {
        assert_eq!(loose(wish(Some(61), Some(2), Some(2))), Ok(Some(61)));
        // The XP goes before the level that came along.
        assert_eq!(loose(wish(Some(99), Some(4), Some(2))), Ok(Some(99)));
        assert_eq!(loose(wish(Some(60), Some(4), Some(2))), Ok(Some(180)));
        assert_eq!(loose(wish(Some(20), Some(1), Some(3))), Ok(Some(100)));
        assert_eq!(loose(wish(None, Some(3), None)), Ok(Some(100)));
    }

    #[test]
    fn the_form_of_another_season_earns_nothing_in_this_one() {
        for stale in [(99, 4), (100, 4), (180, 3), (99, 1), (61, 0)] {
            let (xp, level) = stale;
            let outcome = loose(wish(Some(xp), Some(level), Some(level)));
            assert_eq!(field(outcome), "xp", "{stale:?}");
        }
        assert_eq!(loose(wish(Some(180), Some(4), Some(4))), Ok(Some(180)));
        assert_eq!(loose(wish(Some(120), Some(3), Some(3))), Ok(Some(120)));
    }

    #[test]
    fn with_a_version_xp_is_exact_and_may_fall() {
        assert_eq!(exact(wish(Some(0), None, None)), Ok(Some(0)));
        assert_eq!(exact(wish(Some(59), Some(4), Some(2))), Ok(Some(59)));
        assert_eq!(exact(wish(Some(60), Some(1), Some(2))), Ok(Some(20)));
        assert_eq!(exact(wish(None, Some(0), None)), Ok(Some(0)));
        assert_eq!(exact(wish(Some(60), Some(2), Some(2))), Ok(None));
        assert_eq!(field(exact(wish(Some(-1), None, None))), "xp");
    }

    #[test]
    fn unknown_levels_and_two_levels_at_once_are_refused() {
        assert_eq!(field(loose(wish(None, Some(5), None))), "level");
        assert_eq!(
            field(loose(wish(Some(99), None, Some(i64::MAX)))),
            "season_level"
        );
        assert_eq!(field(loose(wish(None, Some(-1), None))), "level");
        assert_eq!(field(loose(wish(None, Some(3), Some(4)))), "season_level");
        assert_eq!(field(loose(wish(Some(MAX_XP + 1), None, None))), "xp");
        assert_eq!(field(loose(wish(Some(i64::MAX), None, None))), "xp");
    }

    #[test]
    fn without_a_season_an_echo_needs_none_and_a_correction_does() {
        let nothing = Standing::default();
        let homeless = |wish, exact| wanted_xp(&wish, nothing, exact, None);
        assert_eq!(homeless(wish(Some(0), Some(0), Some(0)), false), Ok(None));
        assert_eq!(homeless(wish(Some(0), Some(0), Some(0)), true), Ok(None));
        for asks in [wish(Some(1), None, None), wish(None, Some(1), None)] {
            assert_eq!(homeless(asks, false), Err(WishError::NoSeason));
        }
    }

    #[test]
    fn a_level_below_is_no_wish_beside_one_above() {
        // The level of the form is stale, the other name of it is wished for.
        assert_eq!(loose(wish(None, Some(1), Some(3))), Ok(Some(100)));
        assert_eq!(exact(wish(None, Some(3), Some(3))), Ok(Some(100)));
    }

    #[test]
    fn an_operator_gives_up_to_a_billion_xp() {
        assert_eq!(loose(wish(Some(MAX_XP), None, None)), Ok(Some(MAX_XP)));
        assert_eq!(field(loose(wish(Some(MAX_XP + 1), None, None))), "xp");
    }

    fn record() -> PlayerRecord {
        let at = chrono::DateTime::UNIX_EPOCH;
        PlayerRecord {
            user_id: xmas_kernel::UserId(7),
            external_id: "santa-01".to_owned(),
            nickname: Some("산타".to_owned()),
            role: crate::Role::Player,
            status: crate::Status::Active,
            account_level: 1,
            standing: NOW,
            created_at: at,
            updated_at: at,
            last_login_at: None,
        }
    }

    fn named(external_id: Option<&str>, nickname: Option<Option<&str>>) -> PlayerEdit {
        PlayerEdit {
            external_id: external_id.map(str::to_owned),
            nickname: nickname.map(|name| name.map(str::to_owned)),
            ..PlayerEdit::default()
        }
    }

    fn names(edit: &PlayerEdit) -> (Option<String>, Option<Option<String>>) {
        let (external_id, nickname) = new_names(&record(), edit).unwrap();
        let nickname = nickname.map(|name| name.map(|name| name.as_str().to_owned()));
        (external_id.map(|id| id.as_str().to_owned()), nickname)
    }

    #[test]
    fn names_that_come_back_as_they_were_loaded_are_not_new() {
        assert_eq!(names(&named(None, None)), (None, None));
        let echo = named(Some("santa-01"), Some(Some("산타")));
        assert_eq!(names(&echo), (None, None));
        let spaced = named(Some(" santa-01 "), Some(Some(" 산타 ")));
        assert_eq!(names(&spaced), (None, None));
        // The same nickname in decomposed form.
        let decomposed = named(None, Some(Some("\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}")));
        assert_eq!(names(&decomposed), (None, None));
        let nobody = PlayerRecord {
            nickname: None,
            ..record()
        };
        let (_, nickname) = new_names(&nobody, &named(None, Some(None))).unwrap();
        assert!(nickname.is_none());
        let (_, nickname) = new_names(&nobody, &named(None, Some(Some("산타")))).unwrap();
        assert!(matches!(nickname, Some(Some(_))));
    }

    #[test]
    fn a_new_name_replaces_the_old_one_and_a_nickname_can_be_taken_away() {
        let both = named(Some("rudolf"), Some(Some("루돌프")));
        let expected = (Some("rudolf".to_owned()), Some(Some("루돌프".to_owned())));
        assert_eq!(names(&both), expected);
        assert_eq!(names(&named(None, Some(None))), (None, Some(None)));
    }

    #[test]
    fn an_id_from_before_the_rules_can_be_composed() {
        let old = PlayerRecord {
            external_id: "e\u{301}lan".to_owned(),
            ..record()
        };
        let (same, _) = new_names(&old, &named(Some("e\u{301}lan"), None)).unwrap();
        assert!(same.is_none());
        let (composed, _) = new_names(&old, &named(Some("\u{e9}lan"), None)).unwrap();
        assert_eq!(
            composed.map(|id| id.as_str().to_owned()).as_deref(),
            Some("\u{e9}lan")
        );
    }

    #[test]
    fn everything_that_is_wrong_with_new_names_is_named() {
        let problems = new_names(&record(), &named(Some("a\0b"), Some(Some("\n")))).unwrap_err();
        let fields: Vec<String> = problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["external_id", "nickname"]);
        assert!(new_names(&record(), &named(Some("rudolf"), Some(Some("\n")))).is_err());
    }

    #[test]
    fn the_log_keeps_what_has_changed_and_nothing_else() {
        let before = record();
        let after = PlayerRecord {
            nickname: None,
            standing: Standing { xp: 61, level: 2 },
            ..record()
        };
        let (was, is) = changes(&before, &after);
        assert_eq!(was, serde_json::json!({ "nickname": "산타", "xp": 60 }));
        assert_eq!(is, serde_json::json!({ "nickname": null, "xp": 61 }));
        let nothing = serde_json::json!({});
        assert_eq!(changes(&before, &before), (nothing.clone(), nothing));
    }

    proptest! {
        #[test]
        fn without_a_version_nothing_ever_falls(
            xp in prop::option::of(-10i64..300),
            level in prop::option::of(-1i64..6),
            season_level in prop::option::of(-1i64..6),
        ) {
            if let Ok(Some(wanted)) = loose(wish(xp, level, season_level)) {
                prop_assert!(wanted > NOW.xp);
            }
        }
    }
}
