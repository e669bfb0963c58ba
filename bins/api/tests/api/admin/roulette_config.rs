use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_players::lock_by_id_in_tx;
use xmas_test_support::{Client, TestApp};

const PATH: &str = "/admin/api/roulette-config/";
const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";

fn item(id: i64) -> String {
    format!("/admin/api/roulette-config/{id}")
}

/// What the old admin client sends of what it has loaded: the fields that it knows.
fn old_form(loaded: &Value) -> Value {
    let segments = loaded["segments"].as_array().unwrap().iter();
    let segments = segments.map(|segment| {
        json!({
            "id": segment["id"],
            "index": segment["index"],
            "label": segment["label"],
            "weight": segment["weight"],
            "reward_type": segment["reward_type"],
            "reward_value": segment["reward_value"],
            "is_jackpot": segment["is_jackpot"],
        })
    });
    json!({
        "name": loaded["name"],
        "is_active": loaded["is_active"],
        "max_daily_spins": loaded["max_daily_spins"],
        "segments": segments.collect::<Vec<_>>(),
    })
}

/// Without what changes with every save.
fn content(answer: &Value) -> Value {
    let mut content = answer.clone();
    for field in ["updated_at", "version"] {
        content.as_object_mut().unwrap().remove(field);
    }
    content
}

fn new_wheel(name: &str) -> Value {
    let segment = |index: i64| {
        json!({
            "index": index, "label": format!("칸 {index}"), "weight": 1, "reward_type": "POINT",
            "reward_value": 10 + index, "is_jackpot": index == 3,
        })
    };
    json!({ "name": name, "segments": (0..6).map(segment).collect::<Vec<_>>() })
}

async fn load(admin: &Client, id: i64) -> Value {
    admin.get(&item(id)).await.expect_status(200).body
}

#[tokio::test]
async fn the_list_is_a_bare_array_newest_first() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let added = admin
        .post(PATH, &new_wheel("둘째"))
        .await
        .expect_status(201);
    assert_eq!(added.body["is_active"], false);
    assert_eq!(added.body["max_daily_spins"], 0);
    let before = app.statements();
    let list = admin.get(PATH).await.expect_status(200).body;
    // The guard's look at the admin, the wheels, and their segments.
    assert_eq!(app.statements() - before, 3);
    let ids: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, [&json!(2), &json!(1)]);
    assert_eq!(list[0], added.body);
    assert_eq!(list[1], load(&admin, 1).await);
    let jackpot = &list[1]["segments"][5];
    assert_eq!(
        jackpot,
        &json!({"id": jackpot["id"], "index": 5, "slot_index": 5, "label": "잭팟 10,000 포인트",
            "weight": 60, "reward_type": "POINT", "reward_value": 10_000, "reward_amount": 10_000,
            "reward_item": null, "is_jackpot": true})
    );
    assert_eq!(list[1]["name"], "크리스마스 룰렛");
    let bare = admin
        .get("/admin/api/roulette-config")
        .await
        .expect_status(200);
    assert_eq!(bare.body, list);
}

#[tokio::test]
async fn a_form_that_is_sent_back_changes_the_one_field_only() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    // A prize that the old client knows nothing of.
    let bundle = json!({ "segments": (0..6).map(|index| match index {
        2 => json!({ "index": 2, "reward_type": "BUNDLE", "reward_item": 1 }),
        index => json!({ "index": index }),
    }).collect::<Vec<_>>() });
    let loaded = admin.put(&item(1), &bundle).await.expect_status(200).body;
    assert_eq!(loaded["segments"][2]["reward_item"], 1);
    assert_eq!(loaded["segments"][2]["reward_value"], 1);
    let mut form = old_form(&loaded);
    form["segments"][0]["label"] = json!("꽝");
    let saved = admin.put(&item(1), &form).await.expect_status(200).body;
    let mut expected = content(&loaded);
    expected["segments"][0]["label"] = json!("꽝");
    assert_eq!(content(&saved), expected);
    assert_eq!(load(&admin, 1).await, saved);
    // A client that sends back all that it has loaded changes a field under the name that it knows.
    let mut whole = content(&saved);
    whole["segments"][4]["reward_value"] = json!(2_000);
    whole["a_field_of_tomorrow"] = json!(true);
    let saved = admin.put(&item(1), &whole).await.expect_status(200).body;
    expected["segments"][4]["reward_value"] = json!(2_000);
    expected["segments"][4]["reward_amount"] = json!(2_000);
    assert_eq!(content(&saved), expected);
    let mut ours = content(&saved);
    ours["segments"][4]["reward_amount"] = json!(3_000);
    let saved = admin.put(&item(1), &ours).await.expect_status(200).body;
    assert_eq!(saved["segments"][4]["reward_value"], 3_000);
}

#[tokio::test]
async fn what_is_left_out_stays() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = load(&admin, 1).await;
    let name = json!({ "name": "새 룰렛" });
    let saved = admin.put(&item(1), &name).await.expect_status(200).body;
    let mut expected = content(&before);
    expected["name"] = json!("새 룰렛");
    assert_eq!(content(&saved), expected);
    // In another order, and under either name of the slot.
    let segments = json!({ "segments": [
        { "slot_index": 5, "weight": 70 }, { "index": 4 }, { "index": 3, "slot_index": 3 },
        { "index": 2 }, { "index": 1 }, { "index": 0, "label": "꽝" },
    ] });
    let saved = admin.put(&item(1), &segments).await.expect_status(200).body;
    expected["segments"][5]["weight"] = json!(70);
    expected["segments"][0]["label"] = json!("꽝");
    assert_eq!(content(&saved), expected);
    // Without a slot, the place in the list is meant.
    let places = json!({ "segments": [{ "weight": 1 }, {}, {}, {}, {}, {}] });
    let saved = admin.put(&item(1), &places).await.expect_status(200).body;
    expected["segments"][0]["weight"] = json!(1);
    assert_eq!(content(&saved), expected);
}

#[tokio::test]
async fn switching_one_on_switches_the_other_off_and_the_audit_log_tells_of_both() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 9).await);
    player.play("/api/roulette/play").await.expect_status(200);
    let old_odds = app.anonymous().get("/api/odds/roulette").await.body;
    let added = admin
        .post(PATH, &new_wheel("새 룰렛"))
        .await
        .expect_status(201);
    let id = added.body["id"].as_i64().unwrap();
    let on = admin.put(&item(id), &json!({ "is_active": true })).await;
    assert_eq!(on.expect_status(200).body["is_active"], true);
    assert_eq!(load(&admin, 1).await["is_active"], false);
    // At once, here.
    let odds = app
        .anonymous()
        .get("/api/odds/roulette")
        .await
        .expect_status(200)
        .body;
    assert_ne!(odds["odds_id"], old_odds["odds_id"]);
    assert_eq!(odds["entries"][0]["label"], "칸 0");
    let status = player
        .get("/api/roulette/status")
        .await
        .expect_status(200)
        .body;
    assert_eq!(
        (&status["config_id"], &status["name"]),
        (&json!(id), &json!("새 룰렛"))
    );
    let play = player
        .play("/api/roulette/play")
        .await
        .expect_status(200)
        .body;
    assert_eq!(play["receipt"]["odds_id"], odds["odds_id"]);
    for (action, resource, before, after) in [
        (
            "ROULETTE_CREATE",
            "roulette:2",
            "before_json IS NULL",
            "\"is_active\":false",
        ),
        (
            "ROULETTE_SWITCH_OFF",
            "roulette:1",
            "before_json LIKE '%\"is_active\":true%'",
            "\"is_active\":false",
        ),
        (
            "ROULETTE_UPDATE",
            "roulette:2",
            "before_json LIKE '%\"is_active\":false%'",
            "\"is_active\":true",
        ),
    ] {
        let told = format!(
            "{AUDIT} WHERE actor = 'operator' AND action = '{action}' AND \
            resource = '{resource}' AND {before} AND after_json LIKE '%{after}%'"
        );
        assert_eq!(app.test.count(&told).await, 1, "{action}");
    }
    assert_eq!(app.test.count(AUDIT).await, 3);
    // Nothing of what was played is lost.
    let past = format!("/api/odds/roulette?odds_id={}", old_odds["odds_id"]);
    let past = app.anonymous().get(&past).await.expect_status(200).body;
    assert_eq!(past["content"], old_odds["content"]);
    for played in [1, id] {
        let refused = admin.delete(&item(played)).await;
        refused.expect_error(409, "CONFIG_IN_USE");
    }
}

#[tokio::test]
async fn only_what_was_never_played_is_removed() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    admin
        .post(PATH, &new_wheel("둘째"))
        .await
        .expect_status(201);
    let removed = admin.delete(&item(2)).await.expect_status(204);
    assert_eq!(removed.text, "");
    admin
        .delete(&item(2))
        .await
        .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM roulette_segment")
            .await,
        6
    );
    // Somebody has looked at the first one, and then played it.
    player.get("/api/roulette/status").await.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
    let before = app.test.count(AUDIT).await;
    admin
        .delete(&item(1))
        .await
        .expect_error(409, "CONFIG_IN_USE");
    assert_eq!(app.test.count(AUDIT).await, before);
    player.get("/api/roulette/status").await.expect_status(200);
    for path in [
        "0",
        "-1",
        "99",
        "9223372036854775807",
        "99999999999999999999",
        "one",
        "1%20",
    ] {
        let path = format!("/admin/api/roulette-config/{path}");
        admin
            .get(&path)
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
        admin
            .put(&path, &json!({}))
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
        admin
            .delete(&path)
            .await
            .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    }
    assert_eq!(app.test.count(AUDIT).await, before);
}

#[tokio::test]
async fn a_play_from_before_odds_were_recorded_keeps_its_wheel_too() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    app.test
        .execute(&format!(
            "INSERT INTO feature_log (user_id, feature_type, config_id, nonce, outcome, is_win, \
             reward_type, reward_amount, event_day, created_at) VALUES ({}, 'ROULETTE', 1, 0, '{{}}', \
             0, 'NONE', 0, '2025-12-25', '2025-12-25 00:00:00.000000')",
            player.identity().user_id
        ))
        .await;
    admin
        .delete(&item(1))
        .await
        .expect_error(409, "CONFIG_IN_USE");
}

#[tokio::test]
async fn a_wheel_with_a_mistake_is_told_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = load(&admin, 1).await;
    let with = |index: usize, field: &str, value: Value| {
        let mut form = old_form(&before);
        form["segments"][index][field] = value;
        form
    };
    let mut five = old_form(&before);
    five["segments"].as_array_mut().unwrap().pop();
    let mut seven = old_form(&before);
    let again = seven["segments"][0].clone();
    seven["segments"].as_array_mut().unwrap().push(again);
    let mut nothing = old_form(&before);
    for segment in nothing["segments"].as_array_mut().unwrap() {
        segment["weight"] = json!(0);
    }
    let wheel = (400, "INVALID_ROULETTE_CONFIG");
    let daily = (400, "INVALID_MAX_DAILY_PLAYS");
    let other = (422, "VALIDATION_ERROR");
    for (edit, (status, code), field) in [
        (five, wheel, "segments"),
        (seven, wheel, "segments"),
        (nothing, wheel, "segments"),
        (json!({ "segments": [] }), wheel, "segments"),
        (with(1, "index", json!(0)), wheel, "segments.1.index"),
        (with(1, "index", json!(6)), wheel, "segments.1.index"),
        (with(1, "index", json!(i64::MAX)), wheel, "segments.1.index"),
        (with(2, "weight", json!(-1)), wheel, "segments.2.weight"),
        (
            with(2, "weight", json!(i64::MAX)),
            wheel,
            "segments.2.weight",
        ),
        (with(2, "weight", json!("많이")), other, "segments.2.weight"),
        (with(2, "slot_index", json!(3)), other, "segments.2.index"),
        (
            with(3, "reward_type", json!("GOLD")),
            other,
            "segments.3.reward_type",
        ),
        (
            with(3, "reward_type", json!("point")),
            other,
            "segments.3.reward_type",
        ),
        (
            with(3, "reward_value", json!(0)),
            other,
            "segments.3.reward_value",
        ),
        (
            with(3, "reward_value", json!(i64::MAX)),
            other,
            "segments.3.reward_value",
        ),
        (
            with(0, "reward_value", json!(1)),
            other,
            "segments.0.reward_value",
        ),
        (
            with(3, "reward_item", json!(1)),
            other,
            "segments.3.reward_item",
        ),
        (with(4, "label", json!("")), other, "segments.4.label"),
        (
            with(4, "label", json!("가".repeat(101))),
            other,
            "segments.4.label",
        ),
        (
            with(4, "label", json!("a\u{0}b")),
            other,
            "segments.4.label",
        ),
        (json!({ "name": " 룰렛" }), other, "name"),
        (json!({ "name": "" }), other, "name"),
        (json!({ "max_daily_spins": -1 }), daily, "max_daily_spins"),
        (
            json!({ "max_daily_spins": i64::MAX }),
            daily,
            "max_daily_spins",
        ),
        (json!({ "is_active": 1 }), other, "is_active"),
        (json!({ "is_active": false, "name": "" }), other, "name"),
    ] {
        let refused = admin.put(&item(1), &edit).await.expect_error(status, code);
        let details = &refused.body["error"]["details"];
        assert!(details[field].is_array(), "{field}: {}", refused.text);
    }
    for (reward, field) in [
        (
            json!({ "reward_type": "BUNDLE", "reward_value": 1 }),
            "reward_item",
        ),
        (
            json!({ "reward_type": "BUNDLE", "reward_value": 1, "reward_item": 99 }),
            "reward_item",
        ),
        (
            json!({ "reward_type": "COUPON", "reward_value": 2, "reward_item": 1 }),
            "reward_value",
        ),
        (
            json!({ "reward_type": "POINT", "reward_value": 5, "reward_amount": 6 }),
            "reward_value",
        ),
    ] {
        let mut form = old_form(&before);
        for (name, value) in reward.as_object().unwrap() {
            form["segments"][3][name] = value.clone();
        }
        let refused = admin
            .put(&item(1), &form)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        let details = &refused.body["error"]["details"];
        assert!(
            details[format!("segments.3.{field}")].is_array(),
            "{}",
            refused.text
        );
    }
    // A new one is missing everything.
    let refused = admin.post(PATH, &json!({})).await;
    let refused = refused.expect_error(400, "INVALID_ROULETTE_CONFIG");
    assert!(refused.body["error"]["details"]["name"].is_array());
    let refused = admin
        .post(
            PATH,
            &json!({ "name": "a", "segments": [{}, {}, {}, {}, {}, {}] }),
        )
        .await;
    let refused = refused.expect_error(400, "INVALID_ROULETTE_CONFIG");
    for field in ["label", "weight", "reward_type"] {
        assert!(refused.body["error"]["details"][format!("segments.5.{field}")].is_array());
    }
    admin
        .post(PATH, &json!([]))
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert_eq!(load(&admin, 1).await, before);
    assert_eq!(app.test.count(AUDIT).await, 0);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM roulette_config").await,
        1
    );
}

#[tokio::test]
async fn the_second_of_two_who_loaded_the_same_form_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let loaded = load(&admin, 1).await;
    let version = loaded["version"].as_str().unwrap();
    let edit = json!({ "name": "먼저", "version": version });
    let first = admin.put(&item(1), &edit).await.expect_status(200).body;
    assert_ne!(first["version"], loaded["version"]);
    let late = json!({ "name": "나중", "version": version });
    admin
        .put(&item(1), &late)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let request = admin.request("PUT".parse().unwrap(), &item(1));
    let request = request
        .json(&json!({ "name": "나중" }))
        .header("if-match", format!("\"{version}\""));
    admin
        .send(request)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    // Another wheel that is switched on changes this one.
    admin
        .post(PATH, &new_wheel("둘째"))
        .await
        .expect_status(201);
    admin
        .put(&item(2), &json!({ "is_active": true }))
        .await
        .expect_status(200);
    let late = json!({ "name": "나중", "version": first["version"] });
    admin
        .put(&item(1), &late)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let last = json!({ "name": "나중" });
    assert_eq!(
        admin.put(&item(1), &last).await.expect_status(200).body["name"],
        "나중"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_at_once_leave_one_truth_and_one_active_wheel() {
    let app = TestApp::start().await;
    let admins = [app.admin("one").await, app.admin("two").await];
    for name in ["둘째", "셋째", "넷째"] {
        admins[0]
            .post(PATH, &new_wheel(name))
            .await
            .expect_status(201);
    }
    for round in 0..5 {
        let version = load(&admins[0], 1).await["version"].clone();
        let edits = admins.iter().map(|admin| {
            let admin = admin.clone();
            let name = format!("{round}: {}", admin.identity().user_id);
            let edit = json!({ "name": name, "version": version });
            tokio::spawn(async move { (admin.put(&item(1), &edit).await, name) })
        });
        let edits: Vec<_> = edits.collect();
        let mut winners = Vec::new();
        for edit in edits {
            let (answer, name) = edit.await.unwrap();
            match answer.status {
                200 => winners.push(name),
                _ => drop(answer.expect_error(409, "VERSION_CONFLICT")),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(load(&admins[0], 1).await["name"], json!(winners[0]));
    }
    let mut switches = Vec::new();
    for id in [2, 3, 4, 1, 3, 2] {
        for admin in &admins {
            let admin = admin.clone();
            switches.push(tokio::spawn(async move {
                admin
                    .put(&item(id), &json!({ "is_active": true }))
                    .await
                    .expect_status(200);
            }));
        }
    }
    for switch in switches {
        switch.await.unwrap();
    }
    let active = "SELECT COUNT(*) FROM roulette_config WHERE is_active = 1 AND active_slot = 1";
    assert_eq!(app.test.count(active).await, 1);
    let odds = app.anonymous().get("/api/odds/roulette").await;
    odds.expect_status(200);
}

/// On MySQL the edit passes the play that waits for its player; on SQLite it comes behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_spin_that_is_under_way_ends_with_the_table_that_it_was_drawn_from() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 3).await);
    let old = app
        .anonymous()
        .get("/api/odds/roulette")
        .await
        .expect_status(200)
        .body;
    let tx = app.test.db.begin().await.unwrap();
    lock_by_id_in_tx(&tx, player.identity().user_id)
        .await
        .unwrap();
    let play = tokio::spawn({
        let player = player.clone();
        async move { player.play("/api/roulette/play").await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    let edit = tokio::spawn({
        let admin = admin.clone();
        async move {
            admin
                .put(
                    &item(1),
                    &json!({ "segments": [{ "weight": 121 }, {}, {}, {}, {}, {}] }),
                )
                .await
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    tx.commit().await.unwrap();
    let play = play.await.unwrap().expect_status(200).body;
    edit.await.unwrap().expect_status(200);
    assert_eq!(play["receipt"]["odds_id"], old["odds_id"]);
    let new = app
        .anonymous()
        .get("/api/odds/roulette")
        .await
        .expect_status(200)
        .body;
    assert_ne!(new["odds_id"], old["odds_id"]);
    let next = player
        .play("/api/roulette/play")
        .await
        .expect_status(200)
        .body;
    assert_eq!(next["receipt"]["odds_id"], new["odds_id"]);
    // Both can be checked after the day.
    app.clock.advance(chrono::TimeDelta::hours(16));
    let token = app.login("santa").await.body["access_token"].clone();
    let player = app.with_token(token.as_str());
    for play in [play, next] {
        let path = format!("/api/me/plays/{}/draw", play["receipt"]["play_id"]);
        let receipt = player.get(&path).await.expect_status(200).text;
        let checked = xmas_games::fairness::DrawReceipt::verify(
            receipt.as_bytes(),
            xmas_games::fairness::Published::default(),
        );
        checked.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_spin_during_edits_is_drawn_from_a_table_that_was_in_force() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let mut players = Vec::new();
    for number in 0..8 {
        let player = app.player(&format!("elf-{number}"), 0).await;
        app.give(player.identity(), Asset::RouletteCoin, 8).await;
        players.push(player);
    }
    let plays: Vec<_> = players
        .iter()
        .cloned()
        .map(|player| {
            tokio::spawn(async move {
                for _ in 0..8 {
                    player.play("/api/roulette/play").await.expect_status(200);
                }
            })
        })
        .collect();
    for weight in 1..=6 {
        let edit = json!({ "segments": [{ "weight": weight }, {}, {}, {}, {}, {}] });
        admin.put(&item(1), &edit).await.expect_status(200);
    }
    for play in plays {
        play.await.unwrap();
    }
    // Every play names a table, and an entry of it.
    let report = admin
        .get("/admin/api/odds/roulette?limit=50")
        .await
        .expect_status(200)
        .body;
    let tables = report["items"].as_array().unwrap();
    let drawn: i64 = tables
        .iter()
        .map(|table| table["draws"].as_i64().unwrap())
        .sum();
    let known: i64 = tables
        .iter()
        .flat_map(|table| table["entries"].as_array().unwrap())
        .map(|entry| entry["observed"].as_i64().unwrap())
        .sum();
    assert_eq!((drawn, known), (64, 64));
    let audit = app.app.audit().run().await.unwrap();
    assert_eq!(audit.violations(), 0, "{audit:?}");
}
