//! A plan as people and as machines read it.

use std::{
    fmt::Write as _,
    io::{Write as _, stdout},
};

use serde_json::{Value, json};
use xmas_event_file::{Change, ChangeKind, Plan};
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
    if !plan.refused.is_empty() {
        line(0, &head(texts::refused()));
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
    let refused = plan.refused.iter().map(|it| {
        json!({
            "line": it.line,
            "column": it.column,
            "field": it.problem.field,
            "message": it.problem.sentence(language),
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
        "refused": refused.collect::<Vec<_>>(),
    })
}

/// Prints a report. Nobody who has stopped reading it, such as `head`, stops the work.
pub(super) fn tell(report: &str) {
    let _ = writeln!(stdout(), "{}", report.trim_end());
}
