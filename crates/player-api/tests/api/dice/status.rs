use xmas_kernel::Asset;
use xmas_test_support::TestApp;

#[tokio::test]
async fn the_status_answers_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::DiceToken, 4).await;
    let status = player.get("/api/dice/status").await.expect_status(200);
    insta::assert_json_snapshot!(status.body);
}
