//! The event as one file, through the admin API.

use serde_json::{Value, json};
use xmas_test_support::TestApp;

const EXPORT: &str = "/admin/api/event/export";
const PLAN: &str = "/admin/api/event/plan";
const APPLY: &str = "/admin/api/event/apply";

#[tokio::test]
async fn the_event_is_exported_changed_looked_at_and_applied() {
    let app = TestApp::start().await;
    let admin = app.admin("lead").await;
    let exported = admin.get(EXPORT).await.expect_status(200).body;
    assert_eq!(exported["unsaid"], json!([]));
    let file = exported["file"].as_str().unwrap();
    let next = file.replace("weight = 120", "weight = 240");
    let plan = admin.post(PLAN, &json!({ "file": next })).await;
    let plan = plan.expect_status(200).body;
    assert_eq!(
        plan["changes"],
        json!([{"kind": "CHANGED", "path": "roulette.segments[1].weight", "before": "120", "after": "240",
            "is_promise": true}])
    );
    assert_eq!(
        (&plan["is_running"], &plan["refused"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(plan["odds"][0]["entries"][0]["after"], "21.4286%");
    // Nothing has changed by looking.
    let now = admin.get(EXPORT).await.body;
    assert_eq!(now["file"], exported["file"]);
    let body = |change_running: bool, version: &Value| {
        json!({ "file": next, "version": version,
        "change_running": change_running })
    };
    let unsaid = admin.post(APPLY, &body(false, &plan["version"])).await;
    let unsaid = unsaid.expect_error(422, "VALIDATION_ERROR").body;
    assert!(unsaid["error"]["details"]["change_running"].is_array());
    let stale = json!("0000000000000000");
    admin
        .post(APPLY, &body(true, &stale))
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let applied = admin.post(APPLY, &body(true, &plan["version"])).await;
    let applied = applied.expect_status(200).body;
    assert_eq!(applied["changes"], plan["changes"]);
    assert_eq!(admin.get(EXPORT).await.body["file"], json!(next));
    // Sent again, should the answer be lost, it has nothing to do.
    let again = admin.post(APPLY, &body(true, &plan["version"])).await;
    assert_eq!(again.expect_status(200).body["changes"], json!([]));
    admin
        .post(APPLY, &body(true, &json!("no version")))
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let plan = admin.post(PLAN, &json!({ "file": next })).await.body;
    assert_eq!(plan["changes"], json!([]));
    let again = admin.post(APPLY, &body(false, &plan["version"])).await;
    assert_eq!(again.expect_status(200).body["changes"], json!([]));
    let rows = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'EVENT_APPLY'";
    assert_eq!(app.test.count(rows).await, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_with_its_place_and_what_the_database_refuses_too() {
    let app = TestApp::start().await;
    let admin = app.admin("lead").await;
    let file = admin.get(EXPORT).await.body["file"]
        .as_str()
        .unwrap()
        .to_owned();
    let broken = file
        .replace("max_xp_bonus", "max_bonus")
        .replace("weight = 120", "weight = -1");
    for path in [PLAN, APPLY] {
        let body = match path {
            PLAN => json!({ "file": broken }),
            _ => json!({ "file": broken, "version": "x" }),
        };
        let refused = admin.post(path, &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
        let told = refused["error"]["details"]["file"].as_array().unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].as_str().unwrap().contains("line 6, column 1"),
            "{told:?}"
        );
    }
    let other = file.replace(
        "reward_amount = 2 },\n    { reward_type = \"TICKET_LOTTERY\"",
        "reward_amount = 3 },\n    { reward_type = \"TICKET_LOTTERY\"",
    );
    assert_ne!(other, file);
    let plan = admin.post(PLAN, &json!({ "file": other })).await;
    let plan = plan.expect_status(200).body;
    assert_eq!(plan["refused"].as_array().unwrap().len(), 1);
    let body = json!({ "file": other, "version": plan["version"], "change_running": true });
    let refused = admin.post(APPLY, &body).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
    assert!(refused["error"]["details"]["file"].is_array());
    let unknown = admin.get("/admin/api/event/export?season=NOBODY").await;
    unknown.expect_error(404, "SEASON_NOT_FOUND");
    let player = app.player("santa", 0).await;
    player
        .get(EXPORT)
        .await
        .expect_error(403, "FORBIDDEN_SCOPE");
    assert_eq!(admin.get(EXPORT).await.body["file"], json!(file));
}
