use serde_json::json;
use xmas_test_support::TestApp;

const ROULETTE: &str = "/admin/api/feature-config/roulette";

#[tokio::test]
async fn a_kill_switch_stops_plays_at_once_and_is_audited() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 2).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let request = admin.request("PUT".parse().unwrap(), ROULETTE);
    let request = request
        .json(&json!({ "is_enabled": false }))
        .header("x-reason", "%EC%9E%A5%EC%95%A0")
        .header("x-request-id", "drill-1");
    let off = admin.send(request).await.expect_status(200);
    assert_eq!(off.body["is_enabled"], false);
    assert_eq!(off.body["title"], "룰렛");
    player
        .play("/api/roulette/play")
        .await
        .expect_error(400, "FEATURE_DISABLED");
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE actor = 'operator' AND reason = '장애' \
                AND action = 'FEATURE_UPDATE' AND resource = 'feature:ROULETTE' \
                AND request_id = 'drill-1' AND before_json LIKE '%\"is_enabled\":true%' \
                AND after_json LIKE '%\"is_enabled\":false%'";
    assert_eq!(app.test.count(told).await, 1);
    let on = admin.put(ROULETTE, &json!({ "is_enabled": true })).await;
    on.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
}

#[tokio::test]
async fn what_a_client_leaves_out_or_does_not_know_is_kept() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let kept = json!({ "xp_per_play": 7, "stamp_on_play": true, "banner": { "color": "red" } });
    let set = json!({ "config_json": kept });
    admin.put(ROULETTE, &set).await.expect_status(200);
    // The whole form comes back with one field changed.
    let list = admin
        .get("/admin/api/feature-config/")
        .await
        .expect_status(200);
    let form = list.body.as_array().unwrap().iter();
    let mut form = form
        .clone()
        .find(|row| row["feature_type"] == "ROULETTE")
        .unwrap()
        .clone();
    form["title"] = json!("크리스마스 룰렛");
    let saved = admin.put(ROULETTE, &form).await.expect_status(200);
    assert_eq!(saved.body["config_json"], kept);
    assert_eq!(saved.body["title"], "크리스마스 룰렛");
    // The second of two admins who loaded the same form is told.
    admin
        .put(ROULETTE, &form)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let request = admin.request("PUT".parse().unwrap(), ROULETTE);
    let request = request
        .json(&json!({ "title": "x" }))
        .header("if-match", "\"0123\"");
    admin
        .send(request)
        .await
        .expect_error(409, "VERSION_CONFLICT");
}

#[tokio::test]
async fn any_version_of_a_list_will_do_and_a_star_asks_for_none() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let version = async || {
        let saved = admin.put(ROULETTE, &json!({})).await.expect_status(200);
        saved.body["version"].as_str().unwrap().to_owned()
    };
    let put = async |title: &str, tags: &str| {
        let request = admin.request("PUT".parse().unwrap(), ROULETTE);
        let request = request
            .json(&json!({ "title": title }))
            .header("if-match", tags);
        admin.send(request).await
    };
    for (title, form) in [
        ("a", "\"0123456789abcdef\", \"{}\""),
        ("b", "W/\"{}\",\"other\""),
        ("c", "{}"),
    ] {
        let tags = form.replace("{}", &version().await);
        put(title, &tags).await.expect_status(200);
    }
    put("d", "*").await.expect_status(200);
    let others = "\"0123456789abcdef\", W/\"fedcba9876543210\"";
    put("e", others).await.expect_error(409, "VERSION_CONFLICT");
    for malformed in ["", "\"abc", "a b", "\"a\" \"b\"", ","] {
        let refused = put("f", malformed).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(refused.body["error"]["details"]["If-Match"].is_array());
    }
    let kept = admin.put(ROULETTE, &json!({})).await.expect_status(200);
    assert_eq!(kept.body["title"], "d");
}

#[tokio::test]
async fn only_whoever_changes_something_is_asked_why() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for reason in ["%FF", "%00", "a%0Ab"] {
        let with_reason = |method: &str, path: &str| {
            let request = admin.request(method.parse().unwrap(), path);
            request.header("x-reason", reason)
        };
        for method in ["GET", "HEAD"] {
            let read = with_reason(method, "/admin/api/feature-config/");
            admin.send(read).await.expect_status(200);
        }
        let change = with_reason("PUT", ROULETTE).json(&json!({ "is_enabled": false }));
        let refused = admin.send(change).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_bad_edit_is_told_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (edit, field) in [
        (json!({ "title": "" }), "title"),
        (json!({ "page_path": "javascript:alert(1)" }), "page_path"),
        (json!({ "page_path": "//evil.example" }), "page_path"),
        (
            json!({ "config_json": { "xp_per_play": -1 } }),
            "config_json.xp_per_play",
        ),
        (
            json!({ "config_json": { "stamp_on_play": "yes" } }),
            "config_json.stamp_on_play",
        ),
        (json!({ "config_json": [] }), "config_json"),
        (
            json!({ "config_json": { "xp_per_play": 1_000_001 } }),
            "config_json.xp_per_play",
        ),
        (json!({ "is_enabled": 1 }), "is_enabled"),
    ] {
        let answer = admin.put(ROULETTE, &edit).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        assert!(
            answer.body["error"]["details"][field].is_array(),
            "{}",
            answer.text
        );
    }
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
    let unknown = admin
        .put("/admin/api/feature-config/vault", &json!({}))
        .await;
    unknown.expect_error(404, "FEATURE_CONFIG_NOT_FOUND");
}

#[tokio::test]
async fn the_list_is_one_statement() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.statements();
    admin
        .get("/admin/api/feature-config/")
        .await
        .expect_status(200);
    // The guard's look at the admin, and the list.
    assert_eq!(app.statements() - before, 2);
}
