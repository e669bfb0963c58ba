//! A database that takes no writes any more: a demoted server, and connections that still lead to it.

use std::{path::PathBuf, process::Command, time::Duration};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, TransactionTrait};
use tempfile::TempDir;
use xmas_kernel::{
    db::{Db, DbError, DbOptions, Tx},
    lease::JobResult,
};
use xmas_test_support::{AppBuilder, Client, TestApp, TestDb};

use super::{
    command_line::{run, text},
    metrics::value,
};

/// As many as a test's pool has connections.
const CONNECTIONS: usize = 8;

/// One transaction on each of the pool's connections.
async fn every_connection(test: &TestDb) -> Vec<Tx> {
    let connections = match test.db.backend() {
        DbBackend::Sqlite => 1,
        _ => CONNECTIONS,
    };
    let begun = join_all((0..connections).map(|_| test.db.begin())).await;
    begun.into_iter().map(Result::unwrap).collect()
}

async fn connection_ids(transactions: &[Tx]) -> Vec<String> {
    let mut ids = Vec::new();
    for tx in transactions {
        let sql = "SELECT CAST(CONNECTION_ID() AS CHAR)";
        let statement = Statement::from_string(DbBackend::MySql, sql);
        let row = tx.query_one_raw(statement).await.unwrap().unwrap();
        ids.push(row.try_get_by(0).unwrap());
    }
    ids
}

/// Makes every connection of the pool one that leads to a server which takes no writes; new ones
/// lead to one that does, as after a failover.
async fn demote(test: &TestDb) -> Vec<Tx> {
    let transactions = every_connection(test).await;
    let sql = match test.db.backend() {
        DbBackend::Sqlite => "PRAGMA query_only = ON",
        _ => "SET SESSION TRANSACTION READ ONLY",
    };
    for tx in &transactions {
        tx.execute_unprepared(sql).await.unwrap();
    }
    transactions
}

#[tokio::test]
async fn connections_to_a_demoted_server_cost_no_request() {
    let app = TestApp::start().await;
    let player = app.player("santa", 40).await;
    let demoted = demote(&app.test).await;
    let old = match app.test.db.backend() {
        DbBackend::Sqlite => Vec::new(),
        _ => connection_ids(&demoted).await,
    };
    drop(demoted);
    let spins = (0..20).map(|_| player.play("/api/roulette/play"));
    for spin in join_all(spins).await {
        spin.expect_status(200);
    }
    let now = every_connection(&app.test).await;
    if app.test.db.backend() != DbBackend::Sqlite {
        let now = connection_ids(&now).await;
        assert!(now.iter().all(|id| !old.contains(id)), "{old:?} {now:?}");
    }
}

#[tokio::test]
async fn readiness_finds_a_demoted_server_while_nobody_plays() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let demoted = demote(&app.test).await;
    if app.test.db.backend() == DbBackend::Sqlite {
        drop(demoted);
        client.get("/readyz").await.expect_status(200);
        return;
    }
    let old = connection_ids(&demoted).await;
    drop(demoted);
    client.get("/readyz").await.expect_status(200);
    let now = connection_ids(&every_connection(&app.test).await).await;
    assert!(now.iter().all(|id| !old.contains(id)), "{old:?} {now:?}");
}

#[tokio::test]
async fn a_busy_pool_is_ready() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let busy = every_connection(&app.test).await;
    client.get("/readyz").await.expect_status(200);
    drop(busy);
    client.get("/readyz").await.expect_status(200);
}

/// All connections of the readers' pool.
async fn every_reader(test: &TestDb, connections: usize) -> Vec<DatabaseTransaction> {
    let begun = join_all((0..connections).map(|_| test.db.read().begin())).await;
    begun.into_iter().map(Result::unwrap).collect()
}

/// Nobody is woken at night because a database that is well has much to do.
#[tokio::test]
async fn a_busy_pool_is_no_database_that_is_away() {
    let mut test = TestDb::new().await;
    let options = DbOptions {
        max_connections: 2,
        acquire_timeout: Duration::from_millis(100),
        ..DbOptions::new(test.url().parse().unwrap())
    };
    test.db = Db::connect(&options).await.unwrap();
    let app = AppBuilder::default().start_on(test).await;
    app.metrics().await;
    let busy = every_reader(&app.test, 2).await;
    let shown = app.metrics_of_failed_look().await;
    assert_eq!(value(&shown, "xmas_db_up"), 1.0);
    drop(busy);
    app.test.db.close().await.unwrap();
    let shown = app.metrics_of_failed_look().await;
    assert_eq!(value(&shown, "xmas_db_up"), 0.0);
}

/// A connection is waited for far longer here.
#[tokio::test]
async fn a_database_that_does_not_answer_in_time_is_away() {
    let app = TestApp::start().await;
    let busy = every_reader(&app.test, CONNECTIONS).await;
    let shown = app.metrics_of_failed_look().await;
    assert_eq!(value(&shown, "xmas_db_up"), 0.0);
    drop(busy);
    let shown = app.metrics().await;
    assert_eq!(value(&shown, "xmas_db_up"), 1.0);
}

#[tokio::test]
async fn a_refused_write_is_told_apart_from_a_failed_statement() {
    let test = TestDb::new().await;
    let tx = test.db.begin().await.unwrap();
    let read_only = match test.db.backend() {
        DbBackend::Sqlite => "PRAGMA query_only = ON",
        _ => "START TRANSACTION READ ONLY",
    };
    tx.execute_unprepared(read_only).await.unwrap();
    let update = "UPDATE job_lease SET holder = 'x'";
    let refused = tx.execute_unprepared(update).await.map_err(DbError::from);
    assert!(matches!(refused, Err(DbError::ReadOnly(_))), "{refused:?}");
}

/// Plays, readiness and what can still be read, on a database that takes no writes.
async fn assert_refuses_writes(player: &Client) {
    for _ in 0..3 {
        let refused = player.play("/api/roulette/play").await;
        let refused = refused.expect_error(503, "NOT_READY");
        assert!(refused.headers.contains_key("retry-after"));
        let refused = player.get("/readyz").await.expect_error(503, "NOT_READY");
        assert!(refused.headers.contains_key("retry-after"));
        player.get("/api/wallet").await.expect_status(200);
        player.get("/livez").await.expect_status(200);
    }
}

#[tokio::test]
async fn a_file_that_takes_no_writes_is_not_ready() {
    if TestDb::server().is_some() {
        return;
    }
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    let test = app.stop().await.as_read_only_file().await;
    let app = AppBuilder::default().start_on(test).await;
    let player = app.with_token(Some(player.token()));
    assert_refuses_writes(&player).await;
}

/// A MariaDB server of the test's own, since what is set here would hit every other test.
struct OwnServer {
    folder: TempDir,
    url: String,
}

impl OwnServer {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let output = run(script().arg("start").arg(folder.path()));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let url = text(&output.stdout).trim().to_owned();
        Self { folder, url }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // What it leaves behind is in a folder that is deleted.
        let _ = script().arg("stop").arg(self.folder.path()).status();
    }
}

fn script() -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/mariadb");
    Command::new(PathBuf::from(script))
}

#[tokio::test]
async fn a_read_only_server_is_not_ready_and_recovers_by_itself() {
    if TestDb::server().is_none() {
        return;
    }
    let server = OwnServer::start();
    let test = TestDb::on(&server.url).await;
    let app = AppBuilder::default().seeded().start_on(test).await;
    let player = app.player("santa", 5).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let plays = "SELECT COUNT(*) FROM feature_log";
    for _ in 0..2 {
        let before = app.test.count(plays).await;
        app.test.execute("SET GLOBAL read_only = 1").await;
        assert_refuses_writes(&player).await;
        assert_eq!(app.test.count(plays).await, before);
        app.test.execute("SET GLOBAL read_only = 0").await;
        player.play("/api/roulette/play").await.expect_status(200);
        player.get("/readyz").await.expect_status(200);
        assert_eq!(app.test.count(plays).await, before + 1);
    }
}

/// Galera and Group Replication have different words for it, and servers that stand alone know them too.
#[tokio::test]
async fn every_session_of_a_cluster_waits_for_what_others_have_committed() {
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let options = DbOptions {
        causal_reads: true,
        ..DbOptions::new(test.url().parse().unwrap())
    };
    let cluster = Db::connect(&options).await.unwrap();
    let settings = |db: &Db| {
        let (read, write) = (db.read().clone(), db.write().clone());
        async move {
            let sql = "SHOW SESSION VARIABLES WHERE Variable_name IN \
                ('wsrep_sync_wait', 'group_replication_consistency')";
            let ask = Statement::from_string(DbBackend::MySql, sql);
            let mut values: Vec<String> = Vec::new();
            for pool in [read, write] {
                let row = pool.query_one_raw(ask.clone()).await.unwrap().unwrap();
                values.push(row.try_get_by(1).unwrap());
            }
            values
        }
    };
    let (usual, causal) = (settings(&test.db).await, settings(&cluster).await);
    let known = [["0", "1"], ["BEFORE_ON_PRIMARY_FAILOVER", "BEFORE"]];
    let is_known = known
        .iter()
        .any(|[off, on]| usual == [*off; 2] && causal == [*on; 2]);
    assert!(is_known, "{usual:?} {causal:?}");
    cluster.close().await.unwrap();
}

/// One row that only this test has.
async fn note(tx: &Tx, name: &str) -> Result<(), DbError> {
    JobResult::put_in_tx(tx, name, "done").await
}

/// As it does when the disk is full or fails. Another connection sees what was committed after it.
#[tokio::test]
async fn a_transaction_that_sqlite_has_ended_takes_no_other_one_with_it() {
    let test = TestDb::new().await;
    if test.db.backend() != DbBackend::Sqlite {
        return;
    }
    let ended = test.db.begin().await.unwrap();
    note(&ended, "lost").await.unwrap();
    ended.execute_unprepared("ROLLBACK").await.unwrap();
    drop(ended);
    // Taken for a part of the one before, this one would go back to its own beginning, and stay open.
    let refused = test.db.begin().await.unwrap();
    note(&refused, "refused").await.unwrap();
    drop(refused);
    let next = test.db.begin().await.unwrap();
    note(&next, "kept").await.unwrap();
    next.commit().await.unwrap();
    assert!(JobResult::of(&test.db, "kept").await.unwrap().is_some());
    for gone in ["lost", "refused"] {
        let found = JobResult::of(&test.db, gone).await.unwrap();
        assert!(found.is_none(), "{gone}");
    }
}

#[tokio::test]
async fn a_full_disk_costs_time_and_no_play_that_was_acknowledged() {
    let app = TestApp::start().await;
    if app.test.db.backend() != DbBackend::Sqlite {
        return;
    }
    let player = app.player("santa", 400).await;
    let writer = app.test.db.write();
    let pages = |what: &str| {
        let ask = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {what}"));
        async move {
            let row = writer.query_one_raw(ask).await.unwrap().unwrap();
            row.try_get_by::<i64, _>(0).unwrap()
        }
    };
    // A connection that finds no page left, as if the disk had none; a new one finds some again.
    let full = pages("page_count").await;
    assert_eq!(pages(&format!("max_page_count = {full}")).await, full);
    let (mut played, mut refused) = (0, 0);
    while pages("max_page_count").await == full {
        let play = player.play("/api/roulette/play").await;
        match play.status {
            200 => played += 1,
            _ => {
                play.expect_error(503, "NOT_READY");
                refused += 1;
            }
        }
        assert!(played + refused < 300, "the disk is never full");
    }
    player.play("/api/roulette/play").await.expect_status(200);
    let kept = app.test.count("SELECT COUNT(*) FROM feature_log").await;
    assert_eq!(kept, played + 1);
}
