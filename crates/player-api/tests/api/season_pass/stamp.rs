use chrono::TimeDelta;
use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn one_stamp_a_day_whatever_the_source() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let stamp = async |source: &str| {
        player
            .post(
                "/api/season-pass/stamp",
                &json!({ "source_feature_type": source }),
            )
            .await
    };
    let first = stamp("ROULETTE").await.expect_status(200);
    insta::assert_json_snapshot!(first.body);
    for source in ["ROULETTE", "DICE", "SEASON_PASS"] {
        stamp(source)
            .await
            .expect_error(400, "ALREADY_STAMPED_TODAY");
    }
    // The last microsecond of the day, and the first of the next.
    app.clock
        .advance(TimeDelta::hours(15) - TimeDelta::microseconds(1));
    let player = app.with_token(app.login("santa").await.body["access_token"].as_str());
    let stamp = async || {
        let body = json!({ "source_feature_type": "LOTTERY" });
        player.post("/api/season-pass/stamp", &body).await
    };
    stamp().await.expect_error(400, "ALREADY_STAMPED_TODAY");
    app.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(stamp().await.expect_status(200).body["current_xp"], 40);
}

#[tokio::test]
async fn what_a_client_proposes_is_bounded() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for (body, field) in [
        (
            json!({ "source_feature_type": "SURVEY" }),
            "source_feature_type",
        ),
        (
            json!({ "source_feature_type": "roulette" }),
            "source_feature_type",
        ),
        (
            json!({ "source_feature_type": null }),
            "source_feature_type",
        ),
        (json!({}), "source_feature_type"),
        (
            json!({ "source_feature_type": "DICE", "xp_bonus": 21 }),
            "xp_bonus",
        ),
        (
            json!({ "source_feature_type": "DICE", "xp_bonus": -1 }),
            "xp_bonus",
        ),
        (
            json!({ "source_feature_type": "DICE", "xp_bonus": 1e30 }),
            "xp_bonus",
        ),
        (
            json!({ "source_feature_type": "DICE", "xp_bonus": "7" }),
            "xp_bonus",
        ),
    ] {
        let refused = player.post("/api/season-pass/stamp", &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM season_pass_stamp_log")
            .await,
        0
    );
    let allowed = json!({ "source_feature_type": "DICE", "xp_bonus": 20 });
    let stamp = player
        .post("/api/season-pass/stamp", &allowed)
        .await
        .expect_status(200);
    assert_eq!(stamp.body["xp_added"], 40);
}

#[tokio::test]
async fn the_source_must_be_switched_on() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.test
        .execute("UPDATE feature_config SET is_enabled = 0 WHERE feature_type = 'DICE'")
        .await;
    let dice = json!({ "source_feature_type": "DICE" });
    player
        .post("/api/season-pass/stamp", &dice)
        .await
        .expect_error(400, "FEATURE_DISABLED");
}

#[tokio::test]
async fn a_retry_repeats_the_answer_and_a_reused_key_is_refused() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let path = "/api/season-pass/stamp";
    let body = json!({ "source_feature_type": "ROULETTE" });
    let first = player
        .post_keyed(path, &body, "key-1")
        .await
        .expect_status(200);
    let again = player
        .post_keyed(path, &body, "key-1")
        .await
        .expect_status(200);
    assert!(!first.is_replayed() && again.is_replayed());
    assert_eq!(first.text, again.text);
    let other = json!({ "source_feature_type": "DICE" });
    player
        .post_keyed(path, &other, "key-1")
        .await
        .expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    let claim = json!({ "level": 7 });
    let reused = player
        .post_keyed("/api/season-pass/claim", &claim, "key-1")
        .await;
    reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    // Another player's key of the same name is their own.
    let other = app.player("rudolf", 0).await;
    assert!(
        !other
            .post_keyed(path, &body, "key-1")
            .await
            .expect_status(200)
            .is_replayed()
    );
    for key in ["", "has space", &"k".repeat(256)] {
        let refused = player.post_keyed(path, &body, key).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
}
