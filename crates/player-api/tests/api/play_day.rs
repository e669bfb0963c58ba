//! A newcomer's day, and that it is all still there after a restart.

use serde_json::json;
use xmas_test_support::{AppBuilder, TestApp};

#[tokio::test]
async fn a_player_plays_a_day_and_sees_it_again_after_a_restart() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    let status = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    assert_eq!(status.body["progress"]["current_level"], 0);
    let source = json!({ "source_feature_type": "ROULETTE" });
    let stamp = player
        .post("/api/season-pass/stamp", &source)
        .await
        .expect_status(200);
    assert_eq!(stamp.body["current_level"], 1);
    assert_eq!(stamp.body["rewards"][0]["reward_label"], "룰렛 티켓 1장");
    let spin = player.play("/api/roulette/play").await.expect_status(200);
    assert_eq!(spin.body["receipt"]["nonce"], 0);
    let before = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    let wheel = player.get("/api/roulette/status").await.expect_status(200);
    assert_eq!(before.body["progress"]["current_xp"], 25);

    let restarted = AppBuilder::default().start_on(app.stop().await).await;
    let again = restarted.with_token(Some(player.token()));
    let after = again
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    assert_eq!(after.body, before.body);
    assert_eq!(again.get("/api/roulette/status").await.body, wheel.body);
    let next = again.play("/api/roulette/play").await.expect_status(200);
    assert_eq!(next.body["receipt"]["nonce"], 1);
    restarted.login("santa").await.expect_status(200);
}
