mod races;
mod refusals;

use serde_json::{Value, json};
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
