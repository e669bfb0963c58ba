//! What is left of a prize, while players win it.

use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{ONE, assert_books_are_in_order, content, load, old_form, rig, save, ticketed};

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

#[tokio::test]
async fn a_prize_that_is_named_in_another_form_keeps_its_stock() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let loaded = rig(&admin, 3).await;
    let mut form = old_form(&loaded);
    // As a client sends it whose keyboard decomposes, and without ids.
    let label = "3,000 \u{1111}\u{1169}\u{110b}\u{1175}\u{11ab}\u{1110}\u{1173}";
    form["prizes"][3]["label"] = json!(label);
    for prize in form["prizes"].as_array_mut().unwrap() {
        prize.as_object_mut().unwrap().remove("id");
        prize.as_object_mut().unwrap().remove("stock");
    }
    let saved = save(&admin, &form).await;
    assert_eq!(content(&saved), content(&loaded));
    assert_eq!(saved["prizes"][3]["id"], loaded["prizes"][3]["id"]);
    assert_eq!(saved["prizes"][3]["stock"], 500);
    let hidden =
        json!({ "prizes": [{ "label": "꽝\u{200b}", "weight": 1, "reward_type": "NONE" }] });
    let refused = admin.put(ONE, &hidden).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    assert_books_are_in_order(&app).await;
}
