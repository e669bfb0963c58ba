//! What operators may enter on the boards.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    hash::Hash,
    ops::RangeInclusive,
};

use xmas_kernel::{
    ErrorCode, MAX_NUMBER, Problem, Problems, UserId,
    text::{self, Kept, Lines},
};

use xmas_players::{GivenId, PlayerRef};
use xmas_texts::{Param, field, game as texts, player, quoted};

use super::{DayRowEdit, ExternalRowEdit, NewExternalEntry, NewRankingEntry};

/// How many rows one upload may have: all of them are written in one transaction, and others wait for it.
pub const MAX_ROWS: usize = 10_000;
/// How long a note about a player may be.
pub const MEMO_CHARACTERS: RangeInclusive<usize> = 0..=255;

/// Whether an upload has as many rows as it may; asked before anybody is looked for.
pub(super) fn check_count(rows: usize) -> Result<(), Vec<Problem>> {
    let mut problems = Problems::default();
    let fits = (1..=MAX_ROWS).contains(&rows);
    problems.expect(fits, "rows", texts::board_rows(MAX_ROWS, rows));
    finish((), problems)
}

/// The players that an upload may mean.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) ids: HashSet<UserId>,
    pub(super) by_external_id: HashMap<GivenId, UserId>,
    /// Names and memos that stand where the upload goes.
    pub(super) texts: HashSet<String>,
}

impl Known {
    fn kept(&self) -> Kept<'_> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// Whom row `index` names, if anybody; or what is wrong with it.
    fn player(&self, index: usize, named: &PlayerRef) -> Result<Option<UserId>, Problem> {
        let unknown = |name: &str, who: Param| {
            let path = format!("{index}.{name}");
            Problem::coded(ErrorCode::UserNotFound, path, player::unknown(who))
        };
        let by_external_id = match &named.external_id {
            Some(given) => {
                let found = self.by_external_id.get(given);
                Some(*found.ok_or_else(|| unknown("external_id", quoted(given.as_str())))?)
            }
            None => None,
        };
        match (named.user_id, by_external_id) {
            (Some(id), _) if !self.ids.contains(&id) => {
                Err(unknown("user_id", id.to_string().into()))
            }
            (Some(id), Some(other)) if id != other => Err(Problem::new(
                format!("{index}.external_id"),
                player::names_differ(),
            )),
            (by_id, by_external_id) => Ok(by_id.or(by_external_id)),
        }
    }
}

/// The places of a day's board, or what is wrong with them.
pub(super) fn day(
    rows: &[DayRowEdit],
    known: &Known,
) -> Result<Vec<NewRankingEntry>, Vec<Problem>> {
    let mut problems = Problems::default();
    let kept = known.kept();
    let (mut places, mut players) = (HashSet::new(), HashSet::new());
    let mut entries = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let path = |name: &str| format!("{index}.{name}");
        let user_id = match known.player(index, &row.player) {
            Ok(user_id) => user_id,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        problems.expect(
            (1..=MAX_NUMBER).contains(&row.rank),
            path("rank"),
            field::between(1, MAX_NUMBER, row.rank),
        );
        once(&mut places, row.rank, path("rank"), &mut problems);
        if let Some(user_id) = user_id {
            once(&mut players, user_id, path("user_id"), &mut problems);
        }
        // A player has a name already.
        let name = kept_or_nfc(&row.display_name, &kept);
        if user_id.is_none() || !name.is_empty() {
            kept.expect_label(&name, path("display_name"), &mut problems);
        }
        problems.expect(
            (-MAX_NUMBER..=MAX_NUMBER).contains(&row.score),
            path("score"),
            texts::score(MAX_NUMBER, row.score),
        );
        entries.push(NewRankingEntry {
            place: row.rank,
            user_id,
            display_name: name,
            score: row.score,
        });
    }
    finish(entries, problems)
}

/// The rows of an upload to the external board, or what is wrong with them.
pub(super) fn external(
    rows: &[ExternalRowEdit],
    known: &Known,
) -> Result<Vec<NewExternalEntry>, Vec<Problem>> {
    let mut problems = Problems::default();
    let kept = known.kept();
    let mut players = HashSet::new();
    let mut entries = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let path = |name: &str| format!("{index}.{name}");
        let user_id = match known.player(index, &row.player) {
            Ok(Some(user_id)) => user_id,
            Ok(None) => {
                let text = player::unnamed();
                let problem = Problem::coded(ErrorCode::UserRequired, path("user_id"), text);
                problems.push(problem);
                continue;
            }
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        once(&mut players, user_id, path("user_id"), &mut problems);
        let entry = NewExternalEntry {
            user_id,
            deposit_amount: row.deposit_amount,
            play_count: row.play_count,
            memo: row
                .memo
                .as_ref()
                .map(|memo| memo_text(memo.as_deref(), &kept)),
            seen: row.seen.clone(),
        };
        check_external(&entry, &kept, &format!("{index}."), &mut problems);
        entries.push(entry);
    }
    finish(entries, problems)
}

/// What is wrong with what is said of one player; `prefix` goes before the names of the fields.
pub(super) fn check_external(
    entry: &NewExternalEntry,
    kept: &Kept<'_>,
    prefix: &str,
    problems: &mut Problems,
) {
    for (name, number) in [
        ("deposit_amount", entry.deposit_amount),
        ("play_count", entry.play_count),
    ] {
        let fits = (0..=MAX_NUMBER).contains(&number);
        let text = field::between(0, MAX_NUMBER, number);
        problems.expect(fits, format!("{prefix}{name}"), text);
    }
    let memo = entry.memo.iter().flatten().next();
    if let Some(memo) = memo.filter(|memo| !kept.has(memo)) {
        let fit = text::check(memo, MEMO_CHARACTERS, Lines::Several);
        problems.expect_fit(fit, format!("{prefix}memo"));
    }
}

/// A memo that is to be saved. Forms send an empty one for none.
pub(super) fn memo_text(memo: Option<&str>, kept: &Kept<'_>) -> Option<String> {
    let memo = memo.filter(|memo| !memo.trim().is_empty())?;
    Some(kept_or_nfc(memo, kept))
}

/// A text as it stands already, or else in NFC.
fn kept_or_nfc(text: &str, kept: &Kept<'_>) -> String {
    if kept.has(text) {
        text.to_owned()
    } else {
        text::nfc(text).into_owned()
    }
}

/// Notes that a place or a player is there twice.
fn once<T: Copy + Eq + Hash + Display>(
    seen: &mut HashSet<T>,
    what: T,
    field: String,
    problems: &mut Problems,
) {
    if !seen.insert(what) {
        let text = texts::place_twice(what.to_string());
        problems.push(Problem::coded(ErrorCode::RankingConflict, field, text));
    }
}

fn finish<T>(outcome: T, problems: Problems) -> Result<T, Vec<Problem>> {
    let problems = problems.into_vec();
    if problems.is_empty() {
        Ok(outcome)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known_players() -> Known {
        Known {
            ids: [UserId(1), UserId(2)].into(),
            by_external_id: [
                (GivenId::any("산타"), UserId(1)),
                (GivenId::any("elf"), UserId(2)),
            ]
            .into(),
            texts: HashSet::new(),
        }
    }

    fn named(user_id: Option<i64>, external_id: Option<&str>) -> PlayerRef {
        PlayerRef {
            user_id: user_id.map(UserId),
            external_id: external_id.map(|text| GivenId::try_from(text).unwrap()),
        }
    }

    fn place(rank: i64, player: PlayerRef, name: &str) -> DayRowEdit {
        DayRowEdit {
            rank,
            player,
            display_name: name.to_owned(),
            score: 0,
        }
    }

    fn problems_of(problems: Vec<Problem>) -> Vec<(String, ErrorCode)> {
        let found = problems
            .into_iter()
            .map(|problem| (problem.field, problem.code));
        found.collect()
    }

    #[test]
    fn a_row_names_its_player_by_either_id() {
        let rows = [
            place(1, named(Some(1), Some(" 산타 ")), ""),
            place(2, named(None, Some("elf")), "요정"),
            place(3, named(None, None), "손님"),
        ];
        let entries = day(&rows, &known_players()).unwrap();
        let players: Vec<_> = entries.iter().map(|entry| entry.user_id).collect();
        assert_eq!(players, [Some(UserId(1)), Some(UserId(2)), None]);
        use ErrorCode::{RankingConflict, UserNotFound, ValidationError};
        for (row, field, code) in [
            (
                place(9, named(Some(7), None), ""),
                "3.user_id",
                UserNotFound,
            ),
            (
                place(9, named(None, Some("none")), ""),
                "3.external_id",
                UserNotFound,
            ),
            (
                place(9, named(Some(1), Some("elf")), ""),
                "3.external_id",
                ValidationError,
            ),
            (
                place(9, named(Some(1), None), ""),
                "3.user_id",
                RankingConflict,
            ),
            (place(2, named(None, None), "또"), "3.rank", RankingConflict),
            (place(0, named(None, None), "또"), "3.rank", ValidationError),
            (
                place(i64::MAX, named(None, None), "또"),
                "3.rank",
                ValidationError,
            ),
            (
                place(9, named(None, None), ""),
                "3.display_name",
                ValidationError,
            ),
            (
                place(9, named(None, None), &"가".repeat(101)),
                "3.display_name",
                ValidationError,
            ),
        ] {
            let mut all = rows.to_vec();
            all.push(row);
            let found = problems_of(day(&all, &known_players()).unwrap_err());
            assert_eq!(found, [(field.to_owned(), code)]);
        }
        assert_eq!(problems_of(check_count(0).unwrap_err())[0].0, "rows");
        assert_eq!(check_count(MAX_ROWS), Ok(()));
        assert!(check_count(MAX_ROWS + 1).is_err());
    }

    #[test]
    fn an_upload_names_a_player_in_each_row_and_nobody_twice() {
        let row = |player, deposit_amount, memo: Option<&str>| ExternalRowEdit {
            player,
            deposit_amount,
            play_count: 0,
            memo: memo.map(|memo| Some(memo.to_owned())),
            seen: None,
        };
        let rows = [
            row(named(Some(1), None), MAX_NUMBER, Some("줄\n바꿈")),
            row(named(None, Some("elf")), 0, Some("")),
        ];
        let entries = external(&rows, &known_players()).unwrap();
        assert_eq!(entries[0].memo, Some(Some("줄\n바꿈".to_owned())));
        assert_eq!(entries[1].memo, Some(None));
        let bad = [
            row(named(None, None), 0, None),
            row(named(None, Some("rudolf")), 0, None),
            row(named(Some(1), None), -1, None),
            row(named(None, Some("산타")), MAX_NUMBER + 1, None),
            row(named(Some(2), None), 0, Some("\0")),
        ];
        let found = problems_of(external(&bad, &known_players()).unwrap_err());
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        let expected = [
            "0.user_id",
            "1.external_id",
            "2.deposit_amount",
            "3.user_id",
            "3.deposit_amount",
            "4.memo",
        ];
        assert_eq!(fields, expected);
        assert_eq!(found[0].1, ErrorCode::UserRequired);
        assert_eq!(found[3].1, ErrorCode::RankingConflict);
    }

    #[test]
    fn the_largest_numbers_are_taken_on_both_boards() {
        let with_score = |score| DayRowEdit {
            score,
            ..place(1, named(None, None), "손님")
        };
        for (score, fits) in [
            (-MAX_NUMBER - 1, false),
            (-MAX_NUMBER, true),
            (MAX_NUMBER, true),
            (MAX_NUMBER + 1, false),
        ] {
            let outcome = day(&[with_score(score)], &known_players());
            assert_eq!(outcome.is_ok(), fits, "{score}");
        }
        let last = day(
            &[place(MAX_NUMBER, named(None, None), "손님")],
            &known_players(),
        );
        assert_eq!(last.unwrap()[0].place, MAX_NUMBER);
        let row = |play_count| ExternalRowEdit {
            player: named(Some(1), None),
            deposit_amount: 0,
            play_count,
            memo: None,
            seen: None,
        };
        for (count, fits) in [
            (-1, false),
            (0, true),
            (MAX_NUMBER, true),
            (MAX_NUMBER + 1, false),
        ] {
            let outcome = external(&[row(count)], &known_players());
            assert_eq!(outcome.is_ok(), fits, "{count}");
        }
        assert_eq!(check_count(1), Ok(()));
    }

    #[test]
    fn a_name_that_stands_already_is_taken_as_it_is_and_a_new_one_in_nfc() {
        let decomposed = "\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}";
        let standing = Known {
            texts: [decomposed.to_owned(), " x".to_owned()].into(),
            ..known_players()
        };
        let name = |name: &str, known: &Known| {
            let rows = [place(1, named(None, None), name)];
            day(&rows, known).map(|entries| entries[0].display_name.clone())
        };
        assert_eq!(name(decomposed, &standing).as_deref(), Ok(decomposed));
        assert_eq!(name(decomposed, &known_players()).as_deref(), Ok("산타"));
        assert_eq!(name(" x", &standing).as_deref(), Ok(" x"));
        assert!(name(" x", &known_players()).is_err());
        // A player who has a name may be given none, but no bad one.
        let rows = [place(1, named(Some(1), None), " x")];
        assert_eq!(
            problems_of(day(&rows, &known_players()).unwrap_err())[0].0,
            "0.display_name"
        );
    }

    #[test]
    fn a_memo_has_up_to_255_characters_and_none_is_none() {
        let kept = Kept::default();
        let memo = |memo: &str| {
            let row = ExternalRowEdit {
                player: named(Some(1), None),
                deposit_amount: 0,
                play_count: 0,
                memo: Some(Some(memo.to_owned())),
                seen: None,
            };
            external(&[row], &known_players()).is_ok()
        };
        assert!(memo(&"가".repeat(255)) && !memo(&"가".repeat(256)));
        assert_eq!(memo_text(None, &kept), None);
        assert_eq!(memo_text(Some(" \n"), &kept), None);
        assert_eq!(
            memo_text(Some("e\u{301}"), &kept).as_deref(),
            Some("\u{e9}")
        );
        let old = ["e\u{301}"].into_iter().collect();
        assert_eq!(
            memo_text(Some("e\u{301}"), &old).as_deref(),
            Some("e\u{301}")
        );
    }
}
