//! What differs between two events.

use std::collections::BTreeSet;

use serde::Serialize;
use toml::{Table, Value};

use crate::{
    EventFile,
    write::{canonical, inline},
};

/// What becomes of a part of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub kind: ChangeKind,
    /// Where it is, such as `lottery.prizes[배민 2만].weight`.
    pub path: String,
    /// As a file has it.
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether players were promised something else.
    pub is_promise: bool,
}

/// By what the items of the file's own lists are known. Lists of what clients keep are compared whole.
const IDENTITIES: [(&str, &str); 7] = [
    ("season.levels", "level"),
    ("bridge.days", "day"),
    ("lottery.prizes", "label"),
    ("bundles", "name"),
    ("coupons", "name"),
    // By their places.
    ("roulette.segments", ""),
    ("bundles..items", ""),
];

/// What players are promised: all of these sections, once they are there.
const PROMISES: [&str; 5] = ["season", "bridge", "roulette", "dice", "lottery"];
/// And of a feature these.
const PROMISES_OF_FEATURES: [&str; 3] = ["is_enabled", "xp_per_play", "stamp_on_play"];

/// The differences, in the order of the file's sections.
pub(crate) fn changes(before: &EventFile, after: &EventFile) -> Vec<Change> {
    let (before, after) = (tree(before), tree(after));
    let mut changes = Vec::new();
    for section in SECTIONS {
        let at = At {
            shown: section.to_owned(),
            plain: section.to_owned(),
            was_there: before.contains_key(section),
        };
        values(&at, before.get(section), after.get(section), &mut changes);
    }
    changes
}

/// In the order of the file.
pub(crate) const SECTIONS: [&str; 9] = [
    "season", "bridge", "roulette", "dice", "lottery", "bundles", "coupons", "features", "texts",
];

/// The section that a change is in.
pub(crate) fn section(change: &Change) -> &str {
    change.path.split(['.', '[']).next().unwrap_or_default()
}

fn tree(file: &EventFile) -> Table {
    canonical(file).parse().expect("what is canonical is TOML")
}

/// A place in both events.
struct At {
    /// With the names of items.
    shown: String,
    /// Without them.
    plain: String,
    /// Whether its section was there before.
    was_there: bool,
}

impl At {
    fn field(&self, name: &str) -> Self {
        // A name that somebody made up is shown as it would be quoted.
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let shown = match name.chars().all(is_bare) {
            true => format!("{}.{name}", self.shown),
            false => format!("{}.{name:?}", self.shown),
        };
        Self {
            shown,
            plain: format!("{}.{name}", self.plain),
            was_there: self.was_there,
        }
    }

    fn item(&self, name: &str) -> Self {
        Self {
            shown: format!("{}[{name}]", self.shown),
            plain: format!("{}.", self.plain),
            was_there: self.was_there,
        }
    }

    fn is_promise(&self) -> bool {
        let parts: Vec<&str> = self.plain.split('.').collect();
        let is_promised = match parts[..] {
            ["features", _, field] => PROMISES_OF_FEATURES.contains(&field),
            [section, ..] => PROMISES.contains(&section),
            [] => false,
        };
        self.was_there && is_promised
    }
}

fn values(at: &At, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Table(before)), Some(Value::Table(after))) => {
            tables(at, before, after, changes);
        }
        // Of what is new every field is told, but for items of lists.
        (None, Some(Value::Table(after))) if !at.plain.ends_with('.') && !after.is_empty() => {
            tables(at, &Table::new(), after, changes);
        }
        (before, Some(Value::Array(after))) if identity(at).is_some() => {
            let before = before.and_then(Value::as_array);
            lists(at, before.map_or(&[], Vec::as_slice), after, changes);
        }
        _ => changes.push(Change {
            kind: match (before, after) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            },
            path: at.shown.clone(),
            before: before.map(inline),
            after: after.map(inline),
            is_promise: at.is_promise(),
        }),
    }
}

fn tables(at: &At, before: &Table, after: &Table, changes: &mut Vec<Change>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        values(&at.field(name), before.get(name), after.get(name), changes);
    }
}

/// By what the items of a list are known, if this is one.
fn identity(at: &At) -> Option<&'static str> {
    let mut known = IDENTITIES.iter();
    known.find(|(name, _)| *name == at.plain).map(|(_, by)| *by)
}

fn lists(at: &At, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    let by = identity(at).unwrap_or_default();
    let named = |items: &[Value]| -> Vec<(String, Value)> {
        let items = items.iter().enumerate().map(|(index, item)| {
            let name = match item.get(by) {
                Some(Value::String(name)) => name.clone(),
                Some(name) => name.to_string(),
                None => (index + 1).to_string(),
            };
            (name, item.clone())
        });
        items.collect()
    };
    let (before, after) = (named(before), named(after));
    let find = |items: &[(String, Value)], name: &str| {
        let item = items.iter().find(|(other, _)| other == name);
        item.map(|(_, item)| item.clone())
    };
    let gone = before
        .iter()
        .filter(|(name, _)| find(&after, name).is_none());
    for (name, _) in after.iter().chain(gone) {
        let (before, after) = (find(&before, name), find(&after, name));
        values(&at.item(name), before.as_ref(), after.as_ref(), changes);
    }
    let kept = |items: &[(String, Value)], others: &[(String, Value)]| -> Vec<String> {
        let names = items.iter().map(|(name, _)| name.clone());
        names.filter(|name| find(others, name).is_some()).collect()
    };
    let (was, is) = (kept(&before, &after), kept(&after, &before));
    // Lists of their own are in no order.
    if was != is && at.plain.contains('.') {
        changes.push(Change {
            kind: ChangeKind::Changed,
            path: format!("{}[order]", at.shown),
            before: Some(was.join(", ")),
            after: Some(is.join(", ")),
            // Nobody is promised an order.
            is_promise: false,
        });
    }
}
