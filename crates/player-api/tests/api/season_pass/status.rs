use chrono::TimeDelta;
use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn the_status_is_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let source = json!({ "source_feature_type": "ROULETTE", "xp_bonus": 7 });
    player
        .post("/api/season-pass/stamp", &source)
        .await
        .expect_status(200);
    let status = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    insta::assert_json_snapshot!(status.body);
}

#[tokio::test]
async fn the_grace_days_serve_the_ended_season_and_then_there_is_none() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.clock.advance(TimeDelta::days(6));
    let player = app.with_token(
        app.login("santa").await.body["access_token"]
            .as_str()
            .or(Some(player.token())),
    );
    let status = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    assert_eq!(status.body["season"]["end_date"], "2025-12-31");
    assert_eq!(status.body["today"]["date"], "2026-01-01");
    app.clock.advance(TimeDelta::days(7));
    let player = app.with_token(app.login("santa").await.body["access_token"].as_str());
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(404, "NO_ACTIVE_SEASON");
}

#[tokio::test]
async fn two_active_seasons_are_a_conflict_and_nothing_is_taken() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.test
        .execute(
            "INSERT INTO season_pass_config (season_name, start_date, end_date, max_level, \
             base_xp_per_stamp, max_xp_bonus, grace_days, internal_win_threshold, is_active, \
             created_at, updated_at) SELECT 'OTHER', start_date, end_date, max_level, \
             base_xp_per_stamp, max_xp_bonus, grace_days, internal_win_threshold, is_active, \
             created_at, updated_at FROM season_pass_config",
        )
        .await;
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(409, "NO_ACTIVE_SEASON_CONFLICT");
    player
        .play("/api/roulette/play")
        .await
        .expect_error(409, "NO_ACTIVE_SEASON_CONFLICT");
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        1
    );
}

#[tokio::test]
async fn a_switched_off_season_pass_says_so() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.test
        .execute("UPDATE feature_config SET is_enabled = 0 WHERE feature_type = 'SEASON_PASS'")
        .await;
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(400, "FEATURE_DISABLED");
}

#[tokio::test]
async fn a_feature_without_a_row_does_not_run() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.test
        .execute("DELETE FROM feature_config WHERE feature_type = 'ROULETTE'")
        .await;
    player
        .play("/api/roulette/play")
        .await
        .expect_error(404, "NO_FEATURE_TODAY");
}

#[tokio::test]
async fn the_day_s_first_look_is_noted_once() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for _ in 0..3 {
        player
            .get("/api/season-pass/status")
            .await
            .expect_status(200);
    }
    let views = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'ENTER_PAGE'";
    assert_eq!(app.test.count(views).await, 1);
}
