use serde_json::json;
use xmas_test_support::TestApp;

/// Gives a player XP as if earned, without moving their season.
async fn give_xp(app: &TestApp, user_id: i64, xp: i64) {
    app.test
        .execute(&format!(
            "INSERT INTO season_pass_progress VALUES ({user_id}, 1, {xp}, 0, 0, 0, NULL, 0, \
             '2025-12-26 00:00:00.000000')"
        ))
        .await;
}

#[tokio::test]
async fn a_claim_pays_once_and_says_how_far_it_is() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    give_xp(&app, player.identity().user_id.0, 1_600).await;
    let claim = async |level: i64| {
        player
            .post("/api/season-pass/claim", &json!({ "level": level }))
            .await
    };
    let coins = claim(7).await.expect_status(200);
    insta::assert_json_snapshot!(coins.body);
    for level in [8, 9, 10] {
        assert_eq!(
            claim(level).await.expect_status(200).body["state"],
            "PENDING_REVIEW"
        );
        claim(level)
            .await
            .expect_error(400, "REWARD_ALREADY_CLAIMED");
    }
    claim(1).await.expect_error(400, "AUTO_CLAIM_LEVEL");
    claim(11).await.expect_error(404, "LEVEL_NOT_FOUND");
    // The first claim moved the season, which paid the six levels that pay by themselves.
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM season_pass_reward_log")
            .await,
        10
    );
    assert_eq!(app.test.count("SELECT level FROM user_profiles").await, 11);
    assert_eq!(
        app.test.count("SELECT SUM(delta) FROM wallet_ledger").await,
        1 + 1 + (1 + 1) + 1 + 2 + (2 + 1)
    );
}

#[tokio::test]
async fn a_level_that_is_not_reached_is_not_paid() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for (level, status, code) in [
        (7, 400, "LEVEL_NOT_REACHED"),
        (1, 400, "LEVEL_NOT_REACHED"),
        (0, 404, "LEVEL_NOT_FOUND"),
        (-1, 404, "LEVEL_NOT_FOUND"),
        (i64::MAX, 404, "LEVEL_NOT_FOUND"),
    ] {
        let refused = player
            .post("/api/season-pass/claim", &json!({ "level": level }))
            .await;
        refused.expect_error(status, code);
    }
    for body in [
        json!({ "level": "7" }),
        json!({ "level": 7.5 }),
        json!({}),
        json!([7]),
        json!(7),
    ] {
        let refused = player.post("/api/season-pass/claim", &body).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM season_pass_reward_log")
            .await,
        0
    );
}

#[tokio::test]
async fn a_retried_claim_repeats_its_answer() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    give_xp(&app, player.identity().user_id.0, 650).await;
    let body = json!({ "level": 7 });
    let first = player
        .post_keyed("/api/season-pass/claim", &body, "k")
        .await
        .expect_status(200);
    let again = player
        .post_keyed("/api/season-pass/claim", &body, "k")
        .await
        .expect_status(200);
    assert!(again.is_replayed());
    assert_eq!(again.text, first.text);
}
