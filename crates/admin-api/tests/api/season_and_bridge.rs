//! A season holds the days of its bridge, and is over before the bridge is settled.

use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp};
use xmas_time::EventDay;

const SEASON: &str = "/admin/api/seasons/1";
const BRIDGE: &str = "/admin/api/event-bridge/";
const SETTLE: &str = "/admin/api/event-bridge/settle";
/// How often two edits meet.
const ROUNDS: usize = 40;

async fn edit(admin: &Client, path: &str, edit: &Value) -> Value {
    admin.put(path, edit).await.expect_status(200).body
}

async fn rows(app: &TestApp, action: &str) -> i64 {
    let rows = format!("SELECT COUNT(*) FROM admin_audit_log WHERE action = '{action}'");
    app.test.count(&rows).await
}

#[tokio::test]
async fn a_season_that_ends_earlier_and_a_bridge_that_ends_later_never_both_win() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let all = admin.get(BRIDGE).await.expect_status(200).body["days"].clone();
    let six = &all.as_array().unwrap()[..6];
    let shorter = json!({ "days": six, "keys_required": 6 });
    let outside = "SELECT COUNT(*) FROM event_bridge_day d JOIN event_bridge b ON b.id = d.bridge_id \
                   JOIN season_pass_config s ON s.id = b.season_id \
                   WHERE d.event_day NOT BETWEEN s.start_date AND s.end_date";
    let mut seasons_won = 0;
    for round in 0..ROUNDS {
        edit(&admin, SEASON, &json!({ "end_date": "2025-12-31" })).await;
        if round > 0 && app.test.count("SELECT COUNT(*) FROM event_bridge").await == 0 {
            let again = json!({ "season_id": 1, "days": six, "settle_on": "2026-01-01" });
            edit(&admin, BRIDGE, &again).await;
        }
        let season = json!({ "end_date": "2025-12-30" });
        let mut bridge = json!({ "days": all });
        // Every other time the bridge is not there yet.
        if round % 4 < 2 {
            edit(&admin, BRIDGE, &shorter).await;
        } else {
            app.test.execute("DELETE FROM event_bridge_day").await;
            app.test.execute("DELETE FROM event_bridge").await;
            bridge["season_id"] = json!(1);
        }
        let season = admin.put(SEASON, &season);
        let bridge = admin.put(BRIDGE, &bridge);
        let (season, bridge) = if round % 2 == 0 {
            futures_util::join!(season, bridge)
        } else {
            let (bridge, season) = futures_util::join!(bridge, season);
            (season, bridge)
        };
        assert_eq!(app.test.count(outside).await, 0, "round {round}");
        let refused = if season.status == 200 {
            seasons_won += 1;
            let refused = bridge.expect_error(422, "VALIDATION_ERROR");
            let details = refused.body["error"]["details"].as_object().unwrap();
            details.keys().any(|field| field.ends_with(".date"))
        } else {
            bridge.expect_status(200);
            let refused = season.expect_error(422, "VALIDATION_ERROR");
            refused.body["error"]["details"]["end_date"].is_array()
        };
        assert!(refused, "round {round}");
    }
    eprintln!("the season was first in {seasons_won} of {ROUNDS} rounds");
}

#[tokio::test]
async fn a_season_that_ends_later_warns_of_its_settlement_and_moves_it_when_asked() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let later = json!({ "end_date": "2026-01-01" });
    let saved = edit(&admin, SEASON, &later).await;
    let warning = &saved["warnings"][0];
    let expected = json!(["2026-01-01", "2026-01-02", null]);
    let said = |warning: &Value| {
        json!([
            warning["settle_on"],
            warning["usual_settle_on"],
            warning["moved_from"]
        ])
    };
    assert_eq!(
        (said(warning), &warning["bridge_id"]),
        (expected, &json!(1))
    );
    let message = warning["message"].as_str().unwrap();
    for part in [
        "2026-01-01",
        "2026-01-02",
        "move_settle_on",
        "days of the bridge stay",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let bridge = admin.get(BRIDGE).await.expect_status(200).body;
    assert_eq!(bridge["settle_on"], "2026-01-01");
    assert_eq!(rows(&app, "BRIDGE_UPDATE").await, 0);
    // The warned operator sends the answer back, and asks for it.
    let mut form = saved.clone();
    form["move_settle_on"] = json!(true);
    let moved = edit(&admin, SEASON, &form).await;
    let expected = json!(["2026-01-02", "2026-01-02", "2026-01-01"]);
    assert_eq!(said(&moved["warnings"][0]), expected);
    let after = admin.get(BRIDGE).await.expect_status(200).body;
    assert_eq!(after["settle_on"], "2026-01-02");
    assert_eq!(after["days"], bridge["days"]);
    assert_eq!(
        (
            rows(&app, "SEASON_UPDATE").await,
            rows(&app, "BRIDGE_UPDATE").await
        ),
        (1, 1)
    );
    // Again it has nothing to move, and leaves no trace.
    let again = edit(&admin, SEASON, &json!({ "move_settle_on": true })).await;
    assert_eq!(again.get("warnings"), None);
    assert_eq!(rows(&app, "BRIDGE_UPDATE").await, 1);
    // Both in one call, each with its row.
    let both = json!({ "end_date": "2026-01-03", "move_settle_on": true });
    let both = edit(&admin, SEASON, &both).await;
    let expected = json!(["2026-01-04", "2026-01-04", "2026-01-02"]);
    assert_eq!(said(&both["warnings"][0]), expected);
    assert_eq!(
        (
            rows(&app, "SEASON_UPDATE").await,
            rows(&app, "BRIDGE_UPDATE").await
        ),
        (2, 2)
    );
    // A season that does not end later says nothing, and neither does one that ends before its settlement.
    for quiet in [
        json!({ "base_xp_per_stamp": 30 }),
        json!({ "end_date": "2025-12-31" }),
    ] {
        assert_eq!(edit(&admin, SEASON, &quiet).await.get("warnings"), None);
    }
    let enough = json!({ "end_date": "2026-01-03" });
    assert_eq!(edit(&admin, SEASON, &enough).await.get("warnings"), None);
}

#[tokio::test]
async fn a_settlement_that_has_begun_is_not_moved_and_neither_is_the_season() {
    let app = TestApp::start().await;
    let day = EventDay::from_ymd(2026, 1, 1).unwrap();
    app.clock.set(day.start() + chrono::TimeDelta::hours(9));
    let admin = app.admin("operator").await;
    let settled = admin.post(SETTLE, &json!({ "dry_run": false })).await;
    settled.expect_status(200);
    let later = json!({ "end_date": "2026-01-01", "move_settle_on": true });
    let refused = admin.put(SEASON, &later).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
    let said = json!(["move_settle_on must be left out: the settlement has begun."]);
    assert_eq!(refused["error"]["details"]["move_settle_on"], said);
    let season = admin.get(SEASON).await.expect_status(200).body;
    assert_eq!(season["end_date"], "2025-12-31");
    assert_eq!(rows(&app, "SEASON_UPDATE").await, 0);
    // The season alone may still be longer, and the operator knows.
    let alone = edit(&admin, SEASON, &json!({ "end_date": "2026-01-01" })).await;
    assert_eq!(alone["warnings"][0]["settle_on"], "2026-01-01");
}

#[tokio::test]
async fn a_new_season_has_no_settlement_to_move() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "name": "다음", "start_date": "2026-12-25", "end_date": "2026-12-31",
        "move_settle_on": true });
    let refused = admin.post("/admin/api/seasons/", &new).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
    assert!(refused["error"]["details"]["move_settle_on"].is_array());
}
