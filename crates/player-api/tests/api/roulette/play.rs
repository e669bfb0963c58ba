use chrono::TimeDelta;
use serde_json::json;
use xmas_test_support::{AppBuilder, TestApp};

#[tokio::test]
async fn a_spin_answers_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE slot_index <> 1")
        .await;
    let spin = player.play("/api/roulette/play").await.expect_status(200);
    insta::assert_json_snapshot!(spin.body);
}

#[tokio::test]
async fn no_coin_no_spin() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    player
        .play("/api/roulette/play")
        .await
        .expect_error(400, "NOT_ENOUGH_TOKENS");
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
}

#[tokio::test]
async fn the_daily_limit_holds_until_midnight_in_korea() {
    let app = TestApp::start().await;
    let player = app.player("santa", 9).await;
    app.test
        .execute("UPDATE roulette_config SET max_daily_spins = 1")
        .await;
    player.play("/api/roulette/play").await.expect_status(200);
    player
        .play("/api/roulette/play")
        .await
        .expect_error(400, "DAILY_LIMIT_REACHED");
    let status = player.get("/api/roulette/status").await;
    assert_eq!(
        (&status.body["today_spins"], &status.body["remaining_spins"]),
        (&json!(1), &json!(-1))
    );
    app.clock
        .advance(TimeDelta::hours(15) - TimeDelta::microseconds(1));
    let player = app.with_token(app.login("santa").await.body["access_token"].as_str());
    player
        .play("/api/roulette/play")
        .await
        .expect_error(400, "DAILY_LIMIT_REACHED");
    app.clock.advance(TimeDelta::microseconds(1));
    let spin = player.play("/api/roulette/play").await.expect_status(200);
    assert_eq!(spin.body["receipt"]["nonce"], 0);
    assert_eq!(spin.body["receipt"]["day"], "2025-12-27");
}

#[tokio::test]
async fn a_player_who_hammers_is_told_to_wait() {
    let app = AppBuilder::default()
        .set("PLAYER_WRITES_PER_MINUTE", "2")
        .start()
        .await;
    let (player, other) = (app.player("santa", 9).await, app.player("rudolf", 9).await);
    for _ in 0..2 {
        player.play("/api/roulette/play").await.expect_status(200);
    }
    let refused = player
        .play("/api/roulette/play")
        .await
        .expect_error(429, "TOO_MANY_REQUESTS");
    assert!(refused.headers.contains_key("retry-after"));
    player.get("/api/roulette/status").await.expect_status(200);
    other.play("/api/roulette/play").await.expect_status(200);
}
