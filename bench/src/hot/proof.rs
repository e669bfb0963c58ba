//! Which rows a play writes, found by looking at every table before and after it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use anyhow::ensure;
use sea_orm::{ConnectionTrait, Statement};
use xmas_kernel::db::Db;

use crate::sql::is_sqlite;

/// Of each table: how many rows are new or changed, and how many characters they have.
pub(super) type Written = BTreeMap<String, (usize, usize)>;

/// The rows of one player, and of tables that are nobody's, as text.
pub(super) type Rows = BTreeMap<String, Vec<String>>;

/// Jobs that run now and then write these, whatever is played.
const OF_JOBS: [&str; 2] = ["job_lease", "job_result"];
/// How much longer or shorter the rows of the floor may be: ids have other numbers of digits.
const TOLERANCE: f64 = 0.1;

pub(super) async fn rows(db: &Db, player: u64) -> anyhow::Result<Rows> {
    let columns = match is_sqlite(db) {
        true => {
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.name, c.cid"
        }
        false => {
            "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.columns \
             WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position"
        }
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in query(db, columns).await? {
        let (table, column) = (row.try_get_by(0)?, row.try_get_by(1)?);
        tables.entry(table).or_default().push(column);
    }
    let mut rows = Rows::new();
    for (table, columns) in tables {
        if OF_JOBS.contains(&table.as_str()) {
            continue;
        }
        let texts: Vec<String> = columns
            .iter()
            .map(|column| format!("COALESCE(CAST(`{column}` AS CHAR), '-')"))
            .collect();
        let text = match is_sqlite(db) {
            true => texts.join(" || '|' || ").replace("AS CHAR", "AS TEXT"),
            false => format!("CONCAT_WS('|', {})", texts.join(", ")),
        };
        let mut sql = format!("SELECT {text} FROM `{table}`");
        if columns.iter().any(|column| column == "user_id") {
            write!(sql, " WHERE user_id = {player}")?;
        } else if table == "user" {
            write!(sql, " WHERE id = {player}")?;
        }
        let found = query(db, &sql).await?;
        let texts = found.iter().map(|row| row.try_get_by(0));
        rows.insert(table, texts.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

/// What was written between two looks.
pub(super) fn written(before: Rows, after: Rows) -> Written {
    let mut written = Written::new();
    for (table, rows) in after {
        let mut known: HashMap<&str, usize> = HashMap::new();
        for row in before.get(&table).into_iter().flatten() {
            *known.entry(row).or_default() += 1;
        }
        for row in &rows {
            match known.get_mut(row.as_str()).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None => {
                    let (rows, characters) = written.entry(table.clone()).or_default();
                    *rows += 1;
                    *characters += row.chars().count();
                }
            }
        }
    }
    written
}

/// Fails unless a play of the floor writes as much as one of the program, in each table.
pub(super) fn compare(program: &Written, floor: &Written, shape: &str) -> anyhow::Result<()> {
    let counts = |written: &Written| -> BTreeMap<String, usize> {
        let counts = written
            .iter()
            .map(|(table, (rows, _))| (table.clone(), *rows));
        counts.collect()
    };
    let (ours, theirs) = (counts(program), counts(floor));
    ensure!(
        ours == theirs,
        "{shape}: a play of the program writes {ours:?}, one of the floor {theirs:?} rows"
    );
    for (table, (_, characters)) in program {
        let (ours, theirs) = (*characters as f64, floor[table].1 as f64);
        ensure!(
            (theirs / ours - 1.0).abs() <= TOLERANCE,
            "{shape}: what a play of the program writes into {table} has {ours} characters, \
             what one of the floor writes {theirs}"
        );
    }
    Ok(())
}

async fn query(db: &Db, sql: &str) -> anyhow::Result<Vec<sea_orm::QueryResult>> {
    let statement = Statement::from_string(db.backend(), sql);
    Ok(db.write().query_all_raw(statement).await?)
}
