//! `migrate`, while others use the database or change it.

use std::{process::Stdio, time::Duration};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::Value;
use tempfile::TempDir;
use xmas_api::schema::{bring_up_to_date, take_lock};
use xmas_kernel::db::{Db, DbOptions};
use xmas_migration::{MigrationLock, Migrator, MigratorTrait};
use xmas_test_support::TestDb;

use crate::command_line::{run, text, xmas_api};

/// The program with an empty database and a folder of its own.
struct Place {
    folder: TempDir,
    test: TestDb,
}

impl Place {
    async fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            test: TestDb::empty().await,
        }
    }

    fn program(&self, args: &[&str]) -> std::process::Command {
        let mut command = xmas_api(self.folder.path());
        command.args(args).env("DATABASE_URL", self.test.url());
        command
    }

    async fn applied(&self) -> usize {
        let applied = Migrator::get_applied_migrations(self.test.db.read()).await;
        applied.unwrap().len()
    }
}

fn all() -> usize {
    Migrator::migrations().len()
}

const NO_PATIENCE: Duration = Duration::ZERO;

#[tokio::test]
async fn however_many_migrate_at_once_each_migration_is_applied_by_one() {
    let place = Place::new().await;
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.program(&["migrate", "up"]);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut applied = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        assert!(lines.contains("The schema is up to date."), "{lines}");
        let names = lines
            .lines()
            .filter_map(|line| line.strip_prefix("applied "));
        applied.extend(names.map(str::to_owned));
    }
    let expected = Migrator::migrations();
    let expected: Vec<_> = expected.iter().map(|migration| migration.name()).collect();
    applied.sort();
    assert_eq!(applied, expected);
}

#[tokio::test]
async fn whoever_changes_the_schema_is_waited_for_and_not_for_ever() {
    let place = Place::new().await;
    let db = &place.test.db;
    let held = MigrationLock::try_take(db.read()).await.unwrap().unwrap();
    assert!(held.is_held().await);
    let refused = bring_up_to_date(db, NO_PATIENCE)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("another process changes this schema"),
        "{refused}"
    );
    let output = run(&mut place.program(&["migrate", "up", "--wait", "0"]));
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.contains("another process"), "{error}");
    assert_eq!(place.applied().await, 0);
    // It is waited for, and gives the lock back while it is.
    let (waited, ()) = tokio::join!(bring_up_to_date(db, Duration::from_secs(60)), async {
        held.release().await.unwrap();
    });
    assert_eq!(waited.unwrap().len(), all());
    assert!(take_lock(db, NO_PATIENCE).await.unwrap().is_held().await);
}

/// A server gives the lock of a connection that broke to somebody else.
#[tokio::test]
async fn a_lock_that_was_lost_is_noticed() {
    let place = Place::new().await;
    let db = &place.test.db;
    if db.backend() == DbBackend::Sqlite {
        return;
    }
    let held = take_lock(db, NO_PATIENCE).await.unwrap();
    place.test.close_connections().await;
    assert!(!held.is_held().await);
}

/// A statement that waits for a table lets nobody past it. It gives way, and nothing is lost.
#[tokio::test]
async fn a_table_in_use_holds_a_migration_up_and_the_migration_nobody() {
    let place = Place::new().await;
    let owner = &place.test.db;
    if owner.backend() == DbBackend::Sqlite {
        // Whose writers stand in line anyway.
        return;
    }
    let before = Migrator::migrations();
    let before = before
        .iter()
        .position(|next| next.name().ends_with("_event_bridge"));
    let before = u32::try_from(before.unwrap()).unwrap();
    Migrator::up(owner.write(), Some(before)).await.unwrap();
    let options = DbOptions {
        table_wait: Some(Duration::from_secs(1)),
        ..DbOptions::new(place.test.url().parse().unwrap())
    };
    let db = Db::connect(&options).await.unwrap();
    // The next migration adds a column there.
    let player = owner.begin().await.unwrap();
    let read = Statement::from_string(owner.backend(), "SELECT COUNT(*) FROM user_profiles");
    player.query_one_raw(read.clone()).await.unwrap();
    let refused = bring_up_to_date(&db, NO_PATIENCE).await.unwrap_err();
    let refused = format!("{refused:#}");
    assert!(
        refused.starts_with("a migration failed: a lock could not be had"),
        "{refused}"
    );
    // Others go on, and so does the player.
    owner.read().query_one_raw(read.clone()).await.unwrap();
    player.query_one_raw(read).await.unwrap();
    let gave_way = async {
        until_waiting(&place.test, true).await;
        until_waiting(&place.test, false).await;
        player.commit().await
    };
    let (done, committed) = tokio::join!(bring_up_to_date(&db, Duration::from_secs(60)), gave_way);
    committed.unwrap();
    assert_eq!(before as usize + done.unwrap().len(), all());
}

/// Waits until a statement waits for a table, or none does any more.
pub(crate) async fn until_waiting(test: &TestDb, waiting: bool) {
    let statements = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() \
                      AND state = 'Waiting for table metadata lock'";
    let look = async {
        while (test.count(statements).await > 0) != waiting {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, look).await.unwrap();
}

#[tokio::test]
async fn a_dry_run_prints_the_sql_and_changes_nothing() {
    let place = Place::new().await;
    let dry_run = || run(&mut place.program(&["migrate", "up", "--dry-run"]));
    let output = dry_run();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let sql = text(&output.stdout);
    for migration in Migrator::migrations() {
        let heading = format!("-- {}: binaries from 0.", migration.name());
        assert!(sql.contains(&heading), "{heading}");
    }
    assert!(
        sql.contains("CREATE TABLE IF NOT EXISTS wallet_ledger"),
        "{sql}"
    );
    assert_eq!(place.applied().await, 0);
    assert!(run(&mut place.program(&["migrate", "up"])).status.success());
    assert_eq!(text(&dry_run().stdout), "-- The schema is up to date.\n");
}

#[tokio::test]
async fn the_status_names_the_oldest_binary_of_each_migration() {
    let place = Place::new().await;
    let output = run(&mut place.program(&["migrate", "status", "--json"]));
    assert_eq!(output.status.code(), Some(1));
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let migrations = status["migrations"].as_array().unwrap();
    assert_eq!(migrations.len(), all());
    assert_eq!(migrations[0]["oldest_binary"], "0.1.0");
    let newest = migrations
        .iter()
        .find(|migration| migration["oldest_binary"] == "0.2.0");
    assert_eq!(
        newest.unwrap()["name"],
        "m20261125_000011_coupon_codes_once"
    );
    assert!(
        migrations
            .iter()
            .all(|migration| migration["applied"] == false)
    );
}

/// After a roll-back the program of before finds a schema that a newer one has changed.
#[tokio::test]
async fn a_newer_schema_is_left_alone_and_refused_if_it_needs_a_newer_program() {
    let place = Place::new().await;
    let up = || run(&mut place.program(&["migrate", "up"]));
    assert!(up().status.success());
    let newer = |binary: &str| {
        format!("INSERT INTO schema_compatibility VALUES ('m20991231_for_{binary}', '{binary}')")
    };
    place
        .test
        .execute("INSERT INTO seaql_migrations VALUES ('m20991231_for_0.1.0', 0)")
        .await;
    place.test.execute(&newer("0.1.0")).await;
    let output = up();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "The schema is up to date.\n");
    place.test.execute(&newer("99.0.0")).await;
    // Even if something of its own is missing.
    place
        .test
        .execute("DELETE FROM seaql_migrations WHERE version LIKE '%job_results'")
        .await;
    let output = up();
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    let dry_run = run(&mut place.program(&["migrate", "up", "--dry-run"]));
    assert_eq!(dry_run.status.code(), Some(1));
    assert_eq!(text(&dry_run.stderr), error);
    assert!(
        error.contains("too new") && error.contains("99.0.0"),
        "{error}"
    );
    let missing = "SELECT COUNT(*) FROM seaql_migrations WHERE version LIKE '%job_results'";
    assert_eq!(place.test.count(missing).await, 0);
}
