mod prizes;
mod stock;

use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

const PATH: &str = "/admin/api/lottery-config/";
const ONE: &str = "/admin/api/lottery-config/1";
const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";

/// What the old admin client sends of what it has loaded: the fields that it knows.
fn old_form(loaded: &Value) -> Value {
    let prizes = loaded["prizes"].as_array().unwrap().iter();
    let prizes = prizes.map(|prize| {
        json!({
            "id": prize["id"],
            "label": prize["label"],
            "weight": prize["weight"],
            "stock": prize["stock"],
            "reward_type": prize["reward_type"],
            "reward_value": prize["reward_value"],
            "is_active": prize["is_active"],
        })
    });
    json!({
        "name": loaded["name"],
        "is_active": loaded["is_active"],
        "max_daily_plays": loaded["max_daily_plays"],
        "prizes": prizes.collect::<Vec<_>>(),
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

async fn load(admin: &Client) -> Value {
    admin.get(ONE).await.expect_status(200).body
}

async fn save(admin: &Client, edit: &Value) -> Value {
    admin.put(ONE, edit).await.expect_status(200).body
}

fn labels(answer: &Value) -> Vec<&str> {
    let prizes = answer["prizes"].as_array().unwrap().iter();
    prizes
        .map(|prize| prize["label"].as_str().unwrap())
        .collect()
}

/// A player with so many tickets.
async fn ticketed(app: &TestApp, name: &str, tickets: u32) -> Client {
    let player = app.player(name, 0).await;
    app.give(player.identity(), Asset::LotteryTicket, tickets)
        .await;
    player
}

/// Makes one prize come up for sure.
async fn rig(admin: &Client, prize: usize) -> Value {
    let loaded = load(admin).await;
    let prizes = loaded["prizes"].as_array().unwrap().iter().enumerate();
    let prizes =
        prizes.map(|(index, it)| json!({ "id": it["id"], "weight": i64::from(index == prize) }));
    save(admin, &json!({ "prizes": prizes.collect::<Vec<_>>() })).await
}

async fn assert_books_are_in_order(app: &TestApp) {
    let audit = app.app.audit().run().await.unwrap();
    assert_eq!(audit.violations(), 0, "{audit:?}");
}

#[tokio::test]
async fn both_names_of_the_daily_limit_are_served_and_taken() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.statements();
    let list = admin.get(PATH).await.expect_status(200).body;
    assert_eq!(app.statements() - before, 3);
    assert_eq!(list[0], load(&admin).await);
    assert_eq!(list[0]["prizes"][4]["reward_item"], 2);
    for (edit, limit) in [
        (json!({ "max_daily_plays": 5 }), 5),
        (json!({ "max_daily_tickets": 6 }), 6),
        (json!({ "max_daily_tickets": 7, "max_daily_plays": 7 }), 7),
        // The other one is what was loaded.
        (json!({ "max_daily_tickets": 7, "max_daily_plays": 8 }), 8),
        (json!({ "max_daily_tickets": 9, "max_daily_plays": 8 }), 9),
    ] {
        let saved = save(&admin, &edit).await;
        assert_eq!(
            (&saved["max_daily_plays"], &saved["max_daily_tickets"]),
            (&json!(limit), &json!(limit))
        );
    }
    let both = json!({ "max_daily_tickets": 1, "max_daily_plays": 2 });
    admin
        .put(ONE, &both)
        .await
        .expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_lottery_with_a_mistake_is_told_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = load(&admin).await;
    let with = |index: usize, field: &str, value: Value| {
        let mut form = old_form(&before);
        form["prizes"][index][field] = value;
        form
    };
    let all = |field: &str, value: Value| {
        let mut form = old_form(&before);
        for prize in form["prizes"].as_array_mut().unwrap() {
            prize[field] = value.clone();
        }
        form
    };
    let weight = (400, "INVALID_LOTTERY_WEIGHT");
    let stock = (400, "INVALID_LOTTERY_STOCK");
    let other = (422, "VALIDATION_ERROR");
    let mut twice = old_form(&before);
    let again = twice["prizes"][0].clone();
    twice["prizes"].as_array_mut().unwrap().push(again);
    let many = (0..101)
        .map(|number| json!({ "label": number.to_string(), "weight": 1, "reward_type": "NONE" }));
    let many: Vec<_> = many.collect();
    for (edit, (status, code), field) in [
        (with(1, "weight", json!(-1)), weight, "prizes.1.weight"),
        (
            with(1, "weight", json!(i64::MAX)),
            weight,
            "prizes.1.weight",
        ),
        (with(3, "stock", json!(-1)), stock, "prizes.3.stock"),
        (with(3, "stock", json!(i64::MAX)), stock, "prizes.3.stock"),
        (with(3, "stock", json!("many")), other, "prizes.3.stock"),
        (
            with(1, "label", json!("배민 2만")),
            (400, "DUPLICATE_PRIZE_LABEL"),
            "prizes.4.label",
        ),
        (
            all("is_active", json!(false)),
            (400, "NO_ACTIVE_PRIZE"),
            "prizes",
        ),
        (json!({ "prizes": [] }), (400, "NO_ACTIVE_PRIZE"), "prizes"),
        (
            all("weight", json!(0)),
            (400, "ZERO_TOTAL_WEIGHT"),
            "prizes",
        ),
        (
            json!({ "max_daily_plays": -1 }),
            (400, "INVALID_MAX_DAILY_PLAYS"),
            "max_daily_plays",
        ),
        (with(2, "id", json!(999)), other, "prizes.2.id"),
        (twice, (400, "DUPLICATE_PRIZE_LABEL"), "prizes.5.id"),
        (
            with(2, "reward_type", json!("GOLD")),
            other,
            "prizes.2.reward_type",
        ),
        (
            with(2, "reward_value", json!(-3)),
            other,
            "prizes.2.reward_value",
        ),
        (
            with(4, "reward_item", json!(99)),
            other,
            "prizes.4.reward_item",
        ),
        (
            with(4, "reward_item", Value::Null),
            other,
            "prizes.4.reward_item",
        ),
        (with(2, "label", json!(" ")), other, "prizes.2.label"),
        (json!({ "name": "가".repeat(101) }), other, "name"),
        (json!({ "prizes": many }), other, "prizes"),
    ] {
        let refused = admin.put(ONE, &edit).await.expect_error(status, code);
        let details = &refused.body["error"]["details"];
        assert!(details[field].is_array(), "{field}: {}", refused.text);
    }
    admin
        .post(PATH, &json!({ "name": "새 복권" }))
        .await
        .expect_error(400, "NO_ACTIVE_PRIZE");
    assert_eq!(load(&admin).await, before);
    assert_eq!(app.test.count(AUDIT).await, 0);
}

#[tokio::test]
async fn a_lottery_that_is_copied_gets_prizes_of_its_own() {
    let app = TestApp::start().await;
    let (admin, player) = (
        app.admin("operator").await,
        ticketed(&app, "santa", 1).await,
    );
    let mut copy = old_form(&load(&admin).await);
    copy["name"] = json!("복사본");
    copy["prizes"][4]["reward_item"] = json!(2);
    let added = admin.post(PATH, &copy).await.expect_status(201).body;
    // It said that it is active, and so it is, in place of the other one.
    assert_eq!(
        (&added["id"], &added["is_active"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(load(&admin).await["is_active"], false);
    assert_ne!(
        added["prizes"][0]["id"],
        load(&admin).await["prizes"][0]["id"]
    );
    assert_eq!(added["prizes"][3]["stock"], 500);
    assert_eq!(player.get("/api/lottery/status").await.body["config_id"], 2);
    player.play("/api/lottery/play").await.expect_status(200);
    admin
        .delete("/admin/api/lottery-config/2")
        .await
        .expect_error(409, "CONFIG_IN_USE");
    admin.delete(ONE).await.expect_status(204);
    admin
        .get(ONE)
        .await
        .expect_error(404, "LOTTERY_CONFIG_NOT_FOUND");
    assert_books_are_in_order(&app).await;
}
