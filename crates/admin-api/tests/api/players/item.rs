use serde_json::{Value, json};
use xmas_test_support::TestApp;
use xmas_time::EventDay;

use super::{USERS, assert_sound, audits, form_of, get, log_in, path_of, stamp};

const XP: &str = "SELECT current_xp FROM season_pass_progress";

#[tokio::test]
async fn a_form_that_comes_back_whole_does_not_undo_what_was_earned_meanwhile() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 3).await;
    stamp(&player).await;
    let path = path_of(&player);
    let loaded = get(&admin, &path).await;
    assert_eq!((&loaded["xp"], &loaded["level"]), (&json!(20), &json!(1)));
    for _ in 0..3 {
        player.play("/api/roulette/play").await.expect_status(200);
    }
    let earned = app.test.count(XP).await;
    assert!(earned >= 35, "{earned}");
    let mut form = form_of(&loaded);
    form["nickname"] = json!("크리스마스 산타");
    let saved = admin.put(&path, &form).await.expect_status(200).body;
    assert_eq!(saved["nickname"], "크리스마스 산타");
    assert_eq!(saved["xp"], earned);
    assert_eq!(app.test.count(XP).await, earned);
    // Neither is anybody logged out, nor a password changed, nor XP corrected.
    player.get("/api/wallet").await.expect_status(200);
    app.login("santa").await.expect_status(200);
    let corrections = "SELECT COUNT(*) FROM reward_log WHERE source = 'CORRECTION'";
    assert_eq!(app.test.count(corrections).await, 0);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_UPDATE' \
                AND before_json = '{\"nickname\":\"산타\"}' \
                AND after_json = '{\"nickname\":\"크리스마스 산타\"}'";
    assert_eq!(app.test.count(told).await, 1);
    // Whoever says which version they have seen is told of the XP instead.
    form["version"] = loaded["version"].clone();
    let stale = admin.put(&path, &form).await;
    stale.expect_error(409, "VERSION_CONFLICT");
    let request = admin.request("PUT".parse().unwrap(), &path);
    let request = request
        .json(&json!({}))
        .header("if-match", loaded["version"].as_str().unwrap());
    admin
        .send(request)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    assert_sound(&app).await;
}

#[tokio::test]
async fn more_xp_is_a_correction_with_a_receipt() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    stamp(&player).await;
    let path = path_of(&player);
    let mut form = form_of(&get(&admin, &path).await);
    form["xp"] = json!(100);
    let reason = "가".repeat(200);
    let encoded: String = reason.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let request = admin.request("PUT".parse().unwrap(), &path).json(&form);
    let saved = admin
        .send(request.header("x-reason", encoded))
        .await
        .expect_status(200)
        .body;
    assert_eq!((&saved["xp"], &saved["level"]), (&json!(100), &json!(3)));
    // Levels that pay by themselves are paid: the coin, the dice token, and one of each.
    let wallet = get(&player, "/api/wallet").await;
    let total: i64 = app
        .test
        .count("SELECT SUM(balance) FROM user_game_wallet")
        .await;
    assert_eq!(total, 4, "{wallet}");
    let receipt = format!(
        "SELECT COUNT(*) FROM reward_log WHERE source = 'CORRECTION' AND reward_type = 'XP' \
         AND amount = 80 AND state = 'DELIVERED' AND delivered_at IS NOT NULL AND label IS NULL \
         AND season_id IS NOT NULL AND grant_key LIKE 'correction:%' AND reason = '{}'",
        "가".repeat(191)
    );
    assert_eq!(app.test.count(&receipt).await, 1);
    let event = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'REWARD_GRANTED' \
                 AND meta_json LIKE '%correction:%'";
    assert_eq!(app.test.count(event).await, 1);
    // The player sees it too.
    let history = get(&player, "/api/me/history?kind=reward&limit=200").await;
    let items = history["items"].as_array().unwrap();
    assert!(
        items
            .iter()
            .any(|item| item["reward_type"] == "XP" && item["reward_amount"] == 80),
        "{history}"
    );
    // The same form again is an echo.
    admin.put(&path, &form).await.expect_status(200);
    assert_eq!(app.test.count(XP).await, 100);
    // A level alone is what it requires.
    let mut form = form_of(&saved);
    form["level"] = json!(5);
    let saved = admin.put(&path, &form).await.expect_status(200).body;
    assert_eq!(
        (&saved["xp"], &saved["season_level"]),
        (&json!(300), &json!(5))
    );
    // And a lower one is an echo.
    form["level"] = json!(2);
    let saved = admin.put(&path, &form).await.expect_status(200).body;
    assert_eq!(saved["xp"], 300);
    assert_sound(&app).await;
}

#[tokio::test]
async fn a_whole_answer_from_before_the_player_rose_can_be_sent_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let path = path_of(&player);
    let mut loaded = admin.get(&path).await.expect_status(200).body;
    loaded.as_object_mut().unwrap().remove("version");
    stamp(&player).await;
    loaded["nickname"] = json!("루돌프");
    let saved = admin.put(&path, &loaded).await.expect_status(200).body;
    assert_eq!(
        (&saved["nickname"], &saved["account_level"], &saved["xp"]),
        (&json!("루돌프"), &json!(2), &json!(20))
    );
    loaded["account_level"] = json!(3);
    let refused = admin.put(&path, &loaded).await;
    refused.expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn with_a_version_xp_is_exact_and_takes_nothing_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let path = path_of(&player);
    let raised = admin
        .put(&path, &json!({ "xp": 120 }))
        .await
        .expect_status(200)
        .body;
    assert_eq!(raised["account_level"], 4);
    let lower = json!({ "xp": 30, "level": 3, "version": raised["version"] });
    let lowered = admin.put(&path, &lower).await.expect_status(200).body;
    assert_eq!((&lowered["xp"], &lowered["level"]), (&json!(30), &json!(1)));
    assert_eq!(lowered["account_level"], 4);
    let standing = "SELECT COUNT(*) FROM season_pass_progress WHERE current_xp = 30 \
                    AND current_level = 1 AND level_high_water = 3";
    assert_eq!(app.test.count(standing).await, 1);
    let receipts = "SELECT COUNT(*) FROM reward_log WHERE source = 'CORRECTION' \
                    AND amount IN (120, -90) AND reason IS NULL";
    assert_eq!(app.test.count(receipts).await, 2);
    let status = get(&player, "/api/season-pass/status").await;
    assert_eq!(status["progress"]["current_xp"], 30);
    let history = get(&player, "/api/me/history?kind=reward&limit=200").await;
    assert!(history.to_string().contains("-90"), "{history}");
    assert_sound(&app).await;
    // What was paid is not paid again on the way up.
    let paid = app
        .test
        .count("SELECT COUNT(*) FROM season_pass_reward_log")
        .await;
    let again = json!({ "level": 3, "version": lowered["version"] });
    let again = admin.put(&path, &again).await.expect_status(200).body;
    assert_eq!(again["xp"], 100);
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM season_pass_reward_log")
            .await,
        paid
    );
    let none = json!({ "level": 0, "version": again["version"] });
    let none = admin.put(&path, &none).await.expect_status(200).body;
    assert_eq!((&none["xp"], &none["level"]), (&json!(0), &json!(0)));
    assert_sound(&app).await;
}

#[tokio::test]
async fn between_seasons_an_echo_is_saved_and_a_correction_is_not() {
    let app = TestApp::start().await;
    app.admin("operator").await;
    let player = app.player("santa", 0).await;
    app.clock
        .set(EventDay::from_ymd(2026, 2, 1).unwrap().start());
    let session = app.login("operator").await.expect_status(200);
    let admin = app.with_token(session.body["access_token"].as_str());
    let path = path_of(&player);
    let mut form = form_of(&get(&admin, &path).await);
    form["nickname"] = json!("봄");
    admin.put(&path, &form).await.expect_status(200);
    for (field, value) in [("xp", 1), ("level", 1), ("season_level", 3)] {
        form[field] = json!(value);
        let refused = admin.put(&path, &form).await;
        refused.expect_error(404, "NO_ACTIVE_SEASON");
        form[field] = json!(0);
    }
    let new = json!({ "external_id": "new", "password": "long enough", "xp": 5 });
    admin
        .post(USERS, &new)
        .await
        .expect_error(404, "NO_ACTIVE_SEASON");
    assert_eq!(audits(&app).await, 1);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM `user`").await, 2);
}

#[tokio::test]
async fn what_cannot_be_saved_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    let path = path_of(&player);
    let before = get(&admin, &path).await;
    for (field, value) in [
        ("external_id", json!("")),
        ("external_id", json!("가".repeat(101))),
        ("nickname", json!("a\u{1}")),
        ("nickname", json!(5)),
        ("password", json!("short")),
        ("reset_password", json!("yes")),
        ("status", json!("GONE")),
        ("xp", json!(1_000_000_001)),
        ("xp", json!(-1)),
        ("level", json!(11)),
    ] {
        let edit = json!({ "nickname": "아무개", field: value });
        let refused = admin
            .put(&path, &edit)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    let two = json!({ "level": 2, "season_level": 3 });
    let refused = admin
        .put(&path, &two)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["season_level"].is_array());
    let both = json!({ "password": "long enough", "reset_password": true });
    let refused = admin
        .put(&path, &both)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["reset_password"].is_array());
    // The XP of a request that is refused is not kept either.
    let taken = json!({ "external_id": "rudolf", "xp": 500, "nickname": "아무개" });
    let taken = admin.put(&path, &taken).await;
    taken.expect_error(409, "EXTERNAL_ID_EXISTS");
    assert_eq!(get(&admin, &path).await, before);
    // An operator earns nothing.
    let list = get(&admin, USERS).await;
    let operator = list.as_array().unwrap().iter();
    let operator = operator.filter(|user| user["external_id"] == "operator");
    assert_eq!(operator.count(), 0);
    let own = format!(
        "{USERS}{}",
        app.test
            .count("SELECT MIN(id) FROM user WHERE role = 'ADMIN'")
            .await
    );
    let refused = admin.put(&own, &json!({ "xp": 500 })).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(audits(&app).await, 0);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM reward_log").await, 0);
    app.login("santa").await.expect_status(200);
    for unknown in ["999999", "0", "9223372036854775808"] {
        let path = format!("{USERS}{unknown}");
        admin.get(&path).await.expect_error(404, "USER_NOT_FOUND");
        admin
            .put(&path, &json!({}))
            .await
            .expect_error(404, "USER_NOT_FOUND");
        admin
            .delete(&path)
            .await
            .expect_error(404, "USER_NOT_FOUND");
        admin
            .post(&format!("{path}/anonymise"), &json!({}))
            .await
            .expect_error(404, "USER_NOT_FOUND");
    }
    for odd in ["abc", "1.5", "-1"] {
        admin
            .get(&format!("{USERS}{odd}"))
            .await
            .expect_error(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn names_change_and_a_nickname_can_be_taken_away() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let path = path_of(&player);
    let renamed = json!({ "external_id": " santa-2 " });
    let renamed = admin.put(&path, &renamed).await.expect_status(200).body;
    assert_eq!(
        (&renamed["external_id"], &renamed["nickname"]),
        (&json!("santa-2"), &json!("산타"))
    );
    app.login("santa")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    app.login("santa-2").await.expect_status(200);
    for nothing in [Value::Null, json!(""), json!("  ")] {
        let saved = admin
            .put(&path, &json!({ "nickname": nothing }))
            .await
            .expect_status(200);
        assert_eq!(saved.body["nickname"], Value::Null);
        admin
            .put(&path, &json!({ "nickname": "산타" }))
            .await
            .expect_status(200);
    }
    let kept = admin.put(&path, &json!({})).await.expect_status(200).body;
    assert_eq!(kept["nickname"], "산타");
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let path = path_of(&player);
    let reset = json!({ "reset_password": true });
    let reset = admin.put(&path, &reset).await.expect_status(200).body;
    let password = reset["generated_password"].as_str().unwrap();
    player
        .get("/api/wallet")
        .await
        .expect_error(401, "TOKEN_INVALID");
    app.login("santa")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    log_in(&app, "santa", password).await.expect_status(200);
    let given = json!({ "password": "given by hand", "reset_password": false });
    let given = admin.put(&path, &given).await.expect_status(200).body;
    assert!(given.get("generated_password").is_none());
    log_in(&app, "santa", password)
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    log_in(&app, "santa", "given by hand")
        .await
        .expect_status(200);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE after_json IN \
                ('{\"password\":\"GENERATED\"}', '{\"password\":\"SET\"}')";
    assert_eq!(app.test.count(told).await, 2);
}
