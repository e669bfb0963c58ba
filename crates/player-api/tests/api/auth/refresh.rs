use chrono::TimeDelta;
use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_refresh_token_is_traded_once() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    let refresh = async |token: &serde_json::Value| {
        app.anonymous()
            .post("/api/auth/refresh", &json!({ "refresh_token": token }))
            .await
    };
    let first = app.login("santa").await.body["refresh_token"].clone();
    let second = refresh(&first).await.expect_status(200).body;
    let client = app.with_token(second["access_token"].as_str());
    client
        .get("/api/season-pass/status")
        .await
        .expect_status(200);

    app.clock.advance(TimeDelta::seconds(31));
    refresh(&first).await.expect_error(401, "TOKEN_INVALID");
    refresh(&second["refresh_token"])
        .await
        .expect_error(401, "TOKEN_INVALID");
}

#[tokio::test]
async fn bad_refresh_tokens_are_refused() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let refresh = async |body| client.post("/api/auth/refresh", &body).await;
    refresh(json!({ "refresh_token": "unknown" }))
        .await
        .expect_error(401, "TOKEN_INVALID");
    refresh(json!({ "refresh_token": "" }))
        .await
        .expect_error(422, "VALIDATION_ERROR");
    refresh(json!({ "refresh_token": 7 }))
        .await
        .expect_error(422, "VALIDATION_ERROR");
    let unknown_field = refresh(json!({ "refresh_token": "x", "extra": 1 })).await;
    unknown_field.expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn it_expires_after_two_weeks() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    let token = app.login("santa").await.body["refresh_token"].clone();
    app.clock.advance(TimeDelta::days(14));
    let expired = app
        .anonymous()
        .post("/api/auth/refresh", &json!({ "refresh_token": token }))
        .await;
    expired.expect_error(401, "TOKEN_EXPIRED");
}
