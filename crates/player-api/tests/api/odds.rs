use serde_json::json;
use sha2::{Digest, Sha256};
use xmas_test_support::TestApp;

#[tokio::test]
async fn the_odds_of_a_game_are_public() {
    let app = TestApp::start().await;
    let odds = app.anonymous().get("/api/odds/lottery").await;
    insta::assert_json_snapshot!(odds.expect_status(200).body);
    for feature in ["ROULETTE", "dice"] {
        let path = format!("/api/odds/{feature}");
        let odds = app.anonymous().get(&path).await.expect_status(200).body;
        let probabilities = odds["entries"].as_array().unwrap().iter();
        let sum: f64 = probabilities
            .map(|entry| entry["probability"].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{feature}: {sum}");
        let content = odds["content"].as_str().unwrap();
        assert_eq!(odds["content_hash"], hex::encode(Sha256::digest(content)));
    }
}

#[tokio::test]
async fn what_has_run_out_is_shown_and_does_not_come_up() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE label = '배민 2만'")
        .await;
    let odds = app.anonymous().get("/api/odds/lottery").await.body;
    let entries = odds["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &odds["total_weight"]), (5, &json!(980)));
    let coupon = &entries[4];
    assert_eq!(coupon["label"], "배민 2만");
    assert_eq!(
        (&coupon["stock"], &coupon["probability"]),
        (&json!(0), &json!(0.0))
    );
    assert!(!odds["content"].as_str().unwrap().contains("배민 2만"));
}

#[tokio::test]
async fn a_table_that_a_receipt_names_stays_what_it_was() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let before = client.get("/api/odds/roulette").await.body;
    let id = before["odds_id"].as_i64().unwrap();
    let past = client
        .get(&format!("/api/odds/roulette?odds_id={id}"))
        .await;
    assert_eq!(past.expect_status(200).body["content"], before["content"]);
    for path in [
        format!("/api/odds/dice?odds_id={id}"),
        "/api/odds/roulette?odds_id=999999".to_owned(),
        "/api/odds/season_pass".to_owned(),
        "/api/odds/poker".to_owned(),
        "/api/odds/%EB%A3%B0%EB%A0%9B".to_owned(),
    ] {
        client.get(&path).await.expect_error(404, "ODDS_NOT_FOUND");
    }
    for id in ["one", "-1", "0", "9000000000000001"] {
        let refused = client
            .get(&format!("/api/odds/roulette?odds_id={id}"))
            .await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
        assert!(refused["error"]["details"]["odds_id"].is_array(), "{id}");
    }
}

#[tokio::test]
async fn a_broken_game_has_no_odds() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0")
        .await;
    app.anonymous()
        .get("/api/odds/roulette")
        .await
        .expect_error(400, "INVALID_ROULETTE_CONFIG");
    let tables = app.test.count("SELECT COUNT(*) FROM odds_table").await;
    assert_eq!(json!(tables), 0);
}
