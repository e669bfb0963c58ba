use xmas_test_support::TestApp;

#[tokio::test]
async fn the_wheel_is_what_the_client_draws() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    let status = player.get("/api/roulette/status").await.expect_status(200);
    insta::assert_json_snapshot!(status.body);
}

#[tokio::test]
async fn a_broken_wheel_is_an_error_and_never_an_empty_list() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.test.execute("DELETE FROM roulette_segment").await;
    player
        .get("/api/roulette/status")
        .await
        .expect_error(400, "INVALID_ROULETTE_CONFIG");
    player
        .play("/api/roulette/play")
        .await
        .expect_error(400, "INVALID_ROULETTE_CONFIG");
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        1
    );
}
