use serde_json::json;
use xmas_test_support::{AppBuilder, TestApp};

#[tokio::test]
async fn logging_in_answers_what_both_clients_read() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    let login = app.login("  santa ").await.expect_status(200);
    assert_eq!(login.body["token_type"], "bearer");
    assert_eq!(login.body["expires_in"], 720 * 60);
    assert!(login.body["refresh_token"].is_string());
    let user = json!({
        "id": login.body["user"]["id"], "external_id": "santa", "nickname": "산타",
        "status": "ACTIVE", "level": 1,
    });
    assert_eq!(login.body["user"], user);
    assert_eq!(login.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn an_admin_s_token_lives_shorter_and_does_not_play() {
    let app = TestApp::start().await;
    let admin = app.admin("boss").await;
    assert_eq!(app.login("boss").await.body["expires_in"], 480 * 60);
    admin
        .get("/api/season-pass/status")
        .await
        .expect_error(403, "FORBIDDEN_SCOPE");
    admin
        .play("/api/roulette/play")
        .await
        .expect_error(403, "FORBIDDEN_SCOPE");
}

#[tokio::test]
async fn unknown_and_wrong_look_alike() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    let attempt = async |external_id: &str| {
        let credentials = json!({ "external_id": external_id, "password": "wrong" });
        let answer = app.anonymous().post("/api/auth/token", &credentials).await;
        let mut body = answer.expect_error(401, "INVALID_CREDENTIALS").body;
        body["error"]["request_id"] = json!("…");
        body
    };
    assert_eq!(attempt("santa").await, attempt("nobody").await);
}

#[tokio::test]
async fn a_blocked_player_is_told_so_everywhere() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    app.test.block(&player.identity()).await;
    app.login("santa").await.expect_error(403, "USER_BLOCKED");
    let source = json!({ "source_feature_type": "ROULETTE" });
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .get("/api/season-pass/internal-wins")
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .post("/api/season-pass/stamp", &source)
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .post("/api/season-pass/claim", &json!({ "level": 7 }))
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .get("/api/roulette/status")
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .play("/api/roulette/play")
        .await
        .expect_error(403, "USER_BLOCKED");
    player
        .play_keyed("/api/roulette/play", "k")
        .await
        .expect_error(403, "USER_BLOCKED");
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        1
    );
}

#[tokio::test]
async fn too_many_attempts_are_told_when_to_come_back() {
    let app = AppBuilder::default()
        .set("LOGINS_PER_MINUTE", "2")
        .start()
        .await;
    for _ in 0..2 {
        app.login("nobody")
            .await
            .expect_error(401, "INVALID_CREDENTIALS");
    }
    let refused = app
        .login("nobody")
        .await
        .expect_error(429, "TOO_MANY_REQUESTS");
    let seconds: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    app.login("somebody")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn bad_credentials_are_told_by_field() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for (body, field) in [
        (
            json!({ "external_id": " ", "password": "x" }),
            "external_id",
        ),
        (
            json!({ "external_id": "x".repeat(101), "password": "x" }),
            "external_id",
        ),
        (json!({ "external_id": "x", "password": "" }), "password"),
        (
            json!({ "external_id": "x", "password": "x".repeat(257) }),
            "password",
        ),
        (json!({ "external_id": 7, "password": "x" }), "external_id"),
        (json!({ "password": "x" }), "body"),
    ] {
        let refused = client.post("/api/auth/token", &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    // What the existing clients may send besides is ignored.
    let extra = json!({ "external_id": "x", "password": "x", "remember": true });
    client
        .post("/api/auth/token", &extra)
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
}
