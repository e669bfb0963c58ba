use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use xmas_test_support::{AppBuilder, TestApp};
use xmas_time::{Clock, ManualClock, SystemClock};

use crate::metrics::value;

#[tokio::test]
async fn the_process_is_up_and_ready() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for path in ["/health", "/livez"] {
        assert_eq!(
            client.get(path).await.expect_status(200).body,
            json!({ "status": "ok" })
        );
    }
    let ready = client.get("/readyz").await.expect_status(200);
    let checks = json!({ "database": "ok", "schema": "ok", "clock": "ok", "data_key": "ok",
        "draining": "no" });
    assert_eq!(ready.body["status"], "ok");
    assert_eq!(ready.body["checks"], checks);
    assert_eq!(ready.body["version"], env!("CARGO_PKG_VERSION"));
    let commit = ready.body["commit"].as_str().unwrap();
    assert!(commit == "unknown" || commit.len() == 12, "{commit}");
}

/// Midnight comes when the clock says so. SQLite has no clock but this machine's.
#[tokio::test]
async fn a_replica_whose_clock_is_off_by_half_a_minute_is_not_ready() {
    let machine = Arc::new(ManualClock::at(SystemClock.now()));
    let app = AppBuilder::default().machine(machine.clone());
    let app = app.start().await;
    let has_clock = app.test.db.backend() != DbBackend::Sqlite;
    let client = app.anonymous();
    for (off, is_ready) in [(-33, false), (-25, true), (25, true), (33, false)] {
        machine.set(SystemClock.now() + TimeDelta::seconds(off));
        let answer = client.get("/readyz").await;
        let shown = app.metrics().await;
        if is_ready || !has_clock {
            answer.expect_status(200);
        } else {
            answer.expect_error(503, "NOT_READY");
            let skew = value(&shown, "xmas_db_clock_skew_seconds");
            assert!((skew - off as f64).abs() < 5.0, "{skew}");
        }
    }
}

/// Nobody is counted who asks this, so that many may do it at once.
#[tokio::test]
async fn however_many_ask_whether_it_is_ready_the_database_is_asked_once() {
    let app = TestApp::start().await;
    // Whoever asks whether the database takes writes waits for this.
    let tx = app.test.db.begin().await.unwrap();
    let row = "INSERT INTO job_lease (name, holder, expires_at) VALUES ('', '', '2025-12-26 00:00:00.000000')";
    tx.execute_unprepared(row).await.unwrap();
    let before = app.statements();
    let client = app.anonymous();
    let answers = join_all((0..200).map(|_| client.get("/readyz"))).await;
    let asked = app.statements() - before;
    drop(tx);
    assert_eq!(answers.len(), 200);
    assert!(asked < 100, "{asked} statements");
    client.get("/readyz").await.expect_status(200);
}

#[tokio::test]
async fn probes_may_ask_with_head() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for path in ["/health", "/livez", "/readyz"] {
        let answer = client
            .send(client.request(reqwest::Method::HEAD, path))
            .await
            .expect_status(200);
        assert_eq!(answer.text, "");
    }
    app.readiness.drain();
    let answer = client
        .send(client.request(reqwest::Method::HEAD, "/readyz"))
        .await;
    answer.expect_status(503);
}

#[tokio::test]
async fn a_draining_process_is_alive_but_not_ready_and_still_serves() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.readiness.drain();
    let refused = player.get("/readyz").await.expect_error(503, "NOT_READY");
    assert!(refused.body["error"]["details"]["draining"].is_array());
    assert!(refused.headers.contains_key("retry-after"));
    player.get("/livez").await.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
}

#[tokio::test]
async fn an_old_schema_is_not_ready_and_a_lost_table_is_told() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.test
        .execute("DELETE FROM seaql_migrations WHERE version LIKE '%games'")
        .await;
    let refused = player.get("/readyz").await.expect_error(503, "NOT_READY");
    assert!(refused.body["error"]["details"]["schema"].is_array());
    app.test
        .execute("DROP TABLE feature_redraw; DROP TABLE feature_log")
        .await;
    player
        .play("/api/roulette/play")
        .await
        .expect_error(500, "DB_SCHEMA_MISMATCH");
}

#[tokio::test]
async fn without_a_database_requests_are_told_to_come_back() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.test.db.close().await.unwrap();
    let refused = player
        .play("/api/roulette/play")
        .await
        .expect_error(503, "NOT_READY");
    assert!(refused.headers.contains_key("retry-after"));
    player.get("/readyz").await.expect_error(503, "NOT_READY");
    player.get("/health").await.expect_status(200);
}

#[tokio::test]
async fn connections_that_the_server_closed_cost_no_request() {
    let app = TestApp::start().await;
    if app.test.db.backend() == DbBackend::Sqlite {
        // A file closes no connections.
        return;
    }
    let player = app.player("santa", 20).await;
    let spins = async || {
        let spins = (0..5).map(|_| player.play("/api/roulette/play"));
        for spin in join_all(spins).await {
            spin.expect_status(200);
        }
    };
    spins().await;
    app.test.close_connections().await;
    spins().await;
    player.get("/api/roulette/status").await.expect_status(200);
}
