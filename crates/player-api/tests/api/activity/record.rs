use serde_json::json;
use xmas_test_support::TestApp;

const PATH: &str = "/api/activity/record";

#[tokio::test]
async fn a_report_counts_once() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let report = json!({
        "event_id": "6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11", "event_type": "PLAY_DURATION", "value": 42,
        "meta_json": { "page": "룰렛" },
    });
    let first = player.post(PATH, &report).await.expect_status(200);
    assert_eq!(first.body["updated_at"], "2025-12-26T09:00:00.000000+09:00");
    app.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(
        player.post(PATH, &report).await.expect_status(200).body,
        first.body
    );
    let rows = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'CLIENT_PLAY_DURATION'";
    assert_eq!(app.test.count(rows).await, 1);
}

#[tokio::test]
async fn a_key_repeats_the_answer() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let report = |id: &str| json!({ "event_id": id, "event_type": "ENTER_PAGE" });
    let first = report("6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11");
    assert!(
        !player
            .post_keyed(PATH, &first, "k")
            .await
            .expect_status(200)
            .is_replayed()
    );
    assert!(
        player
            .post_keyed(PATH, &first, "k")
            .await
            .expect_status(200)
            .is_replayed()
    );
    let other = report("6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c12");
    let reused = player.post_keyed(PATH, &other, "k").await;
    reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn bad_reports_are_refused() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let id = "6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11";
    let nested = |depth: usize| -> serde_json::Value {
        serde_json::from_str(&("[".repeat(depth) + &"]".repeat(depth))).unwrap()
    };
    let deepest = json!({ "event_id": id, "event_type": "ENTER_PAGE", "meta_json": nested(16) });
    player.post(PATH, &deepest).await.expect_status(200);
    for body in [
        json!({ "event_id": id, "event_type": "ENTER_PAGE", "meta_json": nested(17) }),
        json!({ "event_id": id, "event_type": "ENTER_PAGE", "meta_json": nested(100) }),
        json!({ "event_id": "7", "event_type": "ENTER_PAGE" }),
        json!({ "event_id": id, "event_type": "AUTH_LOGIN" }),
        json!({ "event_id": id, "event_type": "KEY_DAY_1_ROULETTE" }),
        json!({ "event_id": id, "event_type": "ENTER_PAGE", "value": 1e300 }),
        json!({ "event_id": id, "event_type": "ENTER_PAGE", "meta_json": "x".repeat(5_000) }),
        json!({ "event_type": "ENTER_PAGE" }),
    ] {
        player
            .post(PATH, &body)
            .await
            .expect_error(422, "VALIDATION_ERROR");
    }
    app.anonymous()
        .post(PATH, &json!({}))
        .await
        .expect_error(401, "AUTH_REQUIRED");
}
