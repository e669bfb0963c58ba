//! A plan as people and as machines read it.

use std::{
    fmt::Write as _,
    fs,
    io::{ErrorKind, Write as _, stdout},
    path::Path,
    process,
};

use serde_json::{Value, json};
use xmas_event_file::{Change, ChangeKind, PlacedProblem, Plan};
use xmas_texts::{Language, Text, event_file as texts};
use xmas_time::Kst;

pub(super) fn text(plan: &Plan, language: Language) -> String {
    let mut text = String::new();
    let mut line = |indent: usize, written: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:indent$}{written}", "");
    };
    let say = |text: Text| text.sentence(language);
    let head = |text: Text| format!("{}:", text.in_language(language));
    if plan.changes.is_empty() {
        line(0, &say(texts::nothing_changes()));
    } else {
        line(0, &head(texts::changes(plan.changes.len())));
        for change in &plan.changes {
            line(2, &changed(change));
        }
    }
    if !plan.unchanged.is_empty() {
        line(0, &say(texts::stays(plan.unchanged.join(", "))));
    }
    if !plan.left.is_empty() {
        line(0, &say(texts::not_in_file(plan.left.join(", "))));
    }
    let nothing = || "–".to_owned();
    for game in &plan.odds {
        line(0, &head(texts::odds_of(game.game)));
        for entry in &game.entries {
            let before = entry.before.clone().unwrap_or_else(nothing);
            let after = entry.after.clone().unwrap_or_else(nothing);
            line(2, &format!("{}: {before} → {after}", entry.label));
        }
        line(2, &head(texts::payout()));
        for payout in &game.payout {
            let (before, after) = (payout.before, payout.after);
            line(
                4,
                &format!("{}: {before:.4} → {after:.4}", payout.reward_type),
            );
        }
    }
    for reached in &plan.levels {
        let players = i64::try_from(reached.players).unwrap_or(i64::MAX);
        line(0, &say(texts::newly_reached(reached.level, players)));
    }
    for announced in &plan.announced {
        let (id, at) = (announced.plan.to_string(), Kst(announced.effective_from));
        let told = texts::announced(id, announced.game.as_str(), at.to_string());
        line(0, &say(told));
    }
    let mut promised = plan.broken_promises().peekable();
    if promised.peek().is_some() {
        line(0, &head(texts::promised()));
        for change in promised {
            line(2, &changed(change));
        }
    }
    text
}

fn changed(change: &Change) -> String {
    let (before, after) = (&change.before, &change.after);
    let (before, after) = (
        before.as_deref().unwrap_or_default(),
        after.as_deref().unwrap_or_default(),
    );
    let path = &change.path;
    match change.kind {
        ChangeKind::Added => format!("+ {path}: {after}"),
        ChangeKind::Changed => format!("~ {path}: {before} → {after}"),
        ChangeKind::Removed => format!("- {path}: {before}"),
    }
}

pub(super) fn json(plan: &Plan, language: Language) -> Value {
    let announced = plan.announced.iter().map(|it| {
        json!({
            "game": it.game,
            "plan_id": it.plan,
            "effective_from": Kst(it.effective_from),
        })
    });
    json!({
        "file_sha256": plan.file_sha256,
        "version": plan.version,
        "is_running": plan.is_running,
        "changes": plan.changes,
        "unchanged": plan.unchanged,
        "not_in_file": plan.left,
        "odds": plan.odds,
        "levels": plan.levels,
        "announced": announced.collect::<Vec<_>>(),
        "refused": problems(&plan.refused, language),
    })
}

/// What is wrong, each with its place.
pub(super) fn problems(problems: &[PlacedProblem], language: Language) -> Value {
    let told = problems.iter().map(|it| {
        json!({
            "line": it.line,
            "column": it.column,
            "field": it.problem.field,
            "message": it.problem.sentence(language),
        })
    });
    Value::Array(told.collect())
}

/// Prints a report. Whoever has stopped reading it, such as `head`, does not stop the work.
pub(super) fn tell(report: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let printed = writeln!(out, "{}", report.trim_end()).and_then(|()| out.flush());
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a file at once, so that nobody finds half of it.
pub(super) fn keep(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", process::id()));
    let kept = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    kept.map_err(|error| {
        // Nothing is left of what could not be written.
        let _ = fs::remove_file(&beside);
        anyhow::Error::from(texts::unusable(
            path.display().to_string(),
            error.to_string(),
        ))
    })
}
