//! Which prize is meant, and what becomes of one that is left out.

use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{ONE, assert_books_are_in_order, labels, load, rig, save, ticketed};

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
    for round in 0..9 {
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
        // Saving drops the copy.
        save(&admin, &json!({ "name": format!("복권 {round}") })).await;
        player.get("/api/lottery/status").await.expect_status(200);
    }
    assert_eq!(attempt, 1);
    let without = json!({ "prizes": [{ "label": "다음 기회에" }] });
    let saved = save(&admin, &without).await;
    assert_eq!(labels(&saved), ["다음 기회에", "배민 2만"]);
}
