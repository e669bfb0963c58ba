use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_new_password_ends_the_old_tokens() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let change = json!({ "current_password": "test-password", "new_password": "another one" });
    let session = player
        .post("/api/auth/password", &change)
        .await
        .expect_status(200);
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(401, "TOKEN_INVALID");
    let renewed = app.with_token(session.body["access_token"].as_str());
    renewed
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    app.login("santa")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_wrong_current_password_does_not_log_anybody_out() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for (current, new, field) in [
        ("wrong", "long enough", "current_password"),
        ("test-password", "short", "new_password"),
    ] {
        let change = json!({ "current_password": current, "new_password": new });
        let refused = player.post("/api/auth/password", &change).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
}
