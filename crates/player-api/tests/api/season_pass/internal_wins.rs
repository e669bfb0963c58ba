use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn wins_are_counted_towards_the_bonus_stamp() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE reward_type = 'NONE'")
        .await;
    let wins = player
        .get("/api/season-pass/internal-wins")
        .await
        .expect_status(200);
    assert_eq!(
        wins.body,
        json!({ "total_wins": 0, "threshold": 50, "remaining": 50 })
    );
    for _ in 0..3 {
        player.play("/api/roulette/play").await.expect_status(200);
    }
    let wins = player
        .get("/api/season-pass/internal-wins")
        .await
        .expect_status(200);
    assert_eq!(
        wins.body,
        json!({ "total_wins": 3, "threshold": 50, "remaining": 47 })
    );
}
