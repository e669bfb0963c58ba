//! What the lines of an import mean, without a database.

use std::collections::HashMap;

use xmas_kernel::{
    Problem, Problems, UserId,
    text::{self, Unfit},
};
use xmas_texts::{field, player as texts};

use super::model::{
    CHANGES, ImportAction, ImportLine, ImportReport, ImportRow, NewPassword, Wanted,
};
use crate::{ExternalId, GivenId, NO_PASSWORD, Nickname, OLD_HASH_PREFIX, Password, Role, Status};

/// How many clear passwords one import may bring: each takes as long as a login.
pub(crate) const MAX_CLEAR_PASSWORDS: usize = 1_000;

/// A line after it was read: what it wants, or what is wrong with it.
pub(crate) type Read = Result<Wanted, Vec<Problem>>;

/// Reads every line by itself, and looks for players who are in the file twice.
pub(crate) fn read_rows(rows: &[ImportRow]) -> Vec<Read> {
    let mut reads: Vec<Read> = rows.iter().map(read_row).collect();
    let ids = rows
        .iter()
        .map(|row| row.external_id.as_deref().map(text::tidy));
    let ids: Vec<Option<String>> = ids.collect();
    let mut places: HashMap<&str, Vec<u64>> = HashMap::new();
    for (row, id) in rows.iter().zip(&ids) {
        places
            .entry(id.as_deref().unwrap_or_default())
            .or_default()
            .push(row.line);
    }
    for (id, read) in ids.iter().zip(&mut reads) {
        let Some(lines) = id.as_deref().and_then(|id| places.get(id)) else {
            continue;
        };
        let text = match lines.as_slice() {
            [_] | [] => continue,
            [first, second] => texts::on_two_lines(first.to_string(), second.to_string()),
            [first, second, more @ ..] => {
                texts::on_many_lines(first.to_string(), second.to_string(), more.len())
            }
        };
        let problem = Problem::new("external_id", text);
        match read {
            Ok(_) => *read = Err(vec![problem]),
            Err(problems) => problems.push(problem),
        }
    }
    reads
}

fn read_row(row: &ImportRow) -> Read {
    let mut problems = Vec::new();
    let external_id = GivenId::try_from(row.external_id.as_deref().unwrap_or_default());
    let external_id = external_id.map_err(|error| {
        problems.push(Problem::new("external_id", error));
    });
    let status = row.status.as_deref().map(str::parse::<Status>).transpose();
    let status = status.map_err(|unknown| problems.push(Problem::new("status", unknown)));
    let password = match (&row.password, &row.password_sha256) {
        (Some(_), Some(_)) => Err(Problem::new(
            "password_sha256",
            field::not_together_with("password"),
        )),
        (Some(clear), None) => match Password::try_from(clear.as_str()) {
            Ok(clear) => Ok(Some(NewPassword::Clear(clear))),
            Err(unfit) => Err(Problem::new("password", unfit)),
        },
        (None, Some(digits)) if is_sha256(digits) => {
            let hash = format!("{OLD_HASH_PREFIX}{}", digits.to_ascii_lowercase());
            Ok(Some(NewPassword::Hash(hash)))
        }
        (None, Some(_)) => Err(Problem::new("password_sha256", texts::sha256())),
        (None, None) => Ok(None),
    };
    let password = password.map_err(|problem| problems.push(problem));
    match (external_id, status, password) {
        (Ok(external_id), Ok(status), Ok(password)) => Ok(Wanted {
            external_id,
            nickname: row.nickname.as_deref().map(text::tidy),
            password,
            status,
        }),
        _ => {
            if let Some(nickname) = &row.nickname {
                let unfit = fit(nickname).err();
                problems.extend(unfit.map(|unfit| Problem::new("nickname", unfit)));
            }
            Err(problems)
        }
    }
}

fn is_sha256(digits: &str) -> bool {
    digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// What is wrong with the file as a whole.
pub(crate) fn check_file(rows: &[ImportRow]) -> Vec<Problem> {
    let clear = rows.iter().filter(|row| row.password.is_some()).count();
    if clear <= MAX_CLEAR_PASSWORDS {
        return Vec::new();
    }
    let text = texts::clear_passwords(MAX_CLEAR_PASSWORDS, clear);
    vec![Problem::new("csv", text)]
}

/// A player whom the file names.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub(crate) user_id: UserId,
    pub(crate) nickname: Option<String>,
    pub(crate) password_hash: String,
    pub(crate) status: Status,
    pub(crate) role: Role,
    pub(crate) is_anonymised: bool,
}

/// What is to be done about one line.
#[derive(Clone, Debug)]
pub(crate) enum Step<'a> {
    Create(&'a Wanted),
    /// What is `None` stays.
    Change(Changed<'a>),
    /// The player is INACTIVE and stays so, if one is named.
    Nothing(Option<UserId>),
    Refuse(Vec<Problem>),
}

#[derive(Clone, Debug)]
pub(crate) struct Changed<'a> {
    pub(crate) user_id: UserId,
    pub(crate) nickname: Option<&'a str>,
    pub(crate) status: Option<Status>,
    pub(crate) password: Option<&'a NewPassword>,
    /// Whether the player is INACTIVE and stays so.
    pub(crate) stays_deleted: bool,
}

/// What is to be done about every line, given the players who are there.
pub(crate) fn plan<'a>(reads: &'a [Read], existing: &HashMap<String, Existing>) -> Vec<Step<'a>> {
    let step = |read: &'a Read| match read {
        Err(problems) => Step::Refuse(problems.clone()),
        Ok(wanted) => match wanted.external_id.among(existing) {
            None => create(wanted),
            Some(existing) => change(wanted, existing),
        },
    };
    reads.iter().map(step).collect()
}

fn create(wanted: &Wanted) -> Step<'_> {
    let mut problems = Problems::default();
    let id = ExternalId::try_from(wanted.external_id.as_str());
    problems.expect_fit(id.map(drop).map_err(|error| error.0), "external_id");
    if let Some(nickname) = &wanted.nickname {
        problems.expect_fit(fit(nickname), "nickname");
    }
    let problems = problems.into_vec();
    if problems.is_empty() {
        Step::Create(wanted)
    } else {
        Step::Refuse(problems)
    }
}

fn fit(nickname: &str) -> Result<(), Unfit> {
    let nickname = Nickname::try_from(nickname);
    nickname.map(drop).map_err(|error| error.0)
}

fn change<'a>(wanted: &'a Wanted, existing: &Existing) -> Step<'a> {
    if existing.role == Role::Admin {
        let problem = Problem::new("external_id", texts::admin_is_not_imported());
        return Step::Refuse(vec![problem]);
    }
    if existing.is_anonymised {
        let problem = Problem::new("external_id", texts::anonymised());
        return Step::Refuse(vec![problem]);
    }
    let nickname = wanted.nickname.as_deref();
    let old = existing.nickname.as_deref().map(text::tidy);
    let nickname = nickname.filter(|new| Some(*new) != old.as_deref());
    if let Some(Err(unfit)) = nickname.map(fit) {
        return Step::Refuse(vec![Problem::new("nickname", unfit)]);
    }
    let status = wanted.status.filter(|new| *new != existing.status);
    // Whether a clear password is the one in force would take as long as a login to find out.
    let password = wanted.password.as_ref();
    let password = password.filter(|new| match new {
        NewPassword::Clear(_) => true,
        // The old system's hash opens the first login and nothing more: a file that is imported again
        // takes nobody's own password away.
        NewPassword::Hash(hash) => {
            let is_first = existing.password_hash == NO_PASSWORD
                || existing.password_hash.starts_with(OLD_HASH_PREFIX);
            is_first && *hash != existing.password_hash
        }
    });
    // Nobody says so in a file by accident; whoever leaves it out may not know that they are deleted.
    let stays_deleted = existing.status == Status::Inactive && wanted.status.is_none();
    if nickname.is_none() && status.is_none() && password.is_none() {
        return Step::Nothing(stays_deleted.then_some(existing.user_id));
    }
    Step::Change(Changed {
        user_id: existing.user_id,
        nickname,
        status,
        password,
        stays_deleted,
    })
}

/// What a plan does, for the operator.
pub(crate) fn report(rows: &[ImportRow], steps: &[Step<'_>]) -> ImportReport {
    let mut report = ImportReport::default();
    for step in steps {
        match step {
            Step::Create(wanted) => {
                report.created += 1;
                report.without_password += usize::from(wanted.password.is_none());
            }
            Step::Change(_) => report.changed += 1,
            Step::Nothing(_) => report.unchanged += 1,
            Step::Refuse(_) => report.refused += 1,
        }
    }
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|place| match steps[*place] {
        Step::Refuse(_) => 0,
        Step::Create(_) | Step::Change(_) | Step::Nothing(Some(_)) => 1,
        Step::Nothing(None) => 2,
    });
    report.more_lines = order.len().saturating_sub(ImportReport::MAX_LINES);
    order.truncate(ImportReport::MAX_LINES);
    order.sort_unstable();
    report.lines = order
        .into_iter()
        .map(|place| line(&rows[place], &steps[place]))
        .collect();
    report
}

fn line(row: &ImportRow, step: &Step<'_>) -> ImportLine {
    let named = |is_there: [bool; 3]| {
        let changes = CHANGES.into_iter().zip(is_there);
        changes
            .filter_map(|(name, is_there)| is_there.then_some(name))
            .collect()
    };
    let (action, changes) = match step {
        Step::Create(wanted) => {
            let changes = named([
                wanted.nickname.is_some(),
                wanted.status.is_some(),
                wanted.password.is_some(),
            ]);
            (ImportAction::Create, changes)
        }
        Step::Change(changed) => {
            let changes = named([
                changed.nickname.is_some(),
                changed.status.is_some(),
                changed.password.is_some(),
            ]);
            (ImportAction::Change, changes)
        }
        Step::Nothing(_) => (ImportAction::Unchanged, Vec::new()),
        Step::Refuse(_) => (ImportAction::Refuse, Vec::new()),
    };
    let problems = match step {
        Step::Refuse(problems) => problems.clone(),
        _ => Vec::new(),
    };
    let deleted = match step {
        Step::Change(changed) => changed.stays_deleted.then_some(changed.user_id),
        Step::Nothing(deleted) => *deleted,
        Step::Create(_) | Step::Refuse(_) => None,
    };
    ImportLine {
        deleted,
        line: row.line,
        external_id: row.external_id.clone().unwrap_or_default(),
        action,
        changes,
        problems,
    }
}

#[cfg(test)]
mod tests {
    use xmas_texts::Language;

    use super::*;

    fn row(line: u64, external_id: &str) -> ImportRow {
        ImportRow {
            line,
            external_id: Some(external_id.to_owned()),
            ..ImportRow::default()
        }
    }

    fn problems(rows: &[ImportRow], place: usize) -> Vec<String> {
        let reads = read_rows(rows);
        let problems = reads[place].as_ref().err().cloned().unwrap_or_default();
        let told = problems.into_iter();
        told.map(|problem| problem.sentence(Language::English))
            .collect()
    }

    fn existing(nickname: &str, role: Role) -> HashMap<String, Existing> {
        let existing = Existing {
            user_id: UserId(7),
            nickname: Some(nickname.to_owned()),
            password_hash: format!("sha256${}", "a".repeat(64)),
            status: Status::Active,
            role,
            is_anonymised: false,
        };
        HashMap::from([("santa".to_owned(), existing)])
    }

    #[test]
    fn a_line_is_refused_for_everything_that_is_wrong_with_it() {
        let bad = ImportRow {
            nickname: Some("a\nb".to_owned()),
            password: Some("short".to_owned()),
            password_sha256: Some("x".repeat(64)),
            status: Some("active".to_owned()),
            ..row(2, "a\0b")
        };
        let told = problems(&[bad], 0);
        assert_eq!(told.len(), 4, "{told:?}");
        let nobody = ImportRow {
            line: 3,
            ..ImportRow::default()
        };
        assert_eq!(problems(&[nobody], 0).len(), 1);
        for digits in [
            "",
            "abc",
            &"g".repeat(64),
            &"가".repeat(64),
            &"a".repeat(65),
        ] {
            let bad = ImportRow {
                password_sha256: Some(digits.to_owned()),
                ..row(2, "santa")
            };
            assert_eq!(
                problems(&[bad], 0),
                ["password_sha256 must be 64 hexadecimal digits (SHA-256)."]
            );
        }
    }

    #[test]
    fn a_player_who_is_there_twice_is_refused_on_both_lines() {
        let rows = [row(2, "santa"), row(3, "rudolf"), row(9, " santa ")];
        let twice = "external_id must be in the table only once; it is on lines 2 and 9.";
        assert_eq!(problems(&rows, 0), [twice]);
        assert_eq!(problems(&rows, 2), problems(&rows, 0));
        assert_eq!(problems(&rows, 1), Vec::<String>::new());
        let many: Vec<ImportRow> = (2..50_002).map(|line| row(line, "santa")).collect();
        let told = &problems(&many, 40_000)[0];
        assert!(
            told.ends_with("it is on lines 2, 3 and 49,998 more."),
            "{told}"
        );
    }

    #[test]
    fn what_is_left_out_or_the_same_stays() {
        let digits = ImportRow {
            nickname: Some("산타".to_owned()),
            password_sha256: Some("A".repeat(64)),
            status: Some("ACTIVE".to_owned()),
            ..row(2, "santa")
        };
        let reads = read_rows(&[digits]);
        let same = plan(&reads, &existing("산타", Role::Player));
        assert!(matches!(same[..], [Step::Nothing(None)]), "{same:?}");
        let other = plan(&reads, &existing("루돌프", Role::Player));
        let [Step::Change(changed)] = &other[..] else {
            panic!("{other:?}");
        };
        assert_eq!(changed.nickname, Some("산타"));
        assert!(changed.status.is_none() && changed.password.is_none());
        let admin = plan(&reads, &existing("산타", Role::Admin));
        assert!(matches!(admin[..], [Step::Refuse(_)]), "{admin:?}");
    }

    #[test]
    fn a_long_report_keeps_what_is_refused() {
        let mut rows: Vec<ImportRow> = (2..2_002)
            .map(|line| row(line, &format!("p{line}")))
            .collect();
        rows[1_998].status = Some("GONE".to_owned());
        let reads = read_rows(&rows);
        let report = report(&rows, &plan(&reads, &HashMap::new()));
        assert_eq!((report.created, report.refused), (1_999, 1));
        assert_eq!((report.lines.len(), report.more_lines), (1_000, 1_000));
        assert_eq!(report.lines[999].action, ImportAction::Refuse);
        assert!(report.lines.is_sorted_by_key(|line| line.line));
    }

    #[test]
    fn a_file_brings_up_to_a_thousand_clear_passwords() {
        let with_password = ImportRow {
            password: Some("correct horse".to_owned()),
            ..row(2, "santa")
        };
        let mut rows = vec![with_password.clone(); MAX_CLEAR_PASSWORDS];
        // Lines without one do not count.
        rows.push(row(3, "rudolf"));
        assert_eq!(check_file(&rows), []);
        rows.push(with_password);
        let problems = check_file(&rows);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].field, "csv");
        assert_eq!(problems[0].text, texts::clear_passwords(1_000, 1_001));
    }

    fn change_of<'a>(
        reads: &'a [Read],
        existing: &HashMap<String, Existing>,
    ) -> (
        Option<&'a str>,
        Option<Status>,
        Option<&'a NewPassword>,
        bool,
    ) {
        match plan(reads, existing).into_iter().next() {
            Some(Step::Change(changed)) => (
                changed.nickname,
                changed.status,
                changed.password,
                changed.stays_deleted,
            ),
            other => panic!("{other:?}"),
        }
    }

    fn santa(edit: impl FnOnce(&mut Existing)) -> HashMap<String, Existing> {
        let mut all = existing("산타", Role::Player);
        edit(all.get_mut("santa").unwrap());
        all
    }

    #[test]
    fn a_hash_opens_the_first_login_and_takes_nobody_s_own_password_away() {
        let digits = ImportRow {
            password_sha256: Some("b".repeat(64)),
            ..row(2, "santa")
        };
        let reads = read_rows(&[digits]);
        let hash = NewPassword::Hash(format!("sha256${}", "b".repeat(64)));
        let none = santa(|old| old.password_hash = NO_PASSWORD.to_owned());
        let other = santa(|_| ());
        for first in [none, other] {
            let change = change_of(&reads, &first);
            assert_eq!(change, (None, None, Some(&hash), false));
        }
        let same = santa(|old| old.password_hash = format!("sha256${}", "b".repeat(64)));
        let own = santa(|old| old.password_hash = "$argon2id$own".to_owned());
        for kept in [same, own] {
            let steps = plan(&reads, &kept);
            assert!(matches!(steps[..], [Step::Nothing(None)]), "{steps:?}");
        }
    }

    #[test]
    fn a_clear_password_is_always_set() {
        let clear = ImportRow {
            password: Some("correct horse".to_owned()),
            ..row(2, "santa")
        };
        let reads = read_rows(&[clear]);
        let own = santa(|old| old.password_hash = "$argon2id$own".to_owned());
        let (_, _, password, _) = change_of(&reads, &own);
        assert!(matches!(password, Some(NewPassword::Clear(_))));
    }

    #[test]
    fn who_is_inactive_stays_so_unless_the_file_says_otherwise() {
        let inactive = santa(|old| old.status = Status::Inactive);
        let silent = read_rows(&[row(2, "santa")]);
        let steps = plan(&silent, &inactive);
        assert!(
            matches!(steps[..], [Step::Nothing(Some(UserId(7)))]),
            "{steps:?}"
        );
        let renamed = ImportRow {
            nickname: Some("루돌프".to_owned()),
            ..row(2, "santa")
        };
        let renamed = read_rows(&[renamed]);
        let change = change_of(&renamed, &inactive);
        assert_eq!(change, (Some("루돌프"), None, None, true));
        assert!(!change_of(&renamed, &santa(|_| ())).3);
        let status = |status: &str| {
            let row = ImportRow {
                status: Some(status.to_owned()),
                ..row(2, "santa")
            };
            read_rows(&[row])
        };
        let woken = status("ACTIVE");
        let change = change_of(&woken, &inactive);
        assert_eq!(change, (None, Some(Status::Active), None, false));
        // Said and already so.
        let steps_of = status("INACTIVE");
        let steps = plan(&steps_of, &inactive);
        assert!(matches!(steps[..], [Step::Nothing(None)]), "{steps:?}");
    }

    #[test]
    fn whoever_was_anonymised_is_refused() {
        let reads = read_rows(&[row(2, "santa")]);
        let gone = santa(|old| old.is_anonymised = true);
        let steps = plan(&reads, &gone);
        assert!(matches!(steps[..], [Step::Refuse(_)]), "{steps:?}");
    }

    #[test]
    fn a_name_keeps_the_rules_where_it_is_new() {
        let named = |nickname: &str| {
            let row = ImportRow {
                nickname: Some(nickname.to_owned()),
                ..row(2, "santa")
            };
            read_rows(&[row])
        };
        let bad = named("a\u{200b}b");
        for all in [HashMap::new(), santa(|_| ())] {
            let steps = plan(&bad, &all);
            let [Step::Refuse(problems)] = &steps[..] else {
                panic!("{steps:?}");
            };
            assert_eq!(problems[0].field, "nickname");
        }
        // It stands from before the rules.
        let kept = santa(|old| old.nickname = Some("a\u{200b}b".to_owned()));
        let steps = plan(&bad, &kept);
        assert!(matches!(steps[..], [Step::Nothing(None)]), "{steps:?}");
        let bad_id = read_rows(&[row(2, "a\u{200b}b")]);
        let new = HashMap::new();
        let steps = plan(&bad_id, &new);
        assert!(
            steps.iter().all(|step| !matches!(step, Step::Create(_))),
            "{steps:?}"
        );
    }

    #[test]
    fn the_report_says_what_becomes_of_each_line() {
        let mut rows = vec![
            ImportRow {
                nickname: Some("루돌프".to_owned()),
                password: Some("correct horse".to_owned()),
                status: Some("BLOCKED".to_owned()),
                ..row(2, "rudolf")
            },
            row(3, "elf"),
            row(4, "dancer"),
            ImportRow {
                nickname: Some("눈".to_owned()),
                ..row(5, "santa")
            },
            ImportRow {
                status: Some("GONE".to_owned()),
                ..row(6, "vixen")
            },
        ];
        let players = santa(|old| old.status = Status::Inactive);
        let reads = read_rows(&rows);
        let told = report(&rows, &plan(&reads, &players));
        let counts = (told.created, told.changed, told.unchanged, told.refused);
        assert_eq!(counts, (3, 1, 0, 1));
        assert_eq!((told.without_password, told.more_lines), (2, 0));
        let line = |line, external_id: &str, action| ImportLine {
            line,
            external_id: external_id.to_owned(),
            action,
            changes: Vec::new(),
            problems: Vec::new(),
            deleted: None,
        };
        let expected = [
            ImportLine {
                changes: vec!["nickname", "status", "password"],
                ..line(2, "rudolf", ImportAction::Create)
            },
            line(3, "elf", ImportAction::Create),
            line(4, "dancer", ImportAction::Create),
            ImportLine {
                changes: vec!["nickname"],
                deleted: Some(UserId(7)),
                ..line(5, "santa", ImportAction::Change)
            },
            ImportLine {
                problems: vec![Problem::new(
                    "status",
                    "GONE".parse::<Status>().unwrap_err(),
                )],
                ..line(6, "vixen", ImportAction::Refuse)
            },
        ];
        assert_eq!(told.lines, expected);
        rows.truncate(1);
        rows[0] = row(2, "santa");
        let reads = read_rows(&rows);
        for (players, deleted) in [(players, Some(UserId(7))), (santa(|_| ()), None)] {
            let told = report(&rows, &plan(&reads, &players));
            assert_eq!((told.unchanged, told.changed), (1, 0));
            let expected = ImportLine {
                deleted,
                ..line(2, "santa", ImportAction::Unchanged)
            };
            assert_eq!(told.lines, [expected]);
        }
    }
}
