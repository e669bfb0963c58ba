use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp};
use xmas_time::EventDay;

const BRIDGE: &str = "/admin/api/event-bridge/";
const KEYS: &str = "/admin/api/event-bridge/keys";
const SETTLE: &str = "/admin/api/event-bridge/settle";
const CLOSE: &str = "/admin/api/event-bridge/close";

#[track_caller]
fn names_field(answer: &Answer, field: &str) {
    let details = &answer.body["error"]["details"];
    assert!(details[field].is_array(), "{field}: {}", answer.text);
}

fn new_year(app: &TestApp) {
    let day = EventDay::from_ymd(2026, 1, 1).unwrap();
    app.clock.set(day.start() + chrono::TimeDelta::hours(9));
}

/// The evening of the last day: no day is still to come.
fn new_year_s_eve(app: &TestApp) {
    let day = EventDay::from_ymd(2025, 12, 31).unwrap();
    app.clock.set(day.start() + chrono::TimeDelta::hours(20));
}

/// All seven keys, each given with a reason.
async fn give_all(admin: &Client, external_id: &str) {
    for day in 1..=7 {
        let key = json!({ "day": day, "external_id": external_id, "reason": "보상" });
        let given = admin.post(KEYS, &key).await.expect_status(200).body;
        assert_eq!(given["given"], 1);
    }
}

/// Work on many players that does not say whether it is to be done.
#[track_caller]
fn expect_unsaid(answer: Answer) {
    let answer = answer.expect_error(422, "VALIDATION_ERROR");
    let said = json!(["dry_run must be given: true only looks, false does the work."]);
    assert_eq!(answer.body["error"]["details"]["dry_run"], said);
}

#[tokio::test]
async fn the_bridge_is_shown_with_its_keys_and_what_it_would_pay() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    new_year_s_eve(&app);
    let admin = app.admin("operator").await;
    give_all(&admin, "santa").await;
    let key = json!({ "day": 3, "external_id": "rudolf", "reason": "장애" });
    admin.post(KEYS, &key).await.expect_status(200);
    let bridge = admin.get(BRIDGE).await.expect_status(200).body;
    assert_eq!(bridge["state"], "OPEN");
    assert_eq!(bridge["days"][6]["event_type"], "KEY_DAY_7_LAST_LOGIN");
    let histogram = json!([
        { "keys": 1, "active": 1, "blocked": 0, "inactive": 0, "pending_points": 5_000 },
        { "keys": 7, "active": 1, "blocked": 0, "inactive": 0, "pending_points": 35_000 },
    ]);
    assert_eq!(bridge["histogram"], histogram);
    assert_eq!(bridge["certificate"]["unpaid"], json!({ "NOT_YET": 1 }));
    for unsaid in [
        admin.post(SETTLE, &json!({})).await,
        admin.post(SETTLE, &json!({ "dry_run": null })).await,
    ] {
        expect_unsaid(unsaid);
    }
    // It may be looked at before the day.
    let dry = json!({ "dry_run": true });
    let dry = admin.post(SETTLE, &dry).await.expect_status(200).body;
    assert_eq!((&dry["dry_run"], &dry["run"]), (&json!(true), &Value::Null));
    assert_eq!(dry["certificate"]["unpaid_points"], 35_000);
    let wet = json!({ "dry_run": false });
    admin
        .post(SETTLE, &wet)
        .await
        .expect_error(400, "BRIDGE_NOT_DUE");
    admin
        .post(CLOSE, &json!({}))
        .await
        .expect_error(400, "BRIDGE_NOT_DUE");
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BRIDGE_KEY'";
    assert_eq!(app.test.count(told).await, 8);
    let others = "SELECT COUNT(*) FROM admin_audit_log WHERE action <> 'BRIDGE_KEY'";
    assert_eq!(app.test.count(others).await, 0);
}

#[tokio::test]
async fn a_settlement_by_two_admins_pays_once_and_the_closing_takes_the_rest() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    new_year_s_eve(&app);
    let admin = app.admin("operator").await;
    give_all(&admin, "santa").await;
    let key = json!({ "day": 3, "external_id": "rudolf", "reason": "장애" });
    admin.post(KEYS, &key).await.expect_status(200);
    new_year(&app);
    let admin = app.admin("night").await;
    let wet = json!({ "dry_run": false });
    let (one, other) = futures_util::join!(admin.post(SETTLE, &wet), admin.post(SETTLE, &wet));
    let (one, other) = (one.expect_status(200).body, other.expect_status(200).body);
    let paid = |answer: &Value| answer["run"]["paid"].as_i64().unwrap();
    assert_eq!(paid(&one) + paid(&other), 1);
    let again = admin.post(SETTLE, &wet).await.expect_status(200).body;
    assert_eq!(paid(&again), 0);
    assert_eq!(again["certificate"]["points"], 35_000);
    let received = format!(
        "SELECT SUM(delta) FROM wallet_ledger WHERE user_id = {}",
        player.identity().user_id
    );
    assert_eq!(app.test.count(&received).await, 35_000);
    let closed = admin.post(CLOSE, &json!({})).await.expect_status(200).body;
    assert_eq!(closed["digest"], again["certificate"]["digest"]);
    let bridge = admin.get(BRIDGE).await.expect_status(200).body;
    assert_eq!(
        (&bridge["state"], &bridge["histogram"]),
        (&json!("CLOSED"), &json!([]))
    );
    admin
        .post(KEYS, &key)
        .await
        .expect_error(404, "BRIDGE_NOT_FOUND");
    let left = "SELECT SUM(event_key_count) FROM user_profiles";
    assert_eq!(app.test.count(left).await, 0);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action IN ('BRIDGE_SETTLE_BEGIN', \
                'BRIDGE_SETTLE', 'BRIDGE_CLOSE_BEGIN', 'BRIDGE_CLOSE')";
    assert_eq!(app.test.count(told).await, 3 * 2 + 2);
    assert_eq!(app.app.audit().run().await.unwrap().violations(), 0);
}

#[tokio::test]
async fn one_day_s_key_for_all_who_were_active_is_shown_before_it_is_given() {
    let app = TestApp::start().await;
    new_year_s_eve(&app);
    let admin = app.admin("operator").await;
    for name in ["santa", "rudolf", "elf"] {
        app.player(name, 0).await;
    }
    let gift = |dry_run: bool| json!({ "day": 3, "all_active": true, "reason": "12/27 장애 보상", "dry_run": dry_run });
    // Logging in is being active; the admin is not a player, and has no use for a key.
    let dry = admin.post(KEYS, &gift(true)).await.expect_status(200).body;
    // As other previews say it; unsaid, misspelt or in two ways it is no leave to give.
    let mut unsaid = gift(true);
    unsaid.as_object_mut().unwrap().remove("dry_run");
    let asked = admin.post(&format!("{KEYS}?dry_run=true"), &unsaid).await;
    assert_eq!(asked.expect_status(200).body, dry);
    expect_unsaid(admin.post(KEYS, &unsaid).await);
    for query in ["dryrun=true", "dry_run=true"] {
        let refused = admin.post(&format!("{KEYS}?{query}"), &gift(false)).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    let given = admin.post(KEYS, &gift(false)).await.expect_status(200).body;
    assert_eq!(dry["given"], 3);
    assert_eq!(dry["given"], given["given"]);
    assert_eq!(dry["points"], given["points"]);
    let again = admin.post(KEYS, &gift(false)).await.expect_status(200).body;
    let mut same = given.clone();
    same["given_now"] = json!(0);
    assert_eq!(again, same);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BRIDGE_KEYS_BEGIN'";
    assert_eq!(app.test.count(told).await, 1);
}

#[tokio::test]
async fn a_gift_that_was_a_mistake_is_found_and_taken_back() {
    let app = TestApp::start().await;
    for name in ["santa", "rudolf"] {
        app.player(name, 0).await;
    }
    new_year_s_eve(&app);
    let admin = app.admin("operator").await;
    let all =
        json!({ "day": 3, "all_active": true, "reason": "12/27 장애 보상", "dry_run": false });
    let given = admin.post(KEYS, &all).await.expect_status(200).body;
    let gifts = admin.get(KEYS).await.expect_status(200).body;
    let item = &gifts["items"][0];
    assert_eq!(item["id"], given["gift_id"]);
    assert_eq!(
        (&item["day"], &item["state"], &item["given"], &item["actor"]),
        (&json!(3), &json!("DONE"), &json!(2), &json!("operator"))
    );
    let revert = format!("{KEYS}/{}/revert", item["id"]);
    let reason = "26일 열쇠여야 했음";
    expect_unsaid(admin.post(&revert, &json!({ "reason": reason })).await);
    for (body, field) in [
        (json!({ "dry_run": true }), "reason"),
        (json!({ "dry_run": false, "reason": " " }), "reason"),
        (
            json!({ "dry_run": false, "reason": reason, "all": true }),
            "all",
        ),
    ] {
        let refused = admin.post(&revert, &body).await;
        names_field(&refused.expect_error(422, "VALIDATION_ERROR"), field);
    }
    let expected = |dry_run: bool| json!({ "dry_run": dry_run, "gift_id": item["id"], "taken": 2, "earned": 0, "kept": 0, "points": 10_000 });
    for dry_run in [true, false, false] {
        let body = json!({ "dry_run": dry_run, "reason": reason });
        let taken = admin.post(&revert, &body).await.expect_status(200).body;
        assert_eq!(taken, expected(dry_run));
    }
    // The admin, who has logged in, is no player.
    let left = "SELECT SUM(p.event_key_count) FROM user_profiles p JOIN `user` u ON u.id = p.user_id \
                WHERE u.role = 'PLAYER'";
    assert_eq!(app.test.count(left).await, 0);
    let gifts = admin.get(KEYS).await.expect_status(200).body;
    assert_eq!(gifts["items"][0]["state"], "REVERTED");
    assert_eq!(gifts["items"][0]["taken"], 2);
    let body = json!({ "dry_run": false, "reason": reason });
    admin
        .post(&format!("{KEYS}/99/revert"), &body)
        .await
        .expect_error(404, "GIFT_NOT_FOUND");
    assert_eq!(app.app.audit().run().await.unwrap().violations(), 0);
}

#[tokio::test]
async fn a_gift_that_cannot_be_given_is_refused() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.player("santa", 0).await;
    let give = async |key: Value| admin.post(KEYS, &key).await;
    give(json!({ "day": 1, "reason": "x" }))
        .await
        .expect_error(400, "USER_REQUIRED");
    let unknown = json!({ "day": 1, "external_id": "nobody", "reason": "x" });
    give(unknown).await.expect_error(404, "USER_NOT_FOUND");
    let admin_s = json!({ "day": 1, "external_id": "operator", "reason": "x" });
    give(admin_s).await.expect_error(404, "USER_NOT_FOUND");
    let far = json!({ "day": 1, "user_id": i64::MIN, "reason": "x" });
    give(far).await.expect_error(404, "USER_NOT_FOUND");
    for (key, field) in [
        (
            json!({ "day": 8, "external_id": "santa", "reason": "x" }),
            "day",
        ),
        (json!({ "day": 1, "external_id": "santa" }), "reason"),
        (
            json!({ "day": 1, "external_id": "santa", "reason": "x", "all_active": true }),
            "all_active",
        ),
        (
            json!({ "day": 1, "external_id": "santa", "user_id": 999, "reason": "x" }),
            "external_id",
        ),
        (
            json!({ "day": 1, "external_id": "santa", "reason": "x", "dry": true }),
            "dry",
        ),
    ] {
        let answer = give(key).await.expect_error(422, "VALIDATION_ERROR");
        names_field(&answer, field);
    }
    let elsewhere = json!({ "day": 1, "external_id": "santa", "reason": "x", "bridge_id": 9 });
    give(elsewhere).await.expect_error(404, "BRIDGE_NOT_FOUND");
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
}

#[tokio::test]
async fn what_players_have_collected_keeps_its_terms() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.player("santa", 0).await;
    let before = admin.get(BRIDGE).await.expect_status(200).body;
    let with = |index: usize, field: &str, value: Value| {
        let mut days = before["days"].clone();
        days[index][field] = value;
        json!({ "days": days })
    };
    // The event's second day; somebody has the key of the first.
    let first = json!({ "day": 1, "external_id": "santa", "reason": "x" });
    admin.post(KEYS, &first).await.expect_status(200);
    for index in [0, 1] {
        let answer = admin
            .put(BRIDGE, &with(index, "points", json!(9_000)))
            .await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        names_field(&answer, &format!("days.{index}"));
    }
    let later = with(4, "points", json!(9_000));
    let saved = admin.put(BRIDGE, &later).await.expect_status(200).body;
    assert_eq!(saved["days"][4]["points"], 9_000);
    assert_eq!(saved["days"][3], before["days"][3]);
    let key = json!({ "day": 5, "external_id": "santa", "reason": "x" });
    let early = admin.post(KEYS, &key).await;
    names_field(&early.expect_error(422, "VALIDATION_ERROR"), "day");
    app.clock
        .set(EventDay::from_ymd(2025, 12, 30).unwrap().start());
    let admin = app.admin("later").await;
    let given = admin.post(KEYS, &key).await.expect_status(200).body;
    assert_eq!(given["points"], 9_000);
    let back = admin.put(BRIDGE, &json!({ "days": before["days"] })).await;
    names_field(&back.expect_error(422, "VALIDATION_ERROR"), "days.4");
    for (edit, field) in [
        (json!({ "keys_required": 8 }), "keys_required"),
        (json!({ "settle_on": "2025-12-31" }), "settle_on"),
        (with(5, "mission", json!("DANCE")), "days.5.mission"),
        (
            with(5, "event_type", json!("INTERNAL_WIN_50")),
            "days.5.event_type",
        ),
        (with(6, "date", json!("2026-01-02")), "days.6.date"),
    ] {
        let answer = admin.put(BRIDGE, &edit).await;
        names_field(&answer.expect_error(422, "VALIDATION_ERROR"), field);
    }
    let hold = json!({ "auto_settle": false, "version": saved["version"] });
    let held = admin.put(BRIDGE, &hold).await.expect_status(200).body;
    assert_eq!(held["auto_settle"], false);
    admin
        .put(BRIDGE, &hold)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let other = json!({ "season_id": 9 });
    admin
        .put(BRIDGE, &other)
        .await
        .expect_error(409, "BRIDGE_CONFLICT");
    assert_eq!(app.app.audit().run().await.unwrap().violations(), 0);
}

#[tokio::test]
async fn last_year_s_event_is_moved_to_this_year() {
    let app = TestApp::start().await;
    let day = EventDay::from_ymd(2026, 11, 24).unwrap();
    app.clock.set(day.start() + chrono::TimeDelta::hours(9));
    let admin = app.admin("operator").await;
    let season = "/admin/api/seasons/1";
    let wide = json!({ "end_date": "2026-12-31" });
    admin.put(season, &wide).await.expect_status(200);
    let mut days = admin.get(BRIDGE).await.expect_status(200).body["days"].clone();
    for (number, day) in (25..).zip(days.as_array_mut().unwrap()) {
        day["date"] = json!(format!("2026-12-{number}"));
    }
    let moved = json!({ "days": days, "settle_on": "2027-01-01" });
    let moved = admin.put(BRIDGE, &moved).await.expect_status(200).body;
    assert_eq!(moved["days"], days);
    let this_year = json!({ "name": "XMAS_1WEEK_2026", "start_date": "2026-12-25" });
    admin.put(season, &this_year).await.expect_status(200);
    app.clock
        .set(EventDay::from_ymd(2026, 12, 25).unwrap().start());
    let player = app.player("santa", 1).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let status = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200)
        .body;
    assert_eq!(status["event_bridge"]["active_keys"], json!([1]));
}

#[tokio::test]
async fn next_year_s_bridge_opens_once_this_one_is_closed() {
    let app = TestApp::start().await;
    new_year(&app);
    let admin = app.admin("operator").await;
    let season = json!({ "name": "2026", "start_date": "2026-12-25", "end_date": "2026-12-26" });
    let season = admin
        .post("/admin/api/seasons/", &season)
        .await
        .expect_status(201)
        .body;
    let day = |day: i64, date: &str, mission: &str| {
        json!({ "day": day, "date": date, "event_type": format!("KEY_DAY_{day}"), "mission": mission,
            "points": 100 })
    };
    let days = json!([day(1, "2026-12-25", "LOGIN"), day(2, "2026-12-26", "STAMP"),]);
    let open = json!({ "season_id": season["id"], "days": days });
    admin
        .put(BRIDGE, &open)
        .await
        .expect_error(409, "BRIDGE_CONFLICT");
    let before = admin.get(BRIDGE).await.body["id"].clone();
    admin.play(CLOSE).await.expect_status(200);
    admin
        .put(BRIDGE, &json!({ "auto_settle": true }))
        .await
        .expect_error(404, "BRIDGE_NOT_FOUND");
    let unknown = json!({ "season_id": 99, "days": days });
    admin
        .put(BRIDGE, &unknown)
        .await
        .expect_error(404, "SEASON_NOT_FOUND");
    let opened = admin.put(BRIDGE, &open).await.expect_status(200).body;
    assert_eq!(opened["state"], "OPEN");
    assert_eq!(opened["keys_required"], 2);
    assert_eq!(opened["settle_on"], "2026-12-27");
    let old = admin
        .get(&format!("{BRIDGE}?bridge_id={before}"))
        .await
        .expect_status(200)
        .body;
    assert_eq!(old["state"], "CLOSED");
    admin
        .get("/admin/api/event-bridge?bridge_id=99")
        .await
        .expect_error(404, "BRIDGE_NOT_FOUND");
}
