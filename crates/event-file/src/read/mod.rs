//! A file taken apart: everything that is wrong with it at once, each with its place.

mod places;
mod shape;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use toml::de::DeTable;
use xmas_kernel::{Problem, Problems};
use xmas_texts::{Language, event_file as texts, quoted};
use xmas_time::EventDay;

use self::{places::Places, shape::Reading};
use crate::{EventFile, check};

/// How long a file may be, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// The JSON schema of a file, for editors; `x-ko` has the descriptions in Korean.
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(EventFile).to_value());
    &SCHEMA
}

/// What is wrong with a file, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedProblem {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub problem: Problem,
}

impl PlacedProblem {
    /// The same as a problem of the field in which the file was sent.
    pub fn of_field(self, field: &str) -> Problem {
        let path = match self.problem.field.as_str() {
            "" => field.to_owned(),
            path => path.to_owned(),
        };
        let (line, column) = (self.line, self.column);
        Problem::new(
            field,
            texts::at(line, column, quoted(&path), self.problem.text),
        )
    }

    /// `12:7: …`, for people.
    pub fn sentence(&self, language: Language) -> String {
        let problem = match self.problem.field.is_empty() {
            true => &Problem {
                field: "file".to_owned(),
                ..self.problem.clone()
            },
            false => &self.problem,
        };
        let sentence = problem.sentence(language);
        format!("{}:{}: {sentence}", self.line, self.column)
    }
}

/// A file without a mistake.
#[derive(Clone, Debug)]
pub struct CheckedFile {
    pub event: EventFile,
    /// SHA-256 of the text, in hexadecimal digits.
    pub sha256: String,
    places: Places,
}

impl CheckedFile {
    /// Problems that the database has with it, each with its place.
    pub fn placed(&self, problems: Problems) -> Vec<PlacedProblem> {
        placed(problems, &self.places)
    }
}

/// The event that a file describes, checked by every rule that needs no database. `today` is the day on which it is to be
/// saved: a season that runs needs its ladder.
///
/// # Errors
/// Everything that is wrong with it, by its place: what is no TOML, what does not belong there, what is of another
/// kind, and what breaks a rule.
pub fn read(text: &str, today: EventDay) -> Result<CheckedFile, Vec<PlacedProblem>> {
    let mut problems = Problems::default();
    if text.len() > MAX_BYTES {
        problems.push(Problem::new("", texts::too_long(MAX_BYTES / 1024)));
        return Err(placed(problems, &Places::new(text)));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut places = Places::new(text);
    for (number, error) in errors.iter().enumerate() {
        // Errors of syntax have no path; this one only finds their place again.
        let path = format!("#{number}");
        places.insert(&path, error.span().unwrap_or_default());
        problems.push(Problem::new(
            path,
            texts::syntax(error.message().to_owned()),
        ));
    }
    if !errors.is_empty() {
        return Err(placed(problems, &places));
    }
    let mut reading = Reading::new(schema(), &mut places, &mut problems);
    let table = reading.document(document.get_ref());
    let file = EventFile::deserialize(table).unwrap_or_else(|error| {
        // What does not fit its schema has been replaced; should the types still refuse it, so is the whole file.
        reading.refuse("", texts::unreadable(error.to_string()));
        EventFile::default()
    });
    let wrong = with_consequences(reading.wrong());
    let is_wrong = |field: &str| {
        let is_below = |wrong: &String| {
            let rest = field.strip_prefix(wrong.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        wrong.iter().any(is_below)
    };
    let mut found = Problems::default();
    check::check(&file, today, &is_wrong, &mut found);
    // Of what was replaced nothing else is told.
    let found = found.into_vec().into_iter();
    let found = found.filter(|problem| {
        let follows = problem.text == texts::promised_by_nobody()
            && is_any_in(&["season", "roulette", "dice", "lottery"], &wrong)
            || problem.field.ends_with(".reward_item")
                && is_any_in(&["bundles", "coupons"], &wrong);
        !is_wrong(&problem.field) && !follows
    });
    problems.extend(found.collect());
    if problems.is_empty() && file == EventFile::default() {
        problems.push(Problem::new("", texts::says_nothing()));
    }
    match problems.is_empty() {
        true => Ok(CheckedFile {
            event: file,
            sha256: hex::encode(Sha256::digest(text)),
            places,
        }),
        false => Err(placed(problems, &places)),
    }
}

/// With the paths of what cannot be judged without what is wrong.
fn with_consequences(mut wrong: Vec<String>) -> Vec<String> {
    let mut others = Vec::new();
    for path in &wrong {
        let fields: &[&str] = match path.rsplit_once('.') {
            Some((_, "reward_type")) => &["reward_amount", "reward_item"],
            Some(("bridge", "days")) => &["keys_required"],
            _ => &[],
        };
        let above = path.rsplit_once('.').map_or("", |(above, _)| above);
        others.extend(fields.iter().map(|field| format!("{above}.{field}")));
    }
    wrong.extend(others);
    wrong
}

/// Whether anything is wrong in one of these sections, or a whole section, which may be meant for one of them.
fn is_any_in(sections: &[&str], wrong: &[String]) -> bool {
    wrong.iter().any(|path| match path.split_once('.') {
        Some((section, _)) => sections.contains(&section),
        None => true,
    })
}

/// In the order of their places.
fn placed(problems: Problems, places: &Places) -> Vec<PlacedProblem> {
    let problems = problems.into_vec().into_iter();
    let placed = problems.map(|mut problem| {
        let (line, column) = places.of(&problem.field);
        if problem.field.starts_with('#') {
            problem.field.clear();
        }
        PlacedProblem {
            line,
            column,
            problem,
        }
    });
    let mut placed: Vec<PlacedProblem> = placed.collect();
    placed.sort_by_key(|problem| (problem.line, problem.column));
    placed
}
