use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_kernel::{Asset, MAX_NUMBER};
use xmas_test_support::{Client, TestApp};
use xmas_time::Clock;

const PATH: &str = "/admin/api/dashboard/metrics";

async fn metrics(admin: &Client, query: &str) -> Value {
    let answer = admin.get(&format!("{PATH}?{query}")).await;
    answer.expect_status(200).body
}

async fn report(player: &Client, seconds: Value) {
    let event = json!({
        "event_id": uuid::Uuid::new_v4(),
        "event_type": "PLAY_DURATION",
        "value": seconds,
    });
    let told = player.post("/api/activity/record", &event).await;
    told.expect_status(200);
}

#[tokio::test]
async fn nothing_is_a_number_too() {
    let app = TestApp::start().await;
    // Nobody but an admin has ever logged in.
    let body = app
        .admin("another")
        .await
        .get(PATH)
        .await
        .expect_status(200)
        .body;
    assert_eq!(body["range_hours"], 24);
    assert_eq!(body["generated_at"], "2025-12-26T09:00:00.000000+09:00");
    for name in [
        // The admin has logged in, but is no player.
        "active_users",
        "game_participation",
        "ticket_usage",
        "unique_players",
        "total_plays",
        "wins",
        "rewards_granted_points",
        "new_users",
        "pending_reviews",
    ] {
        assert_eq!(
            body[name],
            json!({ "value": 0, "diff_percent": null }),
            "{name}"
        );
    }
    let none = json!({ "value": null, "diff_percent": null });
    assert_eq!(body["avg_session_time_seconds"], none);
    assert_eq!(body.as_object().unwrap().len(), 12);
}

#[tokio::test]
async fn a_range_is_compared_with_the_one_before_it() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE slot_index <> 4")
        .await;
    let prize = app
        .test
        .count("SELECT reward_amount FROM roulette_segment WHERE slot_index = 4 LIMIT 1")
        .await;
    let santa = app.player("santa", 10).await;
    santa.play("/api/roulette/play").await.expect_status(200);
    santa.play("/api/roulette/play").await.expect_status(200);
    report(&santa, json!(100)).await;
    // Six hours later: three plays of two players.
    app.clock.advance(TimeDelta::hours(6));
    let rudolf = app.player("rudolf", 1).await;
    app.give(rudolf.identity(), Asset::Point, 777).await;
    santa.play("/api/roulette/play").await.expect_status(200);
    santa.play("/api/roulette/play").await.expect_status(200);
    rudolf.play("/api/roulette/play").await.expect_status(200);
    report(&rudolf, json!(30)).await;
    report(&santa, json!(61)).await;
    // Not to be believed, or not said.
    for odd in [json!(-1), json!(86_401), json!(MAX_NUMBER), Value::Null] {
        report(&santa, odd).await;
    }
    app.clock.advance(TimeDelta::minutes(59));
    let lately = metrics(&admin, "range_hours=6").await;
    let metric = |body: &Value, name: &str| {
        let metric = body[name].as_object().unwrap();
        assert_eq!(metric.len(), 2);
        (metric["value"].clone(), metric["diff_percent"].clone())
    };
    for name in ["game_participation", "ticket_usage", "total_plays", "wins"] {
        assert_eq!(metric(&lately, name), (json!(3), json!(50.0)), "{name}");
    }
    assert_eq!(metric(&lately, "unique_players"), (json!(2), json!(100.0)));
    let points = (json!(3 * prize), json!(50.0));
    assert_eq!(metric(&lately, "rewards_granted_points"), points);
    assert_eq!(
        metric(&lately, "avg_session_time_seconds"),
        (json!(45.5), json!(-54.5))
    );
    assert_eq!(metric(&lately, "new_users"), (json!(1), json!(0.0)));
    assert_eq!(metric(&lately, "active_users"), (json!(2), json!(100.0)));
    let day = metrics(&admin, "range_hours=24").await;
    assert_eq!(metric(&day, "total_plays"), (json!(5), Value::Null));
    assert_eq!(metric(&day, "new_users").0, json!(2));
    let hour = metrics(&admin, "range_hours=1").await;
    assert_eq!(metric(&hour, "total_plays"), (json!(3), Value::Null));
    // A minute later these plays are more than an hour ago.
    app.clock
        .advance(TimeDelta::minutes(1) + TimeDelta::microseconds(1));
    let hours = metrics(&admin, "range_hours=2").await;
    assert_eq!(metric(&hours, "total_plays"), (json!(3), Value::Null));
}

#[tokio::test]
async fn minutes_that_are_over_and_minutes_that_are_not_add_up() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 100).await;
    // A play every seven minutes, so that they fall into all kinds of slots.
    let mut plays = Vec::new();
    for _ in 0..40 {
        santa.play("/api/roulette/play").await.expect_status(200);
        plays.push(app.clock.now());
        app.clock.advance(TimeDelta::minutes(7));
    }
    for hours in 1..=5 {
        let now = app.clock.now();
        let from = now - TimeDelta::hours(hours);
        let within = plays.iter().filter(|at| **at > from && **at <= now).count();
        let before = plays
            .iter()
            .filter(|at| **at > from - TimeDelta::hours(hours) && **at <= from);
        let before = before.count();
        let body = metrics(&admin, &format!("range_hours={hours}")).await;
        assert_eq!(body["total_plays"]["value"], json!(within), "{hours}");
        let difference = (within as f64 - before as f64) / before as f64 * 100.0;
        let shown = body["total_plays"]["diff_percent"].as_f64();
        assert_eq!(
            shown.map(f64::round),
            (before > 0).then(|| difference.round()),
            "{hours}"
        );
        app.clock.advance(TimeDelta::minutes(13));
    }
}

#[tokio::test]
async fn a_report_is_shown_again_for_a_while_and_reads_what_is_over_once() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.statements();
    metrics(&admin, "range_hours=168").await;
    let cold = app.statements() - before;
    let before = app.statements();
    metrics(&admin, "range_hours=168").await;
    // The guard only.
    assert_eq!(app.statements() - before, 1);
    let before = app.statements();
    metrics(&admin, "range_hours=167").await;
    let warm = app.statements() - before;
    // The guard, the two ends of each range, the ten minutes in which the two ranges met before, and the
    // admins and the rewards that wait.
    assert!(warm <= 1 + 4 * 5 + 5 + 2, "{warm}");
    assert!(warm < cold, "{warm} {cold}");
}

#[tokio::test]
async fn what_has_been_read_ahead_is_not_read_again() {
    let app = TestApp::start().await;
    for (name, hours) in [("caspar", 200), ("melchior", 100), ("balthasar", 1)] {
        let player = app.player(name, 1).await;
        player.play("/api/roulette/play").await.expect_status(200);
        app.clock.advance(TimeDelta::hours(hours));
    }
    let dashboard = app.app.dashboard();
    dashboard.keep_warm(app.clock.now()).await.unwrap();
    let admin = app.admin("operator").await;
    let before = app.statements();
    let body = metrics(&admin, "range_hours=168").await;
    // The guard, the two ends of each range, the admins, and the rewards that wait.
    assert!(app.statements() - before <= 1 + 4 * 5 + 2);
    let plays = json!({ "value": 2, "diff_percent": 100.0 });
    assert_eq!(body["total_plays"], plays);
    assert_eq!(body["unique_players"], plays);
    assert_eq!(body["new_users"], plays);
    // Nothing is left to be read ahead.
    let before = app.statements();
    dashboard.keep_warm(app.clock.now()).await.unwrap();
    assert_eq!(app.statements() - before, 0);
}

#[tokio::test]
async fn who_is_only_acted_upon_is_not_active() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 1).await;
    app.clock.advance(TimeDelta::hours(2));
    let id = santa.identity().user_id;
    for event in [
        "REWARD_GRANTED",
        "BRIDGE_SETTLED",
        "BRIDGE_EXPIRED",
        "CLIENT_ENTER_PAGE",
    ] {
        app.test
            .execute(&format!(
                "INSERT INTO user_event_log (user_id, event_type, event_day, meta_json, created_at) \
                 VALUES ({id}, '{event}', '2025-12-26', '{{}}', '2025-12-26 01:59:00.000000')"
            ))
            .await;
    }
    let body = metrics(&admin, "range_hours=1").await;
    assert_eq!(body["active_users"]["value"], 0);
    santa.play("/api/roulette/play").await.expect_status(200);
    let body = metrics(&admin, "range_hours=2").await;
    assert_eq!(body["active_users"]["value"], 1);
}

#[tokio::test]
async fn a_range_is_one_to_168_hours() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for bad in ["0", "169", "-1", "1.5", "x", "", "9223372036854775808"] {
        let refused = admin.get(&format!("{PATH}?range_hours={bad}")).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"]["range_hours"].is_array(),
            "{bad}"
        );
    }
    for good in [1, 168] {
        assert_eq!(
            metrics(&admin, &format!("range_hours={good}")).await["range_hours"],
            good
        );
    }
}

#[tokio::test]
async fn many_who_ask_at_once_get_one_report() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.statements();
    metrics(&admin, "range_hours=5").await;
    let one = app.statements() - before;
    let before = app.statements();
    let many = (0..20).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move { metrics(&admin, "range_hours=6").await })
    });
    let many: Vec<_> = many.collect();
    let mut bodies = Vec::new();
    for asked in many {
        bodies.push(asked.await.unwrap());
    }
    assert!(bodies.windows(2).all(|two| two[0] == two[1]));
    assert!(app.statements() - before <= 20 + 2 * one);
}
