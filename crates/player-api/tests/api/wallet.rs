use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn every_asset_is_there_also_what_was_never_held() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    app.player("rudolf", 9).await;
    let wallet = player.get("/api/wallet").await.expect_status(200);
    assert_eq!(
        wallet.body,
        json!({
            "balances": {
                "POINT": 0,
                "ROULETTE_COIN": 3,
                "DICE_TOKEN": 0,
                "LOTTERY_TICKET": 0,
                "CC_COIN": 0,
            }
        })
    );
}

#[tokio::test]
async fn a_play_shows_in_the_wallet() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    let spin = player.play("/api/roulette/play").await.expect_status(200);
    let wallet = player.get("/api/wallet").await.expect_status(200);
    assert_eq!(
        wallet.body["balances"]["ROULETTE_COIN"],
        spin.body["token_balance"]
    );
}

#[tokio::test]
async fn only_a_player_who_may_act_sees_it() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous().get("/api/wallet").await;
    anonymous.expect_error(401, "AUTH_REQUIRED");
    let admin = app.admin("root").await;
    let refused = admin.get("/api/wallet").await;
    refused.expect_error(403, "FORBIDDEN_SCOPE");
    let player = app.player("santa", 3).await;
    app.test.block(&player.identity()).await;
    let refused = player.get("/api/wallet").await;
    refused.expect_error(403, "USER_BLOCKED");
}
