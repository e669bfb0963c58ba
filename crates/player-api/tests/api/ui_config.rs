use serde_json::{Value, json};
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_client_that_has_the_text_is_told_so() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let path = "/api/ui-config/ticket_zero";
    let first = client.get(path).await.expect_status(200);
    assert_eq!(first.body["key"], "ticket_zero");
    assert_eq!(first.body["value"]["title"], "티켓이 부족해요");
    assert_eq!(first.headers["cache-control"], "no-cache");
    let tag = first.headers["etag"].to_str().unwrap();
    let request = client.request("GET".parse().unwrap(), path);
    let again = client.send(request.header("if-none-match", tag)).await;
    assert_eq!(again.expect_status(304).text, "");
    let admin = app.admin("operator").await;
    let edit = json!({ "value": { "title": "새 제목" } });
    let saved = admin.put("/admin/api/ui-config/ticket_zero", &edit).await;
    saved.expect_status(200);
    let request = client.request("GET".parse().unwrap(), path);
    let changed = client.send(request.header("if-none-match", tag)).await;
    assert_eq!(changed.expect_status(200).body["value"]["title"], "새 제목");
}

#[tokio::test]
async fn an_unknown_key_is_null_whatever_it_looks_like() {
    let app = TestApp::start().await;
    for key in [
        "nothing",
        "%00",
        "UPPER",
        "%F0%9F%8E%84",
        &"k".repeat(2_000),
    ] {
        let path = format!("/api/ui-config/{key}");
        let answer = app.anonymous().get(&path).await.expect_status(200);
        assert_eq!(answer.body["value"], Value::Null);
        assert_eq!(answer.body["updated_at"], Value::Null);
    }
}

#[tokio::test]
async fn the_copy_of_an_empty_wallet_is_never_null() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let copy = async || {
        let answer = app.anonymous().get("/api/ui-copy/ticket0").await;
        answer.expect_status(200).body
    };
    assert_eq!(copy().await["primary_cta_label"], "출석하러 가기");
    for (value, label) in [
        (json!({ "primary_cta_label": "flat" }), "flat"),
        (
            json!({ "primaryCta": { "label": "nested" }, "primary_cta_label": "flat" }),
            "nested",
        ),
        (json!({ "primaryCta": null }), ""),
        (json!({}), ""),
    ] {
        let edit = json!({ "value": value });
        let saved = admin.put("/admin/api/ui-config/ticket_zero", &edit).await;
        saved.expect_status(200);
        let copy = copy().await;
        assert_eq!(copy["primary_cta_label"], label);
        assert!(
            copy.as_object().unwrap().values().all(Value::is_string),
            "{copy}"
        );
    }
}
