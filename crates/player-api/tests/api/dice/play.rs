use serde_json::json;
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_throw_answers_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::DiceToken, 2).await;
    let game = player.play("/api/dice/play").await.expect_status(200).body;
    assert_eq!(game["result"], "OK");
    assert_eq!(
        (&game["token_balance"], &game["season_pass"]),
        (&json!(1), &json!(null))
    );
    let dice = |who: &str| -> Vec<i64> {
        let dice = game["game"][who].as_array().unwrap().iter();
        dice.map(|die| die.as_i64().unwrap()).collect()
    };
    let (user, dealer) = (dice("user_dice"), dice("dealer_dice"));
    assert_eq!((user.len(), dealer.len()), (2, 2));
    assert!(user.iter().chain(&dealer).all(|die| (1..=6).contains(die)));
    let sums: (i64, i64) = (user.iter().sum(), dealer.iter().sum());
    assert_eq!(
        (&game["game"]["user_sum"], &game["game"]["dealer_sum"]),
        (&json!(sums.0), &json!(sums.1))
    );
    let (outcome, kind, amount) = match sums.0.cmp(&sums.1) {
        std::cmp::Ordering::Greater => ("WIN", "POINT", 500),
        std::cmp::Ordering::Equal => ("DRAW", "POINT", 100),
        std::cmp::Ordering::Less => ("LOSE", "NONE", 0),
    };
    assert_eq!(game["game"]["outcome"], outcome);
    assert_eq!(game["game"]["reward_type"], kind);
    assert_eq!(game["game"]["reward_amount"], amount);
    assert_eq!(game["receipt"]["nonce"], 0);
    assert_eq!(game["receipt"]["attempt"], 0);
    let points = player.get("/api/wallet").await.body["balances"]["POINT"].clone();
    assert_eq!(points, amount);
}

#[tokio::test]
async fn no_token_no_throw() {
    let app = TestApp::start().await;
    let player = app.player("santa", 3).await;
    player
        .play("/api/dice/play")
        .await
        .expect_error(400, "NOT_ENOUGH_TOKENS");
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
}

#[tokio::test]
async fn when_the_day_is_used_up_nothing_is_left() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::DiceToken, 3).await;
    app.test
        .execute("UPDATE dice_config SET max_daily_plays = 1")
        .await;
    player.play("/api/dice/play").await.expect_status(200);
    player
        .play("/api/dice/play")
        .await
        .expect_error(400, "DAILY_LIMIT_REACHED");
    let status = player.get("/api/dice/status").await.body;
    let left = (&status["today_plays"], &status["remaining_plays"]);
    assert_eq!(left, (&json!(1), &json!(-1)));
}

#[tokio::test]
async fn a_broken_game_takes_no_token() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::DiceToken, 1).await;
    app.test
        .execute("UPDATE dice_config SET win_reward_amount = 1000000001")
        .await;
    for path in ["/api/dice/status", "/api/odds/dice"] {
        player
            .get(path)
            .await
            .expect_error(400, "INVALID_DICE_CONFIG");
    }
    player
        .play("/api/dice/play")
        .await
        .expect_error(400, "INVALID_DICE_CONFIG");
    let wallet = player.get("/api/wallet").await.body;
    assert_eq!(wallet["balances"]["DICE_TOKEN"], 1);
}
