use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp};

const EVENTS: &str = "/admin/api/logs/events";
const AUDIT: &str = "/admin/api/logs/audit";

async fn page(admin: &Client, path: &str) -> (Vec<Value>, Option<String>) {
    let page = admin.get(path).await.expect_status(200).body;
    let next = page["next_cursor"].as_str().map(str::to_owned);
    assert_eq!(next.is_none(), page["next_cursor"].is_null());
    (page["items"].as_array().unwrap().clone(), next)
}

async fn whole(admin: &Client, path: &str, limit: u32) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(from) = cursor {
        let (some, next) = page(admin, &format!("{path}limit={limit}&cursor={from}")).await;
        assert!(some.len() <= limit as usize);
        items.extend(some);
        cursor = next;
    }
    items
}

#[tokio::test]
async fn events_are_paged_and_filtered() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 3).await;
    let rudolf = app.player("rudolf", 1).await;
    for _ in 0..3 {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        santa.play("/api/roulette/play").await.expect_status(200);
    }
    rudolf.play("/api/roulette/play").await.expect_status(200);
    let report =
        json!({ "event_id": uuid::Uuid::new_v4(), "event_type": "PLAY_DURATION", "value": 60 });
    let told = rudolf.post("/api/activity/record", &report).await;
    told.expect_status(200);

    let all = whole(&admin, &format!("{EVENTS}?"), 200).await;
    let rows = app.test.count("SELECT COUNT(*) FROM user_event_log").await;
    assert_eq!(all.len() as i64, rows);
    assert_eq!(whole(&admin, &format!("{EVENTS}?"), 1).await, all);
    assert_eq!(whole(&admin, &format!("{EVENTS}?"), 3).await, all);
    let newest = &all[0];
    assert_eq!(
        *newest,
        json!({
            "id": newest["id"],
            "user_id": rudolf.identity().user_id,
            "external_id": "rudolf",
            "feature_type": null,
            "event_type": "CLIENT_PLAY_DURATION",
            "event_day": "2025-12-26",
            "meta_json": { "value": 60, "meta": null },
            "created_at": "2025-12-26T09:00:03.000000+09:00",
        })
    );
    let count = async |filter: &str| {
        page(&admin, &format!("{EVENTS}?limit=200&{filter}"))
            .await
            .0
            .len()
    };
    assert_eq!(count("event_type=PLAY").await, 4);
    assert_eq!(count("event_type=play").await, 0);
    assert_eq!(count("event_type=PLAY&external_id=santa").await, 3);
    assert_eq!(count("event_type=PLAY&feature_type=roulette").await, 4);
    assert_eq!(count("event_type=PLAY&feature_type=DICE").await, 0);
    let user = rudolf.identity().user_id;
    assert_eq!(count(&format!("event_type=PLAY&user_id={user}")).await, 1);
    assert_eq!(
        count("event_type=PLAY&from=2025-12-26T09:00:03%2B09:00").await,
        2
    );
    assert_eq!(
        count("event_type=PLAY&to=2025-12-26T09:00:03%2B09:00").await,
        2
    );
    assert_eq!(count("external_id=nobody").await, 0);
    // Pages of a filter follow on each other, too.
    let plays = whole(
        &admin,
        &format!("{EVENTS}?event_type=PLAY&external_id=santa&"),
        1,
    )
    .await;
    assert_eq!(plays.len(), 3);
}

#[tokio::test]
async fn what_operators_did_is_paged_and_filtered() {
    let app = TestApp::start().await;
    let (one, two) = (app.admin("operator").await, app.admin("운영자").await);
    let switch = |feature: &str| format!("/admin/api/feature-config/{feature}");
    for (number, feature) in ["roulette", "dice", "lottery"].into_iter().enumerate() {
        let request = one.request("PUT".parse().unwrap(), &switch(feature));
        let request = request
            .json(&json!({ "is_enabled": false }))
            .header("x-request-id", format!("drill-{number}"))
            .header("x-reason", "%EC%9E%A5%EC%95%A0");
        one.send(request).await.expect_status(200);
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    let on = json!({ "is_enabled": true });
    two.put(&switch("dice"), &on).await.expect_status(200);

    let all = whole(&one, &format!("{AUDIT}?"), 200).await;
    assert_eq!(all.len(), 4);
    assert_eq!(whole(&one, &format!("{AUDIT}?"), 1).await, all);
    let oldest = &all[3];
    assert_eq!(oldest["actor"], "operator");
    assert_eq!(oldest["actor_id"], json!(one.identity().user_id));
    assert_eq!(oldest["action"], "FEATURE_UPDATE");
    assert_eq!(oldest["resource"], "feature:ROULETTE");
    assert_eq!(oldest["before"]["is_enabled"], true);
    assert_eq!(oldest["after"]["is_enabled"], false);
    assert_eq!(oldest["reason"], "장애");
    assert_eq!(oldest["request_id"], "drill-0");
    assert_eq!(oldest["created_at"], "2025-12-26T09:00:00.000000+09:00");
    assert_eq!(oldest.as_object().unwrap().len(), 10);
    for (filter, rows) in [
        ("actor=operator", 3),
        ("actor=%EC%9A%B4%EC%98%81%EC%9E%90", 1),
        ("actor=oper", 0),
        ("action=FEATURE_UPDATE", 4),
        ("action=feature_update", 0),
        ("resource=feature:DICE", 2),
        ("resource=feature:", 4),
        ("resource=feature:D*", 2),
        ("resource=feature:d*", 0),
        ("resource=*", 4),
        ("resource=feature", 0),
        ("resource=%25", 0),
        ("resource=user:", 0),
        ("request_id=drill-1", 1),
        ("from=2025-12-26T09:01:00%2B09:00", 3),
        ("to=2025-12-25", 0),
        (
            "actor=operator&resource=feature:DICE&action=FEATURE_UPDATE",
            1,
        ),
    ] {
        let (items, _) = page(&one, &format!("{AUDIT}?{filter}")).await;
        assert_eq!(items.len(), rows, "{filter}");
        let export = one
            .get(&format!("{AUDIT}.csv?{filter}"))
            .await
            .expect_status(200);
        assert_eq!(export.text.matches("\r\n").count(), rows + 1, "{filter}");
    }
    // Looking at the log is not an act.
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        4
    );
}

#[tokio::test]
async fn bad_parameters_are_told_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for path in [EVENTS, AUDIT] {
        for (parameter, values) in [
            (
                "cursor",
                &[
                    "x",
                    "-1",
                    "01",
                    "%2B1",
                    "1-play-1",
                    "9223372036854775808",
                    "%00",
                ][..],
            ),
            ("limit", &["0", "201", "-1", "1.5", "all", ""][..]),
            ("from", &["now", "2025-13-01"][..]),
            ("to", &["2025-12-26T25:00:00Z"][..]),
        ] {
            for value in values {
                let refused = admin.get(&format!("{path}?{parameter}={value}")).await;
                let refused = refused.expect_error(422, "VALIDATION_ERROR");
                let problems = &refused.body["error"]["details"][parameter];
                assert!(problems.is_array(), "{value}: {}", refused.text);
            }
        }
    }
    let unknown = admin.get(&format!("{EVENTS}?feature_type=VAULT")).await;
    unknown.expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_page_is_one_statement() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 9).await;
    for _ in 0..9 {
        santa.play("/api/roulette/play").await.expect_status(200);
    }
    for path in [
        format!("{EVENTS}?limit=200"),
        format!("{EVENTS}?limit=2&external_id=santa&cursor=20"),
        format!("{AUDIT}?limit=200"),
        format!("{AUDIT}?resource=user:&cursor=7"),
        format!("{EVENTS}.csv"),
        format!("{AUDIT}.csv"),
    ] {
        let before = app.statements();
        admin.get(&path).await.expect_status(200);
        // The guard's look at the admin, and the page.
        assert_eq!(app.statements() - before, 2, "{path}");
    }
}

#[tokio::test]
async fn exports_carry_json_and_korean() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let request = admin.request("PUT".parse().unwrap(), "/admin/api/feature-config/dice");
    let request = request
        .json(&json!({ "title": "주사위, \"큰\" 것" }))
        .header("x-reason", "%3D1%2B1");
    admin.send(request).await.expect_status(200);
    let export = admin.get(&format!("{AUDIT}.csv")).await.expect_status(200);
    let text = export.text.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let row = reader.records().next().unwrap().unwrap();
    let after: Value = serde_json::from_str(&row[6]).unwrap();
    assert_eq!(after["title"], "주사위, \"큰\" 것");
    assert_eq!(&row[7], "'=1+1");
    let events = admin.get(&format!("{EVENTS}.csv")).await.expect_status(200);
    let mut reader =
        csv::Reader::from_reader(events.text.trim_start_matches('\u{feff}').as_bytes());
    for row in reader.records() {
        let meta: Value = serde_json::from_str(&row.unwrap()[6]).unwrap();
        assert!(meta.is_object());
    }
}
