//! The canonical form of a file: one way to write each event, so that two files differ where the events do.

use std::fmt::Write;

use serde::Serialize;

use crate::{
    EventFile,
    file::{LotterySection, RouletteSection, SeasonSection, feature_key},
};

/// A file that says this event, in its canonical form: sections and fields in the order of the schema, bundles, coupons
/// and texts by their names, a line for each item of a list, and no comment.
pub fn canonical(file: &EventFile) -> String {
    let mut text = String::new();
    if let Some(season) = &file.season {
        let head = SeasonSection {
            levels: Vec::new(),
            ..season.clone()
        };
        section(
            &mut text,
            "season",
            &head,
            &[("levels", rows(&season.levels))],
        );
    }
    if let Some(bridge) = &file.bridge {
        let head = crate::file::BridgeSection {
            days: Vec::new(),
            ..bridge.clone()
        };
        section(&mut text, "bridge", &head, &[("days", rows(&bridge.days))]);
    }
    if let Some(wheel) = &file.roulette {
        let head = RouletteSection {
            segments: Vec::new(),
            ..wheel.clone()
        };
        let segments = rows(&wheel.segments);
        section(&mut text, "roulette", &head, &[("segments", segments)]);
    }
    if let Some(dice) = &file.dice {
        let outcomes = [
            ("win", &dice.win),
            ("draw", &dice.draw),
            ("lose", &dice.lose),
        ];
        let head = lines(dice);
        // What an outcome brings stands in a line of its own.
        let head = head.split("\n[").next().unwrap_or_default();
        let _ = write!(text, "\n[dice]\n{}\n", head.trim_end());
        for (name, outcome) in outcomes {
            let _ = writeln!(text, "{name} = {}", row(outcome));
        }
    }
    if let Some(lottery) = &file.lottery {
        let head = LotterySection {
            prizes: Vec::new(),
            ..lottery.clone()
        };
        let prizes = rows(&lottery.prizes);
        section(&mut text, "lottery", &head, &[("prizes", prizes)]);
    }
    let mut bundles: Vec<_> = file.bundles.iter().collect();
    bundles.sort_by(|one, other| one.name.cmp(&other.name));
    for bundle in bundles {
        let _ = write!(text, "\n[[bundles]]\nname = {}\n", string(&bundle.name));
        list(&mut text, "items", &rows(&bundle.items));
    }
    let mut coupons: Vec<_> = file.coupons.iter().collect();
    coupons.sort_by(|one, other| one.name.cmp(&other.name));
    for coupon in coupons {
        let _ = write!(text, "\n[[coupons]]\n{}", lines(coupon));
    }
    for (feature, settings) in file.features.all() {
        let key = feature_key(feature);
        let head = crate::file::FeatureSection {
            client: toml::Table::new(),
            ..settings.clone()
        };
        let _ = write!(text, "\n[features.{key}]\n{}", lines(&head));
        if !settings.client.is_empty() {
            table(
                &mut text,
                &format!("features.{key}.client"),
                &settings.client,
            );
        }
    }
    for (key, value) in &file.texts {
        table(&mut text, &format!("texts.{key}"), value);
    }
    text.trim_start_matches('\n').to_owned()
}

/// A section whose lists have been taken out of its head.
fn section(text: &mut String, name: &str, head: &impl Serialize, lists: &[(&str, Vec<String>)]) {
    let empty = |line: &&str| {
        !lists
            .iter()
            .any(|(list, _)| *line == format!("{list} = []"))
    };
    let head = lines(head);
    let head: Vec<&str> = head.lines().filter(empty).collect();
    let _ = write!(text, "\n[{name}]\n{}\n", head.join("\n"));
    for (name, rows) in lists {
        list(text, name, rows);
    }
}

fn list(text: &mut String, name: &str, rows: &[String]) {
    if rows.is_empty() {
        let _ = writeln!(text, "{name} = []");
        return;
    }
    let _ = writeln!(text, "{name} = [");
    for row in rows {
        let _ = writeln!(text, "    {row},");
    }
    text.push_str("]\n");
}

/// A table of one's own, with each table in it.
fn table(text: &mut String, path: &str, table: &toml::Table) {
    let (inner, own): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
    let _ = writeln!(text, "\n[{path}]");
    for (name, value) in own {
        let _ = writeln!(text, "{} = {}", key(name), inline(value));
    }
    for (name, value) in inner {
        if let toml::Value::Table(inner) = value {
            self::table(text, &format!("{path}.{}", key(name)), inner);
        }
    }
}

fn rows<T: Serialize>(items: &[T]) -> Vec<String> {
    items.iter().map(row).collect()
}

/// An item of a list, which has no table in it.
fn row(item: &impl Serialize) -> String {
    let lines = lines(item);
    let lines: Vec<&str> = lines.lines().collect();
    format!("{{ {} }}", lines.join(", "))
}

/// The fields in their order, a line for each.
fn lines(section: &impl Serialize) -> String {
    toml::to_string(section).expect("every type of a file is one that TOML can say")
}

pub(crate) fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => string(text),
        toml::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        toml::Value::Table(table) if table.is_empty() => "{}".to_owned(),
        toml::Value::Table(table) => {
            let fields = table.iter();
            let fields = fields.map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

/// A text in one line.
fn string(text: &str) -> String {
    let mut written = String::from('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            control if control.is_control() => {
                let _ = write!(written, "\\u{:04X}", u32::from(control));
            }
            character => written.push(character),
        }
    }
    written.push('"');
    written
}

fn key(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => string(name),
    }
}
