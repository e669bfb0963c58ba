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
async fn a_form_that_is_sent_back_while_players_win_changes_the_one_field_only() {
    let app = TestApp::start().await;
    let (admin, player) = (
        app.admin("operator").await,
        ticketed(&app, "santa", 9).await,
    );
    let loaded = rig(&admin, 3).await;
    assert_eq!(loaded["prizes"][3]["stock"], 500);
    for _ in 0..3 {
        player.play("/api/lottery/play").await.expect_status(200);
    }
    let mut form = old_form(&loaded);
    form["prizes"][0]["label"] = json!("꽝");
    let saved = save(&admin, &form).await;
    let mut expected = content(&loaded);
    expected["prizes"][0]["label"] = json!("꽝");
    // The answer shows what is left in truth.
    expected["prizes"][3]["stock"] = json!(497);
    assert_eq!(content(&saved), expected);
    assert_eq!(saved["prizes"][4]["reward_item"], 2);
    // Sent back again, and whole: still not a word about the stock.
    let mut whole = content(&loaded);
    whole["prizes"][0]["label"] = json!("꽝");
    assert_eq!(content(&save(&admin, &whole).await), expected);
    for (field, kept) in [("stock_at_edit", 500), ("stock_supplied", 500)] {
        let kept_there = format!("SELECT {field} FROM lottery_prize WHERE label = '3,000 포인트'");
        assert_eq!(app.test.count(&kept_there).await, kept);
    }
    assert_books_are_in_order(&app).await;
    // A client that knows of versions is told instead.
    let mut versioned = form.clone();
    versioned["version"] = loaded["version"].clone();
    admin
        .put(ONE, &versioned)
        .await
        .expect_error(409, "VERSION_CONFLICT");
}

#[tokio::test]
async fn a_stock_is_set_raised_lowered_and_taken_away() {
    let app = TestApp::start().await;
    let (admin, player) = (
        app.admin("operator").await,
        ticketed(&app, "santa", 30).await,
    );
    rig(&admin, 3).await;
    let play = async || {
        let play = player
            .play("/api/lottery/play")
            .await
            .expect_status(200)
            .body;
        assert_eq!(play["prize"]["label"], "3,000 포인트");
    };
    let edit = |stock: Value| {
        json!({ "prizes": [
        { "label": "다음 기회에" }, { "label": "주사위 티켓 3장" }, { "label": "룰렛 티켓 3장" },
        { "label": "3,000 포인트", "stock": stock }, { "label": "배민 2만" },
    ] })
    };
    play().await;
    play().await;
    // What is sent, what is left then, what was left by the last edit, and what was ever supplied.
    for (sent, left, at_edit, supplied) in [
        (json!(499), 498, 500, 500),
        (json!(498), 498, 500, 500),
        (json!(501), 501, 501, 503),
        (json!(10), 10, 10, 12),
        (json!(600), 600, 600, 602),
    ] {
        let saved = save(&admin, &edit(sent.clone())).await;
        assert_eq!(saved["prizes"][3]["stock"], left, "{sent}");
        for (field, expected) in [("stock_at_edit", at_edit), ("stock_supplied", supplied)] {
            let row = format!("SELECT {field} FROM lottery_prize WHERE label = '3,000 포인트'");
            assert_eq!(app.test.count(&row).await, expected, "{sent}: {field}");
        }
        assert_books_are_in_order(&app).await;
    }
    // Without a limit; what is won now comes out of no stock.
    let saved = save(&admin, &edit(Value::Null)).await;
    assert_eq!(saved["prizes"][3]["stock"], Value::Null);
    let nulls = "SELECT COUNT(*) FROM lottery_prize WHERE label = '3,000 포인트' AND stock IS NULL \
                 AND stock_at_edit IS NULL AND stock_supplied IS NULL";
    assert_eq!(app.test.count(nulls).await, 1);
    play().await;
    // Limited again, after two of a stock and one of none.
    let saved = save(&admin, &edit(json!(1))).await;
    assert_eq!(saved["prizes"][3]["stock"], 1);
    let supplied = "SELECT stock_supplied FROM lottery_prize WHERE label = '3,000 포인트'";
    assert_eq!(app.test.count(supplied).await, 3);
    play().await;
    assert_books_are_in_order(&app).await;
    // Nothing is left, and nothing else can come up.
    player
        .play("/api/lottery/play")
        .await
        .expect_error(400, "INVALID_LOTTERY_CONFIG");
    assert_eq!(load(&admin).await["prizes"][3]["stock"], 0);
    // A version makes the number exact: 1 is between what is left and what the last edit left.
    let mut exact = edit(json!(1));
    let version = load(&admin).await["version"].clone();
    exact["version"] = version.clone();
    assert_eq!(save(&admin, &exact).await["prizes"][3]["stock"], 1);
    admin
        .put(ONE, &exact)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    play().await;
    assert_books_are_in_order(&app).await;
}

#[tokio::test]
async fn prizes_are_matched_by_id_and_else_by_label() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let loaded = load(&admin).await;
    let ids: Vec<_> = loaded["prizes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    // Two prizes swap their labels, a third one takes a new one, and one is matched by its label.
    let edit = json!({ "prizes": [
        { "id": ids[1], "label": "룰렛 티켓 3장" }, { "id": ids[2], "label": "주사위 티켓 3장" },
        { "id": ids[0], "label": "꽝" }, { "label": "3,000 포인트" },
        { "id": ids[4], "weight": 21 },
        { "label": "1 XP", "weight": 5, "reward_type": "XP", "reward_value": 1 },
    ] });
    let saved = save(&admin, &edit).await;
    assert_eq!(
        labels(&saved),
        [
            "꽝",
            "룰렛 티켓 3장",
            "주사위 티켓 3장",
            "3,000 포인트",
            "배민 2만",
            "1 XP"
        ]
    );
    let kept: Vec<_> = saved["prizes"].as_array().unwrap()[..5]
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(kept, ids);
    assert_eq!(saved["prizes"][1]["reward_type"], "TICKET_DICE");
    assert_eq!(saved["prizes"][4]["weight"], 21);
    assert_eq!(
        (
            &saved["prizes"][5]["is_active"],
            &saved["prizes"][5]["stock"]
        ),
        (&json!(true), &Value::Null)
    );
    // The label of a prize that was renamed is free.
    let edit = json!({ "prizes": [
        { "id": ids[0] }, { "label": "다음 기회에", "weight": 1, "reward_type": "NONE" },
    ] });
    let saved = save(&admin, &edit).await;
    assert_eq!(labels(&saved), ["꽝", "다음 기회에"]);
}

#[tokio::test]
async fn a_prize_that_is_left_out_is_removed_or_kept_if_it_was_drawn() {
    let app = TestApp::start().await;
    let (admin, player) = (
        app.admin("operator").await,
        ticketed(&app, "santa", 3).await,
    );
    let loaded = rig(&admin, 1).await;
    player.play("/api/lottery/play").await.expect_status(200);
    let drawn = loaded["prizes"][1]["id"].clone();
    let prizes = json!([{ "label": "다음 기회에", "weight": 1 }, { "label": "3,000 포인트" }]);
    // Its label is not free either.
    let mut taken = prizes.clone();
    taken[1] = json!({ "id": loaded["prizes"][3]["id"], "label": "주사위 티켓 3장" });
    let refused = admin.put(ONE, &json!({ "prizes": taken })).await;
    let refused = refused.expect_error(400, "DUPLICATE_PRIZE_LABEL");
    assert!(
        refused.body["error"]["details"]["prizes.1.label"].is_array(),
        "{}",
        refused.text
    );
    assert_eq!(load(&admin).await["prizes"], loaded["prizes"]);
    let saved = save(&admin, &json!({ "prizes": prizes })).await;
    assert_eq!(
        labels(&saved),
        ["다음 기회에", "주사위 티켓 3장", "3,000 포인트"]
    );
    let kept = &saved["prizes"][1];
    assert_eq!((&kept["id"], &kept["is_active"]), (&drawn, &json!(false)));
    let status = player
        .get("/api/lottery/status")
        .await
        .expect_status(200)
        .body;
    assert_eq!(status["prize_preview"].as_array().unwrap().len(), 2);
    // It comes back with its id.
    let back = json!({ "prizes": [
        { "label": "다음 기회에" }, { "label": "3,000 포인트" },
        { "label": "주사위 티켓 3장", "is_active": true },
    ] });
    let saved = save(&admin, &back).await;
    assert_eq!(
        (&saved["prizes"][1]["id"], &saved["prizes"][1]["is_active"]),
        (&drawn, &json!(true))
    );
    assert_books_are_in_order(&app).await;
}

#[tokio::test]
async fn a_prize_that_was_drawn_when_nothing_was_left_is_kept_too() {
    let app = TestApp::start().await;
    let (admin, player) = (
        app.admin("operator").await,
        ticketed(&app, "santa", 9).await,
    );
    let loaded = rig(&admin, 4).await;
    let edit = json!({ "prizes": loaded["prizes"].as_array().unwrap().iter().enumerate().map(|(index, it)| {
        json!({ "id": it["id"], "weight": if index == 4 { 1_000_000_000 } else { i64::from(index == 0) } })
    }).collect::<Vec<_>>() });
    save(&admin, &edit).await;
    player.get("/api/lottery/status").await.expect_status(200);
    let mut attempt = json!(0);
    for _ in 0..9 {
        // Behind the table that was looked up, unless the copy of it has just become too old.
        let sold = "UPDATE lottery_prize SET stock = 0 WHERE label = '배민 2만'";
        app.test.execute(sold).await;
        let play = player
            .play("/api/lottery/play")
            .await
            .expect_status(200)
            .body;
        attempt = play["receipt"]["attempt"].clone();
        if attempt != 0 {
            break;
        }
        app.test
            .execute("UPDATE lottery_prize SET stock = 20 WHERE label = '배민 2만'")
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(450)).await;
        player.get("/api/lottery/status").await.expect_status(200);
    }
    assert_eq!(attempt, 1);
    let without = json!({ "prizes": [{ "label": "다음 기회에" }] });
    let saved = save(&admin, &without).await;
    assert_eq!(labels(&saved), ["다음 기회에", "배민 2만"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stock_edits_race_a_hundred_plays_and_the_books_stay_in_order() {
    let app = TestApp::start().await;
    let admins = [app.admin("one").await, app.admin("two").await];
    let loaded = rig(&admins[0], 3).await;
    let prize = loaded["prizes"][3]["id"].clone();
    // Something else can come up, too.
    let weights = loaded["prizes"].as_array().unwrap().iter().enumerate();
    let weights =
        weights.map(|(index, it)| json!({ "id": it["id"], "weight": ([1, 0, 0, 9, 0])[index] }));
    save(
        &admins[0],
        &json!({ "prizes": weights.collect::<Vec<_>>() }),
    )
    .await;
    let mut players = Vec::new();
    for number in 0..10 {
        players.push(ticketed(&app, &format!("elf-{number}"), 10).await);
    }
    let plays: Vec<_> = players
        .into_iter()
        .map(|player| {
            tokio::spawn(async move {
                for _ in 0..10 {
                    player.play("/api/lottery/play").await.expect_status(200);
                }
            })
        })
        .collect();
    let others: Vec<Value> = loaded["prizes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["id"] != prize)
        .map(|it| json!({ "id": it["id"] }))
        .collect();
    let edits: Vec<_> = admins
        .iter()
        .enumerate()
        .map(|(which, admin)| {
            let (admin, others, prize) = (admin.clone(), others.clone(), prize.clone());
            tokio::spawn(async move {
                for round in 0..10_i64 {
                    let stock = match (round + i64::try_from(which).unwrap()) % 4 {
                        0 => json!(round + 3),
                        1 => Value::Null,
                        2 => json!(0),
                        _ => json!(1_000),
                    };
                    let mut prizes = others.clone();
                    prizes.push(json!({ "id": prize, "stock": stock }));
                    admin
                        .put(ONE, &json!({ "prizes": prizes }))
                        .await
                        .expect_status(200);
                }
            })
        })
        .collect();
    for task in plays.into_iter().chain(edits) {
        task.await.unwrap();
    }
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM feature_log").await,
        100
    );
    assert_books_are_in_order(&app).await;
    // Limited once more, whatever it was: what was taken out of a stock is known.
    let mut prizes = others;
    prizes.push(json!({ "id": prize, "stock": 5 }));
    save(&admins[0], &json!({ "prizes": prizes })).await;
    assert_books_are_in_order(&app).await;
}
