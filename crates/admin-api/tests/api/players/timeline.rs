use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

const KINDS: [&str; 7] = [
    "PLAY", "STAMP", "REWARD", "LEVEL", "LEDGER", "EVENT", "AUDIT",
];

fn path(player: &Client) -> String {
    format!("/admin/api/users/{}/timeline", player.identity().user_id)
}

async fn page(admin: &Client, player: &Client, query: &str) -> Value {
    let page = admin.get(&format!("{}?{query}", path(player))).await;
    page.expect_status(200).body
}

async fn whole(admin: &Client, player: &Client, query: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(from) = cursor {
        let page = page(admin, player, &format!("{query}&cursor={from}")).await;
        items.extend(page["items"].as_array().unwrap().clone());
        cursor = page["next_cursor"].as_str().map(str::to_owned);
    }
    items
}

/// A day with something of everything.
async fn a_day(app: &TestApp, player: &Client) {
    app.give(player.identity(), Asset::DiceToken, 2).await;
    let stamp = json!({ "source_feature_type": "ROULETTE" });
    let stamped = player.post("/api/season-pass/stamp", &stamp).await;
    stamped.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
    app.clock.advance(TimeDelta::minutes(1));
    player.play("/api/dice/play").await.expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
    let id = player.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO admin_audit_log (actor_id, actor, action, resource, before_json, after_json, \
             reason, request_id, created_at) VALUES ({id}, 'operator', 'USER_UPDATE', 'user:{id}', \
             '{{\"status\":\"ACTIVE\"}}', '{{\"status\":\"BLOCKED\"}}', '사유', 'r-1', \
             '2025-12-26 00:00:30.000000')"
        ))
        .await;
}

#[tokio::test]
async fn everything_about_a_player_is_told_once_and_in_order() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 3).await;
    let rudolf = app.player("rudolf", 3).await;
    a_day(&app, &santa).await;
    a_day(&app, &rudolf).await;
    let id = santa.identity().user_id;
    let whole_at_once = page(&admin, &santa, "limit=200").await;
    let items = whole_at_once["items"].as_array().unwrap().clone();
    let mut rows = 0;
    for table in [
        "feature_log WHERE",
        "season_pass_stamp_log WHERE",
        "reward_log WHERE reward_type <> 'NONE' AND",
        "season_pass_reward_log WHERE",
        "wallet_ledger WHERE",
        "user_event_log WHERE",
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} user_id = {id}");
        rows += app.test.count(&sql).await;
    }
    assert_eq!(items.len() as i64, rows + 1);
    let kinds: BTreeSet<&str> = items
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
    assert!(items.is_sorted_by(|a, b| a["at"].as_str() >= b["at"].as_str()));
    for limit in ["limit=1", "limit=2", "limit=7"] {
        assert_eq!(whole(&admin, &santa, limit).await, items, "{limit}");
    }
    for kind in KINDS {
        let only: Vec<Value> = items
            .iter()
            .filter(|item| item["kind"] == kind)
            .cloned()
            .collect();
        let lower = kind.to_ascii_lowercase();
        assert_eq!(
            whole(&admin, &santa, &format!("kind={lower}&limit=1")).await,
            only,
            "{kind}"
        );
    }
    // Nothing of it is told of somebody else.
    let names = |items: &[Value]| -> BTreeSet<String> {
        let name = |item: &Value| format!("{} {}", item["kind"], item["id"]);
        items.iter().map(name).collect()
    };
    let others = whole(&admin, &rudolf, "").await;
    assert!(names(&others).is_disjoint(&names(&items)));
}

#[tokio::test]
async fn one_call_answers_where_the_token_is() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 1).await;
    // The jackpot waits for an admin.
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE is_jackpot = 0")
        .await;
    let play = santa.play("/api/roulette/play").await.expect_status(200);
    let play_id = play.body["receipt"]["play_id"].clone();
    let timeline = page(&admin, &santa, "").await;
    let player = &timeline["player"];
    assert_eq!(player["id"], json!(santa.identity().user_id));
    assert_eq!(player["external_id"], "santa");
    assert_eq!(player["nickname"], "산타");
    assert_eq!(player["status"], "ACTIVE");
    assert_eq!(player["account_level"], 1);
    assert_eq!(
        player["balances"],
        json!({ "POINT": 0, "ROULETTE_COIN": 0, "DICE_TOKEN": 0, "LOTTERY_TICKET": 0, "CC_COIN": 0 })
    );
    assert!(player["event_key_count"].is_i64() && player["event_pending_points"].is_i64());
    let items = timeline["items"].as_array().unwrap();
    let find = |kind: &str, field: &str, value: Value| {
        let found = items
            .iter()
            .find(|item| item["kind"] == kind && item[field] == value);
        found.unwrap_or_else(|| panic!("{kind} {field} {value}: {items:?}"))
    };
    let play = find("PLAY", "id", play_id.clone());
    assert_eq!(play["reward_state"], "PENDING_REVIEW");
    let spent = find("LEDGER", "reason", json!("PLAY"));
    assert_eq!(spent["reference"], format!("play:{play_id}"));
    assert_eq!(
        (&spent["delta"], &spent["balance_after"]),
        (&json!(-1), &json!(0))
    );
    let reward = find("REWARD", "reward_type", json!("POINT"));
    assert_eq!(reward["state"], "PENDING_REVIEW");
    assert!(reward["reason"].is_string());
    assert_eq!(reward["play_id"], play_id);
    assert_eq!(reward["grant_key"], format!("play:{play_id}"));
    assert!(reward["reviewed_by"].is_null() && reward["delivered_at"].is_null());
    // A rejection is told with its reason and by whom.
    let sql = "UPDATE reward_log SET state = 'REJECTED', reason = '중복 계정', reviewed_by = 'operator', \
               reviewed_at = '2025-12-26 01:00:00.000000' WHERE reward_type = 'POINT'";
    app.test.execute(sql).await;
    let rewards = whole(&admin, &santa, "kind=REWARD").await;
    let rejected = rewards
        .iter()
        .find(|item| item["state"] == "REJECTED")
        .unwrap();
    assert_eq!(rejected["reason"], "중복 계정");
    assert_eq!(rejected["reviewed_by"], "operator");
    assert_eq!(rejected["reviewed_at"], "2025-12-26T10:00:00.000000+09:00");
    // A blocked player's is there all the same.
    app.test.block(&santa.identity()).await;
    let blocked = page(&admin, &santa, "").await;
    assert_eq!(blocked["player"]["status"], "BLOCKED");
}

#[tokio::test]
async fn coupon_codes_are_not_shown() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 1).await;
    a_day_with_a_coupon(&app, &santa).await;
    let own = santa
        .get("/api/me/history?kind=reward")
        .await
        .expect_status(200);
    let timeline = page(&admin, &santa, "limit=200").await;
    assert!(own.text.contains("coupon_code"));
    assert!(timeline.to_string().contains("COUPON"));
    assert!(!timeline.to_string().contains("coupon_code"));
    // And the player sees nothing of what is for operators.
    for kind in ["audit", "ledger", "event", "level"] {
        let refused = santa.get(&format!("/api/me/history?kind={kind}")).await;
        refused.expect_error(422, "VALIDATION_ERROR");
        let cursor = format!("/api/me/history?cursor=1766707200000000-{kind}-1");
        santa
            .get(&cursor)
            .await
            .expect_error(422, "VALIDATION_ERROR");
    }
}

async fn a_day_with_a_coupon(app: &TestApp, player: &Client) {
    let id = player.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, label, state, reason, \
             event_day, created_at, reward_item) VALUES ({id}, 'test:coupon', 'SEASON_LEVEL', 'COUPON', 1, \
             '배민 1만', 'PENDING_REVIEW', 'x', '2025-12-26', '2025-12-26 00:00:00.000000', 1)"
        ))
        .await;
}

#[tokio::test]
async fn unknown_players_and_bad_parameters_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 0).await;
    for id in [
        "0",
        "999999",
        "9223372036854775807",
        "9223372036854775808",
        "external_id:nobody",
    ] {
        let answer = admin.get(&format!("/admin/api/users/{id}/timeline")).await;
        answer.expect_error(404, "USER_NOT_FOUND");
    }
    for id in ["x", "-1", "1.5", "%EC%82%B0%ED%83%80", "external-id:santa"] {
        let answer = admin.get(&format!("/admin/api/users/{id}/timeline")).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR").body;
        let said = answer["error"]["details"]["id"][0].as_str().unwrap();
        let begins = "id must be the number of an account, or external_id: and what";
        assert!(said.starts_with(begins), "{id}: {said}");
    }
    for (parameter, values) in [
        (
            "cursor",
            &[
                "x",
                "17",
                "1766707200000000-spin-17",
                "1766707200000000-PLAY-17",
                "%00",
            ][..],
        ),
        ("kind", &["plays", "coupon", "%20play"][..]),
        ("limit", &["0", "201", "all", ""][..]),
    ] {
        for value in values {
            let refused = admin
                .get(&format!("{}?{parameter}={value}", path(&santa)))
                .await;
            let refused = refused.expect_error(422, "VALIDATION_ERROR");
            assert!(
                refused.body["error"]["details"][parameter].is_array(),
                "{value}"
            );
        }
    }
    for good in [
        "cursor=0-play-0",
        "cursor=253402300799999999-audit-9223372036854775807",
        "kind=Audit",
    ] {
        page(&admin, &santa, good).await;
    }
}

#[tokio::test]
async fn a_page_takes_as_many_statements_however_much_has_happened() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 30).await;
    a_day(&app, &santa).await;
    let cost = async |query: &str| {
        let before = app.statements();
        page(&admin, &santa, query).await;
        app.statements() - before
    };
    let (one, all) = (cost("limit=1&kind=play").await, cost("limit=200").await);
    for _ in 0..20 {
        santa.play("/api/roulette/play").await.expect_status(200);
    }
    assert_eq!(cost("limit=200&kind=play").await, one);
    assert_eq!(cost("limit=200").await, all);
    // The guard, the player, the balances, seven kinds, who was anonymised, the states of prizes.
    assert_eq!((one, all), (5, 12));
}
