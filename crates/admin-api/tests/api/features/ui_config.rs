use serde_json::{Value, json};
use xmas_test_support::TestApp;

const BANNER: &str = "/admin/api/ui-config/downtime_banner";

#[tokio::test]
async fn a_banner_is_saved_shown_and_kept_from_being_overwritten() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(BANNER).await.expect_status(200);
    assert_eq!(before.body["value"]["enabled"], false);
    assert_eq!(before.body["schema"]["required"][0], "enabled");
    let version = &before.body["version"];
    let value = json!({ "enabled": true, "message": "02:00~02:30 점검", "link_url": "/notice" });
    let edit = json!({ "value": value, "version": version });
    let saved = admin.put(BANNER, &edit).await.expect_status(200);
    assert_eq!(saved.body["value"], value);
    let shown = app.anonymous().get("/api/ui-config/downtime_banner").await;
    assert_eq!(shown.expect_status(200).body["value"], value);
    admin
        .put(BANNER, &edit)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'UI_CONFIG_UPDATE' \
                AND resource = 'ui-config:downtime_banner'";
    assert_eq!(app.test.count(told).await, 1);
}

#[tokio::test]
async fn an_unknown_key_is_null_and_one_of_many_saves_it_first() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let path = "/admin/api/ui-config/event_rules";
    let unknown = admin.get(path).await.expect_status(200);
    assert_eq!(unknown.body["value"], Value::Null);
    assert_eq!(unknown.body["updated_at"], Value::Null);
    let edit = json!({ "value": { "lines": ["하나", "둘"] }, "version": unknown.body["version"] });
    let at_once = (0..8).map(|_| admin.put(path, &edit));
    let answers = futures_util::future::join_all(at_once).await;
    let saved = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(saved, 1);
    let told = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!(told, 7);
}

#[tokio::test]
async fn what_is_not_safe_to_show_is_refused_with_its_field() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let ticket = "/admin/api/ui-config/ticket_zero";
    for (path, value, field) in [
        (
            ticket,
            json!({ "primaryCta": { "href": "javascript:alert(1)" } }),
            "value.primaryCta.href",
        ),
        (
            ticket,
            json!({ "title": "<img src=x onerror=alert(1)>" }),
            "value.title",
        ),
        (ticket, json!({ "title": 5 }), "value.title"),
        (BANNER, json!({ "message": "x" }), "value"),
        (BANNER, json!({ "enabled": "true" }), "value.enabled"),
        ("/admin/api/ui-config/any", json!([]), "value"),
        ("/admin/api/ui-config/Any%20Key", json!({}), "key"),
    ] {
        let answer = admin.put(path, &json!({ "value": value })).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        assert!(
            answer.body["error"]["details"][field].is_array(),
            "{}",
            answer.text
        );
    }
    let answer = admin.put(ticket, &json!({})).await;
    answer.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
}
