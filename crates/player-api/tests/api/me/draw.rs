use chrono::TimeDelta;
use xmas_games::fairness::{DrawReceipt, Published};
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_play_of_each_game_can_be_checked_after_its_day() {
    let app = TestApp::start().await;
    let player = app.player("santa", 2).await;
    app.give(player.identity(), Asset::DiceToken, 2).await;
    app.give(player.identity(), Asset::LotteryTicket, 2).await;
    let published = app.anonymous().get("/api/fairness/2025-12-26").await.body;
    let published = Published {
        commitment: published["commitment"].as_str(),
        ..Published::default()
    };
    let mut plays = Vec::new();
    for game in ["roulette", "dice", "lottery"] {
        let play = player.play(&format!("/api/{game}/play")).await;
        let receipt = play.expect_status(200).body["receipt"].clone();
        plays.push((game, receipt["play_id"].as_i64().unwrap()));
    }
    app.clock.advance(TimeDelta::hours(16));
    let token = app.login("santa").await.body["access_token"].clone();
    let player = app.with_token(token.as_str());
    for (game, play) in plays {
        let receipt = player.get(&format!("/api/me/plays/{play}/draw")).await;
        let receipt = receipt.expect_status(200).text;
        let verified = DrawReceipt::verify(receipt.as_bytes(), published).unwrap();
        assert_eq!(verified.feature.as_str(), game.to_uppercase());
    }
}

#[tokio::test]
async fn only_one_s_own_plays_are_found() {
    let app = TestApp::start().await;
    let (player, other) = (app.player("santa", 1).await, app.player("rudolf", 0).await);
    let play = player.play("/api/roulette/play").await.expect_status(200);
    let own = format!("/api/me/plays/{}/draw", play.body["receipt"]["play_id"]);
    player
        .get(&own)
        .await
        .expect_error(400, "SEED_NOT_REVEALED");
    for path in [
        own.as_str(),
        "/api/me/plays/999999/draw",
        "/api/me/plays/-1/draw",
        "/api/me/plays/one/draw",
        "/api/me/plays/99999999999999999999/draw",
    ] {
        other.get(path).await.expect_error(404, "PLAY_NOT_FOUND");
    }
    app.test.block(&player.identity()).await;
    player.get(&own).await.expect_error(403, "USER_BLOCKED");
}
