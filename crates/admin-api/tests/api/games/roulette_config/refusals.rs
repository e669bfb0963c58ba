//! What is not saved, and what is not removed.

use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{AUDIT, PATH, item, load, new_wheel, old_form};

#[tokio::test]
async fn only_what_was_never_played_is_removed() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    admin
        .post(PATH, &new_wheel("둘째"))
        .await
        .expect_status(201);
    let removed = admin.delete(&item(2)).await.expect_status(204);
    assert_eq!(removed.text, "");
    admin
        .delete(&item(2))
        .await
        .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM roulette_segment")
            .await,
        6
    );
    // Somebody has looked at the first one, and then played it.
    player.get("/api/roulette/status").await.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
    let before = app.test.count(AUDIT).await;
    admin
        .delete(&item(1))
        .await
        .expect_error(409, "CONFIG_IN_USE");
    assert_eq!(app.test.count(AUDIT).await, before);
    player.get("/api/roulette/status").await.expect_status(200);
    for path in [
        "0",
        "-1",
        "99",
        "9223372036854775807",
        "99999999999999999999",
        "one",
        "1%20",
    ] {
        let path = format!("/admin/api/roulette-config/{path}");
        admin
            .get(&path)
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
        admin
            .put(&path, &json!({}))
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
        admin
            .delete(&path)
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    }
    assert_eq!(app.test.count(AUDIT).await, before);
}

#[tokio::test]
async fn a_play_from_before_odds_were_recorded_keeps_its_wheel_too() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    app.test
        .execute(&format!(
            "INSERT INTO feature_log (user_id, feature_type, config_id, nonce, outcome, is_win, \
             reward_type, reward_amount, event_day, created_at) VALUES ({}, 'ROULETTE', 1, 0, '{{}}', \
             0, 'NONE', 0, '2025-12-25', '2025-12-25 00:00:00.000000')",
            player.identity().user_id
        ))
        .await;
    admin
        .delete(&item(1))
        .await
        .expect_error(409, "CONFIG_IN_USE");
}

#[tokio::test]
async fn a_wheel_with_a_mistake_is_told_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = load(&admin, 1).await;
    let with = |index: usize, field: &str, value: Value| {
        let mut form = old_form(&before);
        form["segments"][index][field] = value;
        form
    };
    let mut five = old_form(&before);
    five["segments"].as_array_mut().unwrap().pop();
    let mut seven = old_form(&before);
    let again = seven["segments"][0].clone();
    seven["segments"].as_array_mut().unwrap().push(again);
    let mut nothing = old_form(&before);
    for segment in nothing["segments"].as_array_mut().unwrap() {
        segment["weight"] = json!(0);
    }
    let wheel = (400, "INVALID_ROULETTE_CONFIG");
    let daily = (400, "INVALID_MAX_DAILY_PLAYS");
    let other = (422, "VALIDATION_ERROR");
    for (edit, (status, code), field) in [
        (five, wheel, "segments"),
        (seven, wheel, "segments"),
        (nothing, wheel, "segments"),
        (json!({ "segments": [] }), wheel, "segments"),
        (with(1, "index", json!(0)), wheel, "segments.1.index"),
        (with(1, "index", json!(6)), wheel, "segments.1.index"),
        (with(1, "index", json!(i64::MAX)), wheel, "segments.1.index"),
        (with(2, "weight", json!(-1)), wheel, "segments.2.weight"),
        (
            with(2, "weight", json!(i64::MAX)),
            wheel,
            "segments.2.weight",
        ),
        (with(2, "weight", json!("많이")), other, "segments.2.weight"),
        (with(2, "slot_index", json!(3)), other, "segments.2.index"),
        (
            with(3, "reward_type", json!("GOLD")),
            other,
            "segments.3.reward_type",
        ),
        (
            with(3, "reward_type", json!("point")),
            other,
            "segments.3.reward_type",
        ),
        (
            with(3, "reward_value", json!(-1)),
            other,
            "segments.3.reward_value",
        ),
        (
            with(3, "reward_value", json!(i64::MAX)),
            other,
            "segments.3.reward_value",
        ),
        (
            with(0, "reward_value", json!(1)),
            other,
            "segments.0.reward_value",
        ),
        (
            with(3, "reward_item", json!(1)),
            other,
            "segments.3.reward_item",
        ),
        (with(4, "label", json!("")), other, "segments.4.label"),
        (
            with(4, "label", json!("가".repeat(101))),
            other,
            "segments.4.label",
        ),
        (
            with(4, "label", json!("a\u{0}b")),
            other,
            "segments.4.label",
        ),
        (json!({ "name": " 룰렛" }), other, "name"),
        (json!({ "name": "" }), other, "name"),
        (json!({ "max_daily_spins": -1 }), daily, "max_daily_spins"),
        (
            json!({ "max_daily_spins": i64::MAX }),
            daily,
            "max_daily_spins",
        ),
        (json!({ "is_active": 1 }), other, "is_active"),
        (json!({ "is_active": false, "name": "" }), other, "name"),
    ] {
        let refused = admin.put(&item(1), &edit).await.expect_error(status, code);
        let details = &refused.body["error"]["details"];
        assert!(details[field].is_array(), "{field}: {}", refused.text);
    }
    for (reward, field) in [
        (
            json!({ "reward_type": "BUNDLE", "reward_value": 1 }),
            "reward_item",
        ),
        (
            json!({ "reward_type": "BUNDLE", "reward_value": 1, "reward_item": 99 }),
            "reward_item",
        ),
        (
            json!({ "reward_type": "COUPON", "reward_value": 2, "reward_item": 1 }),
            "reward_value",
        ),
        (
            json!({ "reward_type": "POINT", "reward_value": 5, "reward_amount": 6 }),
            "reward_value",
        ),
    ] {
        let mut form = old_form(&before);
        for (name, value) in reward.as_object().unwrap() {
            form["segments"][3][name] = value.clone();
        }
        let refused = admin
            .put(&item(1), &form)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        let details = &refused.body["error"]["details"];
        assert!(
            details[format!("segments.3.{field}")].is_array(),
            "{}",
            refused.text
        );
    }
    // A new one is missing everything.
    let refused = admin.post(PATH, &json!({})).await;
    let refused = refused.expect_error(400, "INVALID_ROULETTE_CONFIG");
    assert!(refused.body["error"]["details"]["name"].is_array());
    let refused = admin
        .post(
            PATH,
            &json!({ "name": "a", "segments": [{}, {}, {}, {}, {}, {}] }),
        )
        .await;
    let refused = refused.expect_error(400, "INVALID_ROULETTE_CONFIG");
    for field in ["label", "weight", "reward_type"] {
        assert!(refused.body["error"]["details"][format!("segments.5.{field}")].is_array());
    }
    admin
        .post(PATH, &json!([]))
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert_eq!(load(&admin, 1).await, before);
    assert_eq!(app.test.count(AUDIT).await, 0);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM roulette_config").await,
        1
    );
}
