use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

const PATH: &str = "/admin/api/dice-config/";
const ONE: &str = "/admin/api/dice-config/1";
const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";

fn content(answer: &Value) -> Value {
    let mut content = answer.clone();
    for field in ["updated_at", "version"] {
        content.as_object_mut().unwrap().remove(field);
    }
    content
}

fn new_dice(name: &str) -> Value {
    json!({
        "name": name, "max_daily_plays": 3,
        "win_reward_type": "TICKET_DICE", "win_reward_value": 2,
        "draw_reward_type": "POINT", "draw_reward_amount": 10,
        "lose_reward_type": "NONE",
    })
}

#[tokio::test]
async fn a_game_is_added_switched_on_and_removed() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    app.give(player.identity(), Asset::DiceToken, 5).await;
    let added = admin
        .post(PATH, &new_dice("둘째"))
        .await
        .expect_status(201)
        .body;
    assert_eq!(
        (&added["is_active"], &added["lose_reward_value"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(
        (&added["draw_reward_value"], &added["draw_reward_amount"]),
        (&json!(10), &json!(10))
    );
    let before = app.statements();
    let list = admin.get(PATH).await.expect_status(200).body;
    assert_eq!(app.statements() - before, 2);
    let ids: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, [&json!(2), &json!(1)]);
    let second = "/admin/api/dice-config/2";
    let on = admin
        .put(second, &json!({ "is_active": true }))
        .await
        .expect_status(200);
    assert_eq!(on.body["is_active"], true);
    assert_eq!(admin.get(ONE).await.body["is_active"], false);
    let status = player.get("/api/dice/status").await.expect_status(200).body;
    assert_eq!(
        (&status["config_id"], &status["max_daily_plays"]),
        (&json!(2), &json!(3))
    );
    player.play("/api/dice/play").await.expect_status(200);
    admin
        .delete(second)
        .await
        .expect_error(409, "CONFIG_IN_USE");
    admin.delete(ONE).await.expect_status(204);
    admin
        .get(ONE)
        .await
        .expect_error(404, "DICE_CONFIG_NOT_FOUND");
    let told = format!(
        "{AUDIT} WHERE action = 'DICE_DELETE' AND resource = 'dice:1' AND after_json IS NULL"
    );
    assert_eq!(app.test.count(&told).await, 1);
}

#[tokio::test]
async fn a_form_that_is_sent_back_changes_the_one_field_only() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let coupon =
        json!({ "draw_reward_type": "COUPON", "draw_reward_value": 1, "draw_reward_item": 1 });
    let loaded = admin.put(ONE, &coupon).await.expect_status(200).body;
    // The fields that the old admin client knows.
    let known = [
        "name",
        "is_active",
        "max_daily_plays",
        "win_reward_type",
        "win_reward_value",
        "draw_reward_type",
        "draw_reward_value",
        "lose_reward_type",
        "lose_reward_value",
    ];
    let form: serde_json::Map<_, _> = known
        .iter()
        .map(|name| ((*name).to_owned(), loaded[name].clone()))
        .collect();
    let mut form = Value::Object(form);
    form["win_reward_value"] = json!(700);
    let saved = admin.put(ONE, &form).await.expect_status(200).body;
    let mut expected = content(&loaded);
    expected["win_reward_value"] = json!(700);
    expected["win_reward_amount"] = json!(700);
    assert_eq!(content(&saved), expected);
    assert_eq!(saved["draw_reward_item"], 1);
    // All that was loaded, with one field changed.
    let mut whole = content(&saved);
    whole["lose_reward_type"] = json!("POINT");
    whole["lose_reward_value"] = json!(1);
    let saved = admin.put(ONE, &whole).await.expect_status(200).body;
    assert_eq!(
        (&saved["lose_reward_type"], &saved["lose_reward_amount"]),
        (&json!("POINT"), &json!(1))
    );
    let mut whole = content(&saved);
    whole["draw_reward_type"] = json!("NONE");
    whole["draw_reward_value"] = json!(0);
    let saved = admin.put(ONE, &whole).await.expect_status(200).body;
    assert_eq!(
        (&saved["draw_reward_item"], &saved["draw_reward_amount"]),
        (&Value::Null, &json!(0))
    );
    // Any subset.
    let saved = admin.put(ONE, &json!({})).await.expect_status(200).body;
    whole["draw_reward_amount"] = json!(0);
    whole["draw_reward_item"] = Value::Null;
    assert_eq!(content(&saved), content(&whole));
}

#[tokio::test]
async fn a_game_with_a_mistake_is_told_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(ONE).await.expect_status(200).body;
    for (edit, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "win_reward_type": "GOLD" }), "win_reward_type"),
        (json!({ "win_reward_value": -1 }), "win_reward_value"),
        (
            json!({ "win_reward_value": 1, "win_reward_amount": 2 }),
            "win_reward_value",
        ),
        (json!({ "win_reward_value": -5 }), "win_reward_value"),
        (json!({ "lose_reward_value": 1 }), "lose_reward_value"),
        (json!({ "lose_reward_type": "POINT" }), "lose_reward_value"),
        (
            json!({ "draw_reward_type": "BUNDLE", "draw_reward_value": 1 }),
            "draw_reward_item",
        ),
        (
            json!({ "draw_reward_type": "BUNDLE", "draw_reward_value": 1, "draw_reward_item": 99 }),
            "draw_reward_item",
        ),
        (json!({ "draw_reward_item": 1 }), "draw_reward_item"),
        (json!({ "draw_reward_value": 1.5 }), "draw_reward_value"),
        (json!({ "is_active": "yes" }), "is_active"),
    ] {
        let refused = admin
            .put(ONE, &edit)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    for daily in [-1, i64::MAX] {
        let refused = admin.put(ONE, &json!({ "max_daily_plays": daily })).await;
        let refused = refused.expect_error(400, "INVALID_MAX_DAILY_PLAYS");
        assert!(refused.body["error"]["details"]["max_daily_plays"].is_array());
    }
    let refused = admin
        .post(PATH, &json!({}))
        .await
        .expect_error(422, "VALIDATION_ERROR");
    for field in [
        "name",
        "win_reward_type",
        "draw_reward_type",
        "lose_reward_type",
    ] {
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    let late = json!({ "name": "나중", "version": "0123456789abcdef" });
    admin
        .put(ONE, &late)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    assert_eq!(admin.get(ONE).await.body, before);
    assert_eq!(app.test.count(AUDIT).await, 0);
    for path in ["9", "one"] {
        let path = format!("/admin/api/dice-config/{path}");
        admin
            .put(&path, &json!({}))
            .await
            .expect_error(404, "DICE_CONFIG_NOT_FOUND");
    }
}
