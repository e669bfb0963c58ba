//! Another event, made of its file alone: other dates, six days of keys of which five are enough, and other prizes. Nothing
//! is tied to Christmas 2025.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{AppBuilder, Client, TestApp, TestDb};
use xmas_time::EventDay;

const FILE: &str = include_str!("../../../../events/lunar-new-year.toml");

/// Eight in the evening of a day of February 2027.
fn set_day(app: &TestApp, day: u32) {
    let day = EventDay::from_ymd(2027, 2, day).unwrap();
    app.clock.set(day.start() + TimeDelta::hours(20));
}

async fn log_in(app: &TestApp, name: &str) -> Client {
    let session = app.login(name).await.expect_status(200).body;
    app.with_token(session["access_token"].as_str())
}

/// Makes the event what the file says, as an operator would.
async fn open(app: &TestApp) {
    let admin = app.admin("lead").await;
    let sent = json!({ "file": FILE });
    let plan = admin.post("/admin/api/event/plan", &sent);
    let plan = plan.await.expect_status(200).body;
    assert_eq!(
        (&plan["refused"], &plan["is_running"]),
        (&json!([]), &json!(false))
    );
    let body = json!({ "file": FILE, "version": plan["version"] });
    let applied = admin.post("/admin/api/event/apply", &body).await;
    applied.expect_status(200);
}

/// What earns the key of a day.
async fn fulfil(player: &Client, day: u32) {
    let games: &[&str] = match day {
        5 => &["dice"],
        6 => &["lottery"],
        7 => &["roulette", "dice", "lottery"],
        8 => &["roulette"],
        _ => &[],
    };
    for game in games {
        let played = player.play(&format!("/api/{game}/play")).await;
        played.expect_status(200);
    }
    if day == 4 {
        let source = json!({ "source_feature_type": "SEASON_PASS" });
        let stamped = player.post("/api/season-pass/stamp", &source).await;
        stamped.expect_status(200);
    }
}

async fn status(player: &Client) -> Value {
    let status = player.get("/api/season-pass/status").await;
    status.expect_status(200).body
}

#[tokio::test]
async fn the_week_of_the_lunar_new_year_is_lived_and_settled() {
    let app = AppBuilder::default().start_on(TestDb::new().await).await;
    set_day(&app, 1);
    open(&app).await;
    // The first one does everything, the second misses the third day, and the third one comes late.
    let names = ["sun", "moon", "late"];
    for name in names {
        let player = app.player(name, 5).await.identity();
        app.give(player, Asset::DiceToken, 5).await;
        app.give(player, Asset::LotteryTicket, 5).await;
    }
    let early = log_in(&app, "sun").await.play("/api/dice/play").await;
    // The games are there before the season; its keys and its XP are not.
    early.expect_status(200);
    for day in 3..=8 {
        set_day(&app, day);
        for name in names {
            let is_away = matches!((name, day), ("moon", 5) | ("late", 3 | 4));
            if !is_away {
                fulfil(&log_in(&app, name).await, day).await;
            }
        }
    }
    let sun = status(&log_in(&app, "sun").await).await;
    assert_eq!(
        sun["event_bridge"]["active_keys"].as_array().unwrap().len(),
        6,
        "{sun}"
    );
    assert_eq!(sun["season"]["season_name"], "SEOLLAL_2027", "{sun}");
    // The first throw of a day collects the stamp, as the file has it.
    let stamps = "SELECT COUNT(*) FROM season_pass_stamp_log l JOIN `user` u ON u.id = l.user_id WHERE u.external_id = 'sun'";
    assert!(app.test.count(stamps).await >= 3);
    let odds = app.anonymous().get("/api/odds/lottery").await.body;
    let labels: Vec<&str> = odds["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["label"].as_str().unwrap())
        .collect();
    assert_eq!(labels, ["덕담", "엽전 500", "떡국 한 그릇", "XP 꾸러미"]);
    // What the file switches off is off.
    let player = log_in(&app, "sun").await;
    player
        .get("/api/ranking/today")
        .await
        .expect_error(400, "FEATURE_DISABLED");

    set_day(&app, 10);
    let admin = app.admin("closer").await;
    let really = json!({ "dry_run": false });
    let settled = admin.post("/admin/api/event-bridge/settle", &really);
    let settled = settled.await.expect_status(200).body;
    let certificate = &settled["certificate"];
    assert_eq!(
        (
            &certificate["eligible"],
            &certificate["paid"],
            &certificate["points"]
        ),
        (&json!(2), &json!(2), &json!(18_000 + 16_000)),
        "{settled}"
    );
    assert_eq!(certificate["too_few_keys"], 1);
    // Three days of grace, and then it is over.
    status(&log_in(&app, "sun").await).await;
    set_day(&app, 12);
    let over = log_in(&app, "sun")
        .await
        .get("/api/season-pass/status")
        .await;
    over.expect_error(404, "NO_ACTIVE_SEASON");
    let audited = app.app.audit().run().await.unwrap();
    assert_eq!(audited.violations(), 0, "{audited:?}");
}
