//! Configurations that promise 0 of something, from the form that saves them to the books.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_games::fairness::{DrawReceipt, Published};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

const WHEELS: &str = "/admin/api/roulette-config/";
const DICE: &str = "/admin/api/dice-config/1";
const LOTTERY: &str = "/admin/api/lottery-config/1";
const LEVELS: &str = "/admin/api/seasons/1/levels";

/// A new wheel as the existing admin client sends it: six segments that are still worth 0 points.
fn new_wheel(is_active: bool) -> Value {
    let segment = |index: i64| {
        json!({
            "index": index, "label": format!("Segment {}", index + 1), "weight": 1,
            "reward_type": "POINT", "reward_value": 0, "is_jackpot": false,
        })
    };
    json!({
        "name": "새 룰렛", "is_active": is_active, "max_daily_spins": 0,
        "segments": (0..6).map(segment).collect::<Vec<_>>(),
    })
}

async fn assert_audit_is_clean(app: &TestApp) {
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

/// What a player's history tells of one kind.
async fn history(player: &Client, kind: &str) -> Vec<Value> {
    let path = format!("/api/me/history?kind={kind}");
    let page = player.get(&path).await.expect_status(200).body;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_wheel_of_zeros_is_created_played_and_told_of() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 3).await);
    let published = app.anonymous().get("/api/fairness/2025-12-26").await.body;
    let created = admin.post(WHEELS, &new_wheel(true)).await;
    let created = created.expect_status(201).body;
    for segment in created["segments"].as_array().unwrap() {
        assert_eq!(segment["reward_type"], "POINT");
        assert_eq!(
            (&segment["reward_value"], &segment["reward_amount"]),
            (&json!(0), &json!(0))
        );
    }
    let status = player.get("/api/roulette/status").await;
    let status = status.expect_status(200).body;
    assert_eq!(status["config_id"], created["id"]);
    assert_eq!(status["segments"][5]["reward_amount"], 0);

    let play = player.play_keyed("/api/roulette/play", "k").await;
    let play = play.expect_status(200).body;
    assert_eq!(play["result"], "OK");
    assert_eq!(play["segment"]["reward_type"], "POINT");
    assert_eq!(play["segment"]["reward_amount"], 0);
    assert_eq!(play["receipt"]["reward_state"], "DELIVERED");
    assert_eq!(play["token_balance"], 2);
    let again = player.play_keyed("/api/roulette/play", "k").await;
    assert!(again.is_replayed());
    assert_eq!(again.expect_status(200).body, play);

    // The play is told of, and no reward of 0 beside it; nor did one enter the activity log.
    let plays = history(&player, "play").await;
    assert_eq!(plays.len(), 1);
    assert_eq!(plays[0]["is_win"], false);
    assert_eq!(
        (&plays[0]["reward_amount"], &plays[0]["reward_state"]),
        (&json!(0), &json!("DELIVERED"))
    );
    for reward in history(&player, "reward").await {
        assert_eq!(reward["reward_type"], "XP", "of the play itself");
    }
    let receipts = "SELECT COUNT(*) FROM reward_log WHERE reward_type = 'POINT' AND amount = 0 \
        AND state = 'DELIVERED' AND delivered_at IS NOT NULL";
    assert_eq!(app.test.count(receipts).await, 1);
    let granted = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'REWARD_GRANTED' \
        AND meta_json LIKE '%POINT%'";
    assert_eq!(app.test.count(granted).await, 0);
    let moved = "SELECT COUNT(*) FROM wallet_ledger WHERE asset = 'POINT'";
    assert_eq!(app.test.count(moved).await, 0);
    let wins = player.get("/api/season-pass/internal-wins").await;
    assert_eq!(wins.expect_status(200).body["total_wins"], 0);
    let waiting = admin.get("/admin/api/rewards/?state=PENDING_REVIEW").await;
    assert_eq!(waiting.expect_status(200).body["items"], json!([]));
    assert_audit_is_clean(&app).await;

    let odds = app.anonymous().get("/api/odds/roulette").await;
    let odds = odds.expect_status(200).body;
    assert_eq!(odds["odds_id"], play["receipt"]["odds_id"]);
    assert_eq!(odds["entries"][0]["reward_amount"], 0);
    app.clock.advance(TimeDelta::hours(16));
    let token = app.login("santa").await.body["access_token"].clone();
    let player = app.with_token(token.as_str());
    let draw = format!("/api/me/plays/{}/draw", play["receipt"]["play_id"]);
    let receipt = player.get(&draw).await.expect_status(200).text;
    let published = Published {
        commitment: published["commitment"].as_str(),
        ..Published::default()
    };
    DrawReceipt::verify(receipt.as_bytes(), published).unwrap();
}

#[tokio::test]
async fn dice_that_pay_nothing_are_still_won() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    app.give(player.identity(), Asset::DiceToken, 9).await;
    let edit = json!({ "win_reward_value": 0, "draw_reward_type": "XP", "draw_reward_value": 0,
        "lose_reward_type": "TICKET_DICE", "lose_reward_value": 0, "max_daily_plays": 0 });
    let saved = admin.put(DICE, &edit).await.expect_status(200).body;
    assert_eq!(
        (&saved["win_reward_type"], &saved["win_reward_amount"]),
        (&json!("POINT"), &json!(0))
    );
    let mut won = 0;
    for left in (0..9).rev() {
        let play = player.play("/api/dice/play").await.expect_status(200).body;
        let game = &play["game"];
        assert_eq!(game["reward_amount"], 0);
        assert_eq!(play["token_balance"], left);
        assert_eq!(play["receipt"]["reward_state"], "DELIVERED");
        won += i64::from(game["outcome"] == "WIN");
    }
    assert!(won > 0, "some of nine are won");
    let wins = player.get("/api/season-pass/internal-wins").await;
    assert_eq!(wins.expect_status(200).body["total_wins"], won);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn a_limited_prize_of_zero_takes_from_its_stock() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    app.give(player.identity(), Asset::LotteryTicket, 3).await;
    let prize = |label: &str, weight: i64, stock: Value| {
        json!({ "label": label, "weight": weight, "stock": stock, "reward_type": "CC_COIN",
            "reward_value": 0 })
    };
    let edit = json!({ "max_daily_plays": 0, "prizes": [
        prize("코인 0개", 1_000_000, json!(2)), prize("꽝", 1, Value::Null),
    ] });
    admin.put(LOTTERY, &edit).await.expect_status(200);
    for _ in 0..3 {
        let play = player.play("/api/lottery/play").await.expect_status(200);
        assert_eq!(play.body["prize"]["reward_type"], "CC_COIN");
        assert_eq!(play.body["prize"]["reward_amount"], 0);
        assert_eq!(play.body["receipt"]["reward_state"], "DELIVERED");
    }
    let left = "SELECT stock FROM lottery_prize WHERE label = '코인 0개'";
    assert_eq!(app.test.count(left).await, 0);
    let wins = "SELECT COUNT(*) FROM feature_log WHERE is_win = 1";
    assert_eq!(app.test.count(wins).await, 0);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn levels_of_zero_pay_by_themselves_and_are_claimed_whatever_their_flags() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    let mut levels = admin.get(LEVELS).await.expect_status(200).body["levels"].clone();
    levels[0]["reward_amount"] = json!(0);
    for (field, value) in [
        ("required_xp", json!(21)),
        ("reward_type", json!("POINT")),
        ("reward_amount", json!(0)),
        ("auto_claim", json!(false)),
        ("is_manual", json!(true)),
    ] {
        levels[1][field] = value;
    }
    let saved = admin.put(LEVELS, &json!({ "levels": levels })).await;
    assert_eq!(
        saved.expect_status(200).body["levels"][1]["reward_amount"],
        0
    );
    let stamp = json!({ "source_feature_type": "ROULETTE", "xp_bonus": 1 });
    let stamp = player.post("/api/season-pass/stamp", &stamp).await;
    let stamp = stamp.expect_status(200).body;
    assert_eq!(stamp["current_level"], 2);
    assert_eq!(stamp["rewards"].as_array().unwrap().len(), 1);
    assert_eq!(stamp["rewards"][0]["reward_amount"], 0);
    assert_eq!(stamp["rewards"][0]["state"], "DELIVERED");
    let level = json!({ "level": 2 });
    let claim = player.post("/api/season-pass/claim", &level).await;
    let claim = claim.expect_status(200).body;
    assert_eq!(
        (
            &claim["reward_type"],
            &claim["reward_amount"],
            &claim["state"]
        ),
        (&json!("POINT"), &json!(0), &json!("DELIVERED"))
    );
    let again = player.post("/api/season-pass/claim", &level).await;
    again.expect_error(400, "REWARD_ALREADY_CLAIMED");
    let status = player.get("/api/season-pass/status").await;
    let status = status.expect_status(200).body;
    assert_eq!(status["levels"][0]["is_claimed"], true);
    assert_eq!(status["levels"][1]["is_claimed"], true);
    for table in ["wallet_ledger", "user_game_wallet"] {
        let rows = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(app.test.count(&rows).await, 0, "{table}");
    }
    let receipts = "SELECT COUNT(*) FROM reward_log WHERE state = 'DELIVERED' AND amount = 0";
    assert_eq!(app.test.count(receipts).await, 2);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn what_names_an_item_is_never_zero_and_nothing_is_less() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (kind, item) in [("COUPON", json!(1)), ("BUNDLE", json!(1))] {
        let mut wheel = new_wheel(false);
        wheel["segments"][3]["reward_type"] = json!(kind);
        wheel["segments"][3]["reward_item"] = item;
        let refused = admin.post(WHEELS, &wheel).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let details = &refused.body["error"]["details"];
        assert!(details["segments.3.reward_value"].is_array(), "{kind}");
    }
    for kind in [
        "POINT",
        "TICKET_ROULETTE",
        "TICKET_DICE",
        "TICKET_LOTTERY",
        "CC_COIN",
        "XP",
    ] {
        let mut wheel = new_wheel(false);
        wheel["segments"][3]["reward_type"] = json!(kind);
        admin.post(WHEELS, &wheel).await.expect_status(201);
        wheel["segments"][3]["reward_value"] = json!(-1);
        let refused = admin.post(WHEELS, &wheel).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert_eq!(
            refused.body["error"]["details"]["segments.3.reward_value"],
            json!([format!(
                "segment 4 \"Segment 4\": reward_value must be from 0 to 1,000,000,000 for {kind}; got -1."
            )])
        );
    }
    let grant = json!({ "external_id": "santa", "token_type": "POINT", "amount": 0 });
    app.player("santa", 0).await;
    for path in [
        "/admin/api/game-tokens/grant",
        "/admin/api/game-tokens/revoke",
    ] {
        let refused = admin.post(path, &grant).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
}
