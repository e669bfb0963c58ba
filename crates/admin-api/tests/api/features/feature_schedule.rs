use serde_json::json;
use xmas_test_support::{AppBuilder, TestApp};

const DAY: &str = "/admin/api/feature-schedule/2025-12-26";

#[tokio::test]
async fn behind_the_gate_the_schedule_decides_at_once() {
    let builder = AppBuilder::default().set("FEATURE_GATE_ENABLED", "true");
    let app = builder.start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 1).await;
    let status = async || player.get("/api/roulette/status").await;
    status().await.expect_error(404, "NO_FEATURE_TODAY");
    let body = json!({ "features": [
        { "feature_type": "roulette" },
        { "feature_type": "DICE", "is_active": false },
    ] });
    let saved = admin.put(DAY, &body).await.expect_status(200);
    assert_eq!(saved.body["features"][0]["feature_type"], "DICE");
    status().await.expect_status(200);
    let list = "/admin/api/feature-schedule/?start_date=2025-12-25&end_date=2025-12-27";
    let listed = admin.get(list).await.expect_status(200);
    let expected = json!([
        { "date": "2025-12-26", "feature_type": "DICE", "is_active": false },
        { "date": "2025-12-26", "feature_type": "ROULETTE", "is_active": true },
    ]);
    assert_eq!(listed.body, expected);
    // Without a range the next thirty days are listed.
    let listed = admin.get("/admin/api/feature-schedule").await;
    assert_eq!(listed.expect_status(200).body, expected);
    let one = json!({ "feature_type": "DICE", "is_active": true });
    admin.put(DAY, &one).await.expect_status(200);
    status().await.expect_error(404, "NO_FEATURE_TODAY");
    admin.delete(DAY).await.expect_status(204);
    admin
        .delete(DAY)
        .await
        .expect_error(404, "SCHEDULE_NOT_FOUND");
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        3
    );
}

#[tokio::test]
async fn a_bad_schedule_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for body in [
        json!({}),
        json!({ "features": [] }),
        json!({ "feature_type": "VAULT" }),
        json!({ "features": [{ "feature_type": "DICE" }, { "feature_type": "DICE" }] }),
    ] {
        let answer = admin.put(DAY, &body).await;
        answer.expect_error(400, "INVALID_FEATURE_SCHEDULE");
    }
    for range in [
        "start_date=2025-12-27&end_date=2025-12-26",
        "start_date=2025-01-01&end_date=2026-12-31",
    ] {
        let list = format!("/admin/api/feature-schedule/?{range}");
        let answer = admin.get(&list).await;
        answer.expect_error(400, "INVALID_FEATURE_SCHEDULE");
    }
    let list = "/admin/api/feature-schedule/?start_date=yesterday";
    admin.get(list).await.expect_error(422, "VALIDATION_ERROR");
    let odd = "/admin/api/feature-schedule/2025-13-01";
    let answer = admin.put(odd, &json!({ "feature_type": "DICE" })).await;
    answer.expect_error(400, "INVALID_FEATURE_SCHEDULE");
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM feature_schedule")
            .await,
        0
    );
}
