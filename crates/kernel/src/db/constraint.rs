use std::fmt;

/// A unique constraint of the schema whose violation means something to a caller. The crate that owns the
/// table has it as a constant, and compares beside the query that can violate it
/// ([`super::DbError::violates`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its name in the schema, which is how MySQL and MariaDB report it.
    pub name: &'static str,
    /// Its table and columns, which is how SQLite reports it.
    pub table: &'static str,
    /// In the order of the migration.
    pub columns: &'static [&'static str],
}

impl Constraint {
    /// Name, table and columns, as the migration declares them.
    pub const fn new(
        name: &'static str,
        table: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            table,
            columns,
        }
    }
}

/// The unique constraint that a statement has violated, as the server's message names it. The drivers
/// give no name of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(Named);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// `uq_user_external_id`.
    Name(String),
    /// `user.external_id`, and more of them after a comma.
    Columns(String),
}

impl Violation {
    /// What a message for a duplicate names; `None` if it has neither form.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        let name = mysql_key(message).map(|name| Named::Name(name.to_owned()));
        let named = name
            .or_else(|| sqlite_columns(message).map(|columns| Named::Columns(columns.to_owned())));
        named.map(Self)
    }

    /// Whether it is this constraint that was violated.
    pub fn is_of(&self, constraint: &Constraint) -> bool {
        match &self.0 {
            Named::Name(name) => name == constraint.name,
            Named::Columns(columns) => columns.split(", ").eq(constraint
                .columns
                .iter()
                .map(|column| format!("{}.{column}", constraint.table))),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Named::Name(name) => f.write_str(name),
            Named::Columns(columns) => f.write_str(columns),
        }
    }
}

/// `Duplicate entry '1-2' for key 'user.uq_x'` (MySQL) or `… for key 'uq_x'` (MariaDB).
///
/// The entry is text that a client may have chosen, so the key is looked for from the end.
fn mysql_key(message: &str) -> Option<&str> {
    let (_, key) = message.rsplit_once("for key '")?;
    let key = key.strip_suffix('\'')?;
    Some(key.rsplit_once('.').map_or(key, |(_, name)| name))
}

/// `UNIQUE constraint failed: user.external_id`.
fn sqlite_columns(message: &str) -> Option<&str> {
    Some(message.split_once("UNIQUE constraint failed: ")?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTERNAL_ID: Constraint =
        Constraint::new("uq_user_external_id", "user", &["external_id"]);
    const STAMP: Constraint = Constraint::new(
        "uq_season_stamp_period",
        "season_pass_stamp_log",
        &["user_id", "season_id", "period_key"],
    );
    const GRANT: Constraint = Constraint::new("uq_reward_grant", "reward_log", &["grant_key"]);

    /// Which of the three a message speaks of.
    fn found(message: &str) -> Vec<Constraint> {
        let violation = Violation::in_message(message);
        let all = [EXTERNAL_ID, STAMP, GRANT];
        let is_named = |constraint: &Constraint| {
            violation
                .as_ref()
                .is_some_and(|violation| violation.is_of(constraint))
        };
        all.into_iter().filter(is_named).collect()
    }

    #[test]
    fn every_server_s_form_is_understood() {
        for (message, expected) in [
            (
                "Duplicate entry 'demo-01' for key 'user.uq_user_external_id'",
                Some(EXTERNAL_ID),
            ),
            (
                "Duplicate entry '1-2-2025-12-26' for key 'uq_season_stamp_period'",
                Some(STAMP),
            ),
            (
                "UNIQUE constraint failed: season_pass_stamp_log.user_id, \
                 season_pass_stamp_log.season_id, season_pass_stamp_log.period_key",
                Some(STAMP),
            ),
            (
                "UNIQUE constraint failed: user.external_id",
                Some(EXTERNAL_ID),
            ),
            ("Duplicate entry '1' for key 'PRIMARY'", None),
            ("UNIQUE constraint failed: user.id", None),
            (
                "UNIQUE constraint failed: season_pass_stamp_log.user_id",
                None,
            ),
            ("no such table: user", None),
        ] {
            assert_eq!(found(message), Vec::from_iter(expected), "{message}");
        }
    }

    #[test]
    fn a_value_that_imitates_a_message_does_not_deceive() {
        let message =
            "Duplicate entry 'x' for key 'uq_reward_grant'' for key 'uq_user_external_id'";
        assert_eq!(found(message), [EXTERNAL_ID]);
    }
}
