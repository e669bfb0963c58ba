use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn logging_out_ends_the_session_and_everywhere_ends_every_token() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let session = app.login("santa").await.body;
    let client = app.with_token(session["access_token"].as_str());
    client
        .post("/api/auth/logout", &json!({}))
        .await
        .expect_status(204);
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    client
        .post("/api/auth/refresh", &refresh)
        .await
        .expect_error(401, "TOKEN_INVALID");
    player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    let bare = app.login("santa").await.body;
    let bare = app.with_token(bare["access_token"].as_str());
    bare.play("/api/auth/logout").await.expect_status(204);

    client
        .post("/api/auth/logout", &json!({ "everywhere": true }))
        .await
        .expect_status(204);
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(401, "TOKEN_INVALID");
    player
        .play("/api/roulette/play")
        .await
        .expect_error(401, "TOKEN_INVALID");
    app.login("santa").await.expect_status(200);
}

#[tokio::test]
async fn logging_out_needs_a_token_and_a_proper_body() {
    let app = TestApp::start().await;
    app.anonymous()
        .post("/api/auth/logout", &json!({}))
        .await
        .expect_error(401, "AUTH_REQUIRED");
    let player = app.player("santa", 0).await;
    let unknown = player
        .post("/api/auth/logout", &json!({ "all": true }))
        .await;
    unknown.expect_error(422, "VALIDATION_ERROR");
}
