use std::{cell::RefCell, collections::HashMap};

use sea_orm_migration::sea_orm::DbErr;

/// What a dry run writes down instead of doing it.
///
/// Migrations ask the database what is there already, so it remembers what it would have made or dropped.
#[derive(Debug, Default)]
pub(crate) struct Script {
    text: String,
    /// Tables that it would have made or dropped, and whether they would be there.
    tables: HashMap<String, bool>,
    /// The same of `COLUMN c` and `INDEX i` of a table.
    parts: HashMap<(String, String), bool>,
}

tokio::task_local! {
    static CURRENT: RefCell<Script>;
}

impl Script {
    /// What `migrations` would do.
    pub(crate) async fn of(
        migrations: impl AsyncFnOnce() -> Result<(), DbErr>,
    ) -> Result<String, DbErr> {
        let run = async {
            migrations().await?;
            Ok(CURRENT.with(|script| std::mem::take(&mut script.borrow_mut().text)))
        };
        CURRENT.scope(RefCell::default(), run).await
    }

    /// Writes a statement down, if this is a dry run.
    pub(crate) fn take_down(sql: &str) -> bool {
        Self::change(|script| {
            script.note(sql);
            script.line(&format!("{};", dedented(sql)));
        })
    }

    /// Writes a comment, if this is a dry run.
    pub(crate) fn remark(comment: &str) -> bool {
        Self::change(|script| script.line(&format!("-- {comment}")))
    }

    /// Whether a table would be there, if a dry run has touched it.
    pub(crate) fn has_table(table: &str) -> Option<bool> {
        Self::look(|script| script.tables.get(table).copied())
    }

    /// Whether `COLUMN c` or `INDEX i` would be in a table, if a dry run has touched it.
    pub(crate) fn has_in(table: &str, part: &str) -> Option<bool> {
        Self::look(
            |script| match script.parts.get(&(table.to_owned(), part.to_owned())) {
                Some(is_there) => Some(*is_there),
                None => script.tables.contains_key(table).then_some(false),
            },
        )
    }

    fn look(look: impl FnOnce(&Self) -> Option<bool>) -> Option<bool> {
        CURRENT
            .try_with(|script| look(&script.borrow()))
            .ok()
            .flatten()
    }

    fn change(change: impl FnOnce(&mut Self)) -> bool {
        CURRENT
            .try_with(|script| change(&mut script.borrow_mut()))
            .is_ok()
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Remembers what a statement of [`crate::ddl`] makes or drops.
    fn note(&mut self, sql: &str) {
        let words: Vec<_> = sql
            .split_whitespace()
            .map(|word| word.trim_matches('`'))
            .collect();
        match words[..] {
            ["CREATE", "TABLE", "IF", "NOT", "EXISTS", table, ..] => self.note_table(table, true),
            ["DROP", "TABLE", "IF", "EXISTS", table] => self.note_table(table, false),
            ["ALTER", "TABLE", table, "RENAME", "TO", new] => {
                self.note_table(table, false);
                self.note_table(new, true);
            }
            ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => {
                self.note_part(table, format!("COLUMN {column}"), true);
            }
            ["ALTER", "TABLE", table, "DROP", "COLUMN", column] => {
                self.note_part(table, format!("COLUMN {column}"), false);
            }
            ["CREATE", "INDEX", name, "ON", table, ..]
            | ["CREATE", "UNIQUE", "INDEX", name, "ON", table, ..] => {
                self.note_part(table, format!("INDEX {name}"), true);
            }
            ["DROP", "INDEX", name, "ON", table] => {
                self.note_part(table, format!("INDEX {name}"), false);
            }
            // SQLite's, where no two tables have an index of one name.
            ["DROP", "INDEX", name] => {
                let index = format!("INDEX {name}");
                for ((_, part), is_there) in &mut self.parts {
                    *is_there &= *part != index;
                }
            }
            _ => {}
        }
    }

    /// A table that was made has what is then added to it, and nothing that it had before.
    fn note_table(&mut self, table: &str, is_there: bool) {
        self.tables.insert(table.to_owned(), is_there);
        self.parts.retain(|(of, _), _| of != table);
    }

    fn note_part(&mut self, table: &str, part: String, is_there: bool) {
        self.parts.insert((table.to_owned(), part), is_there);
    }
}

/// Without what its lines are indented by, but for the first.
fn dedented(sql: &str) -> String {
    let mut lines = sql.trim().lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<_> = lines.collect();
    let indents = rest.iter().filter(|line| !line.trim().is_empty());
    let indent = indents
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let rest = rest
        .into_iter()
        .map(|line| format!("\n{}", line.get(indent..).unwrap_or_default()));
    first + &rest.collect::<String>()
}
