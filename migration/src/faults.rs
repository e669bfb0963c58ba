//! Migrations that are cut off after each of their statements.

use std::cell::Cell;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbBackend, Statement},
};
use xmas_test_support::TestDb;

use crate::{Migrator, MigratorTrait, SchemaState, apply_next, dry_run, schema_state};

tokio::task_local! {
    /// How many statements are still run.
    static LEFT: Cell<u32>;
}

/// Fails a statement once all that are left have been run.
pub(crate) fn spend() -> Result<(), DbErr> {
    let is_cut_off = LEFT.try_with(|left| left.replace(left.get().saturating_sub(1)) == 0);
    match is_cut_off {
        Ok(true) => Err(DbErr::Custom(CUT_OFF.to_owned())),
        Ok(false) | Err(_) => Ok(()),
    }
}

const CUT_OFF: &str = "the process was killed here";

/// One line per table, column, index and constraint, in order, however it was typed.
async fn schema(db: &DatabaseConnection) -> Vec<String> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => "SELECT name || ': ' || coalesce(sql, '') AS x FROM sqlite_master",
        _ => {
            "SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default) AS x \
             FROM information_schema.columns WHERE table_schema = DATABASE() \
             UNION SELECT CONCAT_WS(' ', table_name, index_name, non_unique, seq_in_index, column_name) \
             FROM information_schema.statistics WHERE table_schema = DATABASE() \
             UNION SELECT CONCAT_WS(' ', constraint_name, check_clause) \
             FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() \
             UNION SELECT CONCAT_WS(' ', table_name, constraint_name, constraint_type) \
             FROM information_schema.table_constraints WHERE table_schema = DATABASE()"
        }
    };
    let sql = format!("SELECT CAST(x AS CHAR) FROM ({sql}) AS t ORDER BY 1");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql));
    let rows = rows.await.unwrap();
    let lines = rows
        .iter()
        .map(|row| row.try_get_by::<String, _>(0).unwrap());
    // The library's own table is not ours to compare.
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines
        .filter(|line| !line.contains("seaql_migrations"))
        .collect()
}

async fn migrated() -> TestDb {
    let test = TestDb::empty().await;
    while apply_next(test.db.write()).await.unwrap().is_some() {}
    test
}

/// Each attempt dies one statement later than the one before, and the next finds what it has left.
#[tokio::test]
async fn a_migration_that_was_cut_off_after_any_statement_is_run_again() {
    let expected = schema(migrated().await.db.read()).await;
    assert!(expected.len() > 100, "{expected:?}");
    let test = TestDb::empty().await;
    let (mut applied, mut cut_off, mut left) = (0, 0, 0);
    loop {
        match LEFT
            .scope(Cell::new(left), apply_next(test.db.write()))
            .await
        {
            Ok(None) => break,
            Ok(Some(_)) => (applied, left) = (applied + 1, 0),
            Err(DbErr::Custom(reason)) if reason == CUT_OFF => {
                (cut_off, left) = (cut_off + 1, left + 1);
            }
            Err(error) => panic!("after {left} statements: {error}"),
        }
    }
    assert_eq!(applied, Migrator::migrations().len());
    assert!(cut_off > 70, "{cut_off} attempts were cut off");
    assert_eq!(schema(test.db.read()).await, expected);
}

/// Whatever is there already; servers take their time, so with some of it there.
#[tokio::test]
async fn a_dry_run_prints_what_makes_the_same_schema() {
    let expected = schema(migrated().await.db.read()).await;
    let step = if TestDb::server().is_some() { 6 } else { 1 };
    for there in (0..Migrator::migrations().len()).step_by(step) {
        let test = TestDb::empty().await;
        let db = test.db.write();
        for _ in 0..there {
            apply_next(db).await.unwrap();
        }
        let before = schema(db).await;
        let script = dry_run(test.db.read()).await.unwrap();
        assert_eq!(schema(db).await, before, "a dry run changes nothing");
        for statement in script.split(";\n") {
            let lines = statement.lines().filter(|line| !line.starts_with("--"));
            let statement = lines.collect::<Vec<_>>().join("\n");
            if !statement.trim().is_empty() {
                db.execute_unprepared(&statement).await.unwrap();
            }
        }
        assert_eq!(schema(db).await, expected, "after {there}:\n{script}");
        let state = schema_state(db, env!("CARGO_PKG_VERSION")).await.unwrap();
        assert_eq!(state, SchemaState::Current);
        assert_eq!(dry_run(test.db.read()).await.unwrap(), "");
    }
}
