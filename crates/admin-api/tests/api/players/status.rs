use serde_json::json;
use xmas_test_support::TestApp;

use super::{assert_sound, audits, form_of, get, path_of};

#[tokio::test]
async fn every_status_acts_at_once_and_can_be_taken_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 1).await;
    let session = app.login("santa").await.expect_status(200).body;
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let path = path_of(&player);
    let set = async |status: &str| {
        let saved = admin
            .put(&path, &json!({ "status": status }))
            .await
            .expect_status(200);
        assert_eq!(saved.body["status"], status);
        assert_eq!(saved.body["is_blocked"], status == "BLOCKED");
        assert_sound(&app).await;
    };
    let anonymous = app.anonymous();

    set("BLOCKED").await;
    player
        .play("/api/roulette/play")
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .get("/api/wallet")
        .await
        .expect_error(403, "USER_BLOCKED");
    app.login("santa").await.expect_error(403, "USER_BLOCKED");
    anonymous
        .post("/api/auth/refresh", &refresh)
        .await
        .expect_error(403, "USER_BLOCKED");

    set("INACTIVE").await;
    player
        .play("/api/roulette/play")
        .await
        .expect_error(401, "TOKEN_INVALID");
    player
        .get("/api/wallet")
        .await
        .expect_error(401, "TOKEN_INVALID");
    app.login("santa")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    anonymous
        .post("/api/auth/refresh", &refresh)
        .await
        .expect_error(401, "TOKEN_INVALID");

    set("BLOCKED").await;
    app.login("santa").await.expect_error(403, "USER_BLOCKED");

    set("ACTIVE").await;
    // What was held before stays worthless.
    player
        .get("/api/wallet")
        .await
        .expect_error(401, "TOKEN_INVALID");
    anonymous
        .post("/api/auth/refresh", &refresh)
        .await
        .expect_error(401, "TOKEN_INVALID");
    let again = app.login("santa").await.expect_status(200).body;
    let again = app.with_token(again["access_token"].as_str());
    again.play("/api/roulette/play").await.expect_status(200);
    // An echo of the status logs nobody out.
    set("ACTIVE").await;
    again.get("/api/wallet").await.expect_status(200);
}

#[tokio::test]
async fn deleting_makes_inactive_and_keeps_everything() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 3).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let path = path_of(&player);
    let before = get(&admin, &path).await;
    for _ in 0..2 {
        admin.delete(&path).await.expect_status(204);
        player
            .get("/api/wallet")
            .await
            .expect_error(401, "TOKEN_INVALID");
        app.login("santa")
            .await
            .expect_error(401, "INVALID_CREDENTIALS");
    }
    let gone = get(&admin, &path).await;
    assert_eq!(gone["status"], "INACTIVE");
    assert_eq!(gone["xp"], before["xp"]);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_DEACTIVATE'";
    assert_eq!(app.test.count(told).await, 1);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 1);
    // And back, by the form that was loaded before.
    admin.put(&path, &form_of(&before)).await.expect_status(200);
    app.login("santa").await.expect_status(200);
    assert_sound(&app).await;
}

#[tokio::test]
async fn no_admin_shuts_themself_out() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let path = path_of(&admin);
    for status in ["BLOCKED", "INACTIVE"] {
        let own = admin.put(&path, &json!({ "status": status })).await;
        let own = own.expect_error(422, "VALIDATION_ERROR");
        assert!(
            own.body["error"]["details"]["status"].is_array(),
            "{}",
            own.text
        );
    }
    admin
        .delete(&path)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    let own = admin.post(&format!("{path}/anonymise"), &json!({})).await;
    own.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(audits(&app).await, 0);
    let renamed = json!({ "nickname": "운영자", "status": "ACTIVE" });
    admin.put(&path, &renamed).await.expect_status(200);
    // Another one may.
    let other = app.admin("other").await;
    other
        .put(&path, &json!({ "status": "BLOCKED" }))
        .await
        .expect_status(200);
    admin.get(&path).await.expect_error(403, "USER_BLOCKED");
}
