//! What the log of operators says of players who were anonymised is taken out where it is read, because the
//! log is only ever added to (ADR 10).
//!
//! It is certain, not a search: an object in the log names the player whose `user_id` it has, and else the one
//! whom the row is about; in these objects the fields that hold names are masked. A name on a board with no
//! player beside it may be anybody's, and is never shown. What operators write in their own words is shown as
//! it stands.

use std::collections::{BTreeSet, HashSet};

use sea_orm::ConnectionTrait;
use serde_json::Value;
use xmas_kernel::{UserId, db::DbError};
use xmas_players::{PlayerNames, anonymised_among, signature};

use super::AuditRecord;

/// The fields that hold what tells who a player is.
const NAMING: [&str; 4] = ["external_id", "nickname", "display_name", "memo"];
/// Stands for a name that nobody can tell whose it is.
const UNTOLD: &str = "(not shown)";
/// What the rows of the daily boards are about: a board of an operator, and a place of which a migration has
/// composed the name.
const BOARDS: [&str; 2] = ["ranking:", "ranking_daily:"];

/// Whose a name is.
#[derive(Clone, Copy)]
enum Whose {
    Player(i64),
    /// Anybody's: it stands on a board.
    Untold,
    Nobody,
}

/// Masks whoever of the players in these rows was anonymised.
pub(super) async fn mask(
    conn: &impl ConnectionTrait,
    records: &mut [AuditRecord],
) -> Result<(), DbError> {
    let mut players = BTreeSet::new();
    for record in &mut *records {
        players.insert(record.actor_id);
        names(record, &mut |whose, _| {
            if let Whose::Player(player) = whose {
                players.insert(player);
            }
        });
    }
    let players: Vec<UserId> = players.into_iter().map(UserId).collect();
    let anonymised = anonymised_among(conn, &players).await?;
    for record in records {
        take_out(record, &anonymised);
    }
    Ok(())
}

fn take_out(record: &mut AuditRecord, anonymised: &HashSet<UserId>) {
    let is_gone = |player| anonymised.contains(&UserId(player));
    let actor = std::mem::take(&mut record.actor);
    record.actor = signature(actor, UserId(record.actor_id), anonymised);
    names(record, &mut |whose, name| match whose {
        Whose::Player(player) if is_gone(player) => *name = PlayerNames::ANONYMOUS.into(),
        Whose::Untold => *name = UNTOLD.into(),
        Whose::Player(_) | Whose::Nobody => {}
    });
}

/// Calls `each` for every name in a row.
fn names(record: &mut AuditRecord, each: &mut impl FnMut(Whose, &mut Value)) {
    let resource = record.resource.as_str();
    let player = resource.strip_prefix("user:");
    let about = match player.and_then(|id| id.parse().ok()) {
        Some(player) => Whose::Player(player),
        None if BOARDS.iter().any(|board| resource.starts_with(board)) => Whose::Untold,
        None => Whose::Nobody,
    };
    for state in [&mut record.before, &mut record.after]
        .into_iter()
        .flatten()
    {
        names_in(state, about, each);
    }
}

fn names_in(value: &mut Value, about: Whose, each: &mut impl FnMut(Whose, &mut Value)) {
    match value {
        Value::Array(items) => {
            for item in items {
                names_in(item, about, each);
            }
        }
        Value::Object(fields) => {
            let own = fields.get("user_id").and_then(Value::as_i64);
            let about = own.map_or(about, Whose::Player);
            for (field, value) in fields {
                let is_text = value.as_str().is_some_and(|text| !text.is_empty());
                if is_text && NAMING.contains(&field.as_str()) {
                    each(about, value);
                } else {
                    names_in(value, about, each);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use xmas_time::Kst;

    use super::*;

    fn record(resource: &str, before: Value, after: Value) -> AuditRecord {
        AuditRecord {
            id: 1,
            actor_id: 1,
            actor: "operator".to_owned(),
            action: "TEST".to_owned(),
            resource: resource.to_owned(),
            before: Some(before).filter(|state| !state.is_null()),
            after: Some(after),
            reason: Some("요청".to_owned()),
            request_id: "r".to_owned(),
            created_at: Kst(DateTime::UNIX_EPOCH),
        }
    }

    fn masked(resource: &str, before: Value, after: Value) -> (Option<Value>, Option<Value>) {
        let mut record = record(resource, before, after);
        take_out(&mut record, &[UserId(7)].into());
        assert_eq!(record.actor, "operator");
        (record.before, record.after)
    }

    #[test]
    fn a_row_about_a_player_is_theirs() {
        let before = json!({ "external_id": "santa", "nickname": null, "xp": 60 });
        let after = json!({ "external_id": "rudolf", "nickname": "산타", "status": "ACTIVE" });
        let (was, is) = masked("user:7", before.clone(), after.clone());
        assert_eq!(
            was,
            Some(json!({ "external_id": "(anonymised)", "nickname": null, "xp": 60 }))
        );
        assert_eq!(
            is,
            Some(
                json!({ "external_id": "(anonymised)", "nickname": "(anonymised)",
                "status": "ACTIVE" })
            )
        );
        for other in ["user:70", "user:", "users", "season:7", "user:x7"] {
            let kept = masked(other, before.clone(), after.clone());
            assert_eq!(kept, (Some(before.clone()), Some(after.clone())), "{other}");
        }
    }

    #[test]
    fn in_a_row_about_many_each_object_is_its_player_s() {
        let rows = json!([
            { "user_id": 7, "display_name": "홍길동", "score": 9 },
            { "user_id": 8, "display_name": "임꺽정", "score": 8 },
            { "user_id": null, "display_name": "손님", "score": 7 },
            { "user_id": 7, "memo": "", "deep": [{ "memo": "전화" }, { "user_id": 8, "memo": "단골" }] },
        ]);
        let (before, after) = masked("ranking:2025-12-26", Value::Null, rows);
        assert_eq!(before, None);
        let masked = json!([
            { "user_id": 7, "display_name": "(anonymised)", "score": 9 },
            { "user_id": 8, "display_name": "임꺽정", "score": 8 },
            { "user_id": null, "display_name": "(not shown)", "score": 7 },
            { "user_id": 7, "memo": "", "deep": [{ "memo": "(anonymised)" }, { "user_id": 8, "memo": "단골" }] },
        ]);
        assert_eq!(after, Some(masked));
    }

    #[test]
    fn a_name_that_a_migration_has_composed_is_its_player_s_or_anybody_s() {
        let name = |column: &str, text: &str| json!({ column: text });
        let (old, new) = ("\u{1112}\u{1169}\u{11bc}", "홍");
        for (resource, column, shown) in [
            ("ranking_daily:12", "display_name", UNTOLD),
            ("user:7", "external_id", "(anonymised)"),
            ("user:7", "nickname", "(anonymised)"),
        ] {
            let states = masked(resource, name(column, old), name(column, new));
            let shown = Some(name(column, shown));
            assert_eq!(states, (shown.clone(), shown), "{resource} {column}");
        }
        let (old, new) = (name("label", old), name("label", new));
        let kept = masked("lottery_prize:12", old.clone(), new.clone());
        assert_eq!(kept, (Some(old), Some(new)));
    }

    #[test]
    fn an_operator_who_was_anonymised_once_signs_without_a_name() {
        let mut record = record(
            "season:1",
            Value::Null,
            json!({ "external_id": "operator" }),
        );
        take_out(&mut record, &[UserId(1)].into());
        assert_eq!(record.actor, "(anonymised)");
    }
}
