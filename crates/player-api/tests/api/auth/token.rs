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
        (json!({ "password": "x" }), "external_id"),
    ] {
        let refused = client.post("/api/auth/token", &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    let extra = json!({ "external_id": "x", "password": "x", "remember": true });
    let refused = client.post("/api/auth/token", &extra).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["remember"].is_array());
}

/// Decomposed, as some keyboards write it.
const DECOMPOSED: &str = "\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}";

#[tokio::test]
async fn an_id_and_a_password_are_the_same_however_they_are_typed() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": format!(" {DECOMPOSED} "), "password": "cafe\u{301} creme" });
    let created = admin.post("/admin/api/users/", &new).await;
    let created = created.expect_status(201).body;
    assert_eq!(created["external_id"], "산타");
    for external_id in ["산타", DECOMPOSED, "\u{3000}산타\u{a0}"] {
        for password in ["café creme", "cafe\u{301} creme"] {
            let credentials = json!({ "external_id": external_id, "password": password });
            let login = app.anonymous().post("/api/auth/token", &credentials).await;
            let login = login.expect_status(200).body;
            assert_eq!(login["user"]["id"], created["id"]);
        }
        let wrong = json!({ "external_id": external_id, "password": "cafe creme" });
        let refused = app.anonymous().post("/api/auth/token", &wrong).await;
        refused.expect_error(401, "INVALID_CREDENTIALS");
    }
    // Whoever is asked for by an id is found by it too.
    let grant = json!({ "external_id": DECOMPOSED, "token_type": "POINT", "amount": 5 });
    let granted = admin.post("/admin/api/game-tokens/grant", &grant).await;
    assert_eq!(granted.expect_status(200).body["external_id"], "산타");
    let url = reqwest::Url::parse_with_params(
        &app.url("/admin/api/game-tokens/ledger"),
        [("external_id", DECOMPOSED)],
    );
    let path = url.unwrap();
    let path = format!("{}?{}", path.path(), path.query().unwrap());
    let ledger = admin.get(&path).await.expect_status(200).body;
    assert_eq!(ledger.as_array().unwrap().len(), 1);
    let again = admin.post("/admin/api/users/", &new).await;
    again.expect_error(409, "EXTERNAL_ID_EXISTS");
}
