//! Whom nothing reaches: players who were anonymised, and by mistake those who are INACTIVE.

use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp};

use super::{USERS, assert_sound, audits, get, path_of};

const GRANT: &str = "/admin/api/game-tokens/grant";
const REVOKE: &str = "/admin/api/game-tokens/revoke";

fn order(player: &Client, amount: i64) -> Value {
    json!({ "user_id": player.identity().user_id, "token_type": "ROULETTE_COIN", "amount": amount })
}

async fn anonymise(admin: &Client, player: &Client) -> Value {
    let path = format!("{}/anonymise", path_of(player));
    admin.post(&path, &json!({})).await.expect_status(200).body
}

/// A reward of so many points that waits for an admin, or a coupon of this kind.
async fn waiting(app: &TestApp, player: &Client, key: &str, coupon: Option<i64>) -> i64 {
    let (kind, amount, item) = match coupon {
        Some(kind) => ("COUPON", 1, kind.to_string()),
        None => ("POINT", 20_000, "NULL".to_owned()),
    };
    let id = player.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, reward_item, \
             state, reason, event_day, created_at) VALUES ({id}, '{key}', 'CORRECTION', '{kind}', {amount}, \
             {item}, 'PENDING_REVIEW', 'REVIEW_POINTS', '2025-12-26', '2025-12-26 00:00:00.000000')"
        ))
        .await;
    let found = format!("SELECT id FROM reward_log WHERE grant_key = '{key}'");
    app.test.count(&found).await
}

fn approve(reward: i64) -> String {
    format!("/admin/api/rewards/{reward}/approve")
}

async fn status(admin: &Client, player: &Client, status: &str) {
    let edit = json!({ "status": status });
    admin.put(&path_of(player), &edit).await.expect_status(200);
}

/// A kind of coupon with one code.
async fn coupon(admin: &Client) -> i64 {
    let kind = json!({ "name": "떠난 사람의 쿠폰" });
    let kind = admin.post("/admin/api/coupons/", &kind).await;
    let kind = kind.expect_status(201).body["id"].as_i64().unwrap();
    let codes = format!("/admin/api/coupons/{kind}/codes?dry_run=false");
    let added = admin.post_csv(&codes, "code\nREAL-CODE-0001\n").await;
    added.expect_status(200);
    kind
}

#[tokio::test]
async fn what_waits_is_refused_and_counted_and_no_coupon_is_spent() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 3).await;
    let id = player.identity().user_id;
    let kind = coupon(&admin).await;
    let points = waiting(&app, &player, "t:1", None).await;
    let code = waiting(&app, &player, "t:2", Some(kind)).await;
    let left = anonymise(&admin, &player).await;
    assert_eq!(
        left["given_up"],
        json!({ "rewards": 2, "reward_points": 20_000, "keys": 0, "key_points": 0,
            "balances": { "ROULETTE_COIN": 3 } })
    );
    for reward in [points, code] {
        let refused = admin.play(&approve(reward)).await;
        refused.expect_error(409, "USER_ANONYMISED");
        let forced = admin
            .post(&approve(reward), &json!({ "force": true }))
            .await;
        forced.expect_error(409, "USER_ANONYMISED");
    }
    let refused = format!(
        "SELECT COUNT(*) FROM reward_log WHERE user_id = {id} AND state = 'REJECTED' \
         AND reason = 'ANONYMISED' AND reviewed_by = 'operator' AND delivered_at IS NULL"
    );
    assert_eq!(app.test.count(&refused).await, 2);
    let told = format!(
        "SELECT COUNT(*) FROM user_event_log WHERE user_id = {id} AND event_type = 'REWARD_GRANTED' \
         AND meta_json LIKE '%ANONYMISED%'"
    );
    assert_eq!(app.test.count(&told).await, 2);
    let spent = "SELECT COUNT(*) FROM coupon_code WHERE reward_id IS NOT NULL";
    assert_eq!(app.test.count(spent).await, 0);
    let again = anonymise(&admin, &player).await;
    // What is lost is told again; what was ended is not.
    assert_eq!(
        again["given_up"],
        json!({ "rewards": 0, "reward_points": 0, "keys": 0, "key_points": 0,
            "balances": { "ROULETTE_COIN": 3 } })
    );
    assert_sound(&app).await;
    // What an older version has left waiting is refused by asking again.
    let late = waiting(&app, &player, "t:3", Some(kind)).await;
    let refused = admin.play(&approve(late)).await;
    refused.expect_error(409, "USER_ANONYMISED");
    let again = anonymise(&admin, &player).await;
    assert_eq!(again["given_up"]["rewards"], 1);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_ANONYMISE'";
    assert_eq!(app.test.count(told).await, 2);
    assert_sound(&app).await;
}

#[tokio::test]
async fn nothing_reaches_a_player_who_was_anonymised() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 5).await;
    let id = player.identity().user_id;
    let path = path_of(&player);
    let left = anonymise(&admin, &player).await;
    let told = audits(&app).await;
    for order_path in [GRANT, REVOKE] {
        for force in [false, true] {
            let mut order = order(&player, 1);
            order["force"] = json!(force);
            let refused = admin.post(order_path, &order).await;
            refused.expect_error(409, "USER_ANONYMISED");
        }
    }
    for edit in [
        json!({ "status": "ACTIVE", "external_id": "santa" }),
        json!({ "status": "ACTIVE" }),
        json!({ "status": "BLOCKED" }),
        json!({ "external_id": "santa" }),
        json!({ "nickname": "산타" }),
        json!({ "password": "long enough" }),
        json!({ "reset_password": true }),
        json!({ "xp": 500 }),
    ] {
        let refused = admin.put(&path, &edit).await;
        refused.expect_error(409, "USER_ANONYMISED");
    }
    let table = format!("external_id,status\nanon-{id},ACTIVE\n");
    let import = format!("{USERS}import?dry_run=false");
    let import = admin.post_csv(&import, &table).await;
    import.expect_error(422, "VALIDATION_ERROR");
    // Deleting whoever is gone already changes nothing.
    admin.delete(&path).await.expect_status(204);
    assert_eq!(get(&admin, &path).await["version"], left["version"]);
    assert_eq!(audits(&app).await, told);
    // The old id is free for somebody new.
    let new = json!({ "external_id": "santa" });
    let new = admin.post(USERS, &new).await.expect_status(201).body;
    assert_ne!(new["id"], json!(id.0));
    assert_sound(&app).await;
}

#[tokio::test]
async fn an_operator_is_not_anonymised() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let other = app.admin("other").await;
    let path = format!("{}/anonymise", path_of(&other));
    let refused = admin.post(&path, &json!({})).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["id"].is_array());
    app.login("other").await.expect_status(200);
    assert_eq!(audits(&app).await, 0);
}

#[tokio::test]
async fn nothing_is_given_to_an_inactive_player_by_mistake() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 5).await;
    let reward = waiting(&app, &player, "t:1", None).await;
    status(&admin, &player, "INACTIVE").await;
    let refused = admin.post(GRANT, &order(&player, 1)).await;
    refused.expect_error(409, "USER_INACTIVE");
    let refused = admin.play(&approve(reward)).await;
    refused.expect_error(409, "USER_INACTIVE");
    let refused = admin.put(&path_of(&player), &json!({ "xp": 500 })).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["xp"].is_array());
    // What is taken is taken, and whoever says so gives.
    let taken = admin.post(REVOKE, &order(&player, 2)).await;
    assert_eq!(taken.expect_status(200).body["balance"], 3);
    let mut forced = order(&player, 4);
    forced["force"] = json!(true);
    let given = admin.post(GRANT, &forced).await;
    assert_eq!(given.expect_status(200).body["balance"], 7);
    let approved = admin
        .post(&approve(reward), &json!({ "force": true }))
        .await;
    approved.expect_status(200);
    // Whoever is brought back by the same edit can be given XP by it; whoever is blocked is given tokens.
    let back = json!({ "status": "ACTIVE", "xp": 500 });
    let back = admin.put(&path_of(&player), &back).await.expect_status(200);
    assert_eq!(back.body["xp"], 500);
    status(&admin, &player, "BLOCKED").await;
    let given = admin.post(GRANT, &order(&player, 1)).await;
    given.expect_status(200);
    assert_sound(&app).await;
}

#[tokio::test]
async fn an_answer_is_given_again_whatever_has_become_of_its_player() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let id = player.identity().user_id;
    let first = admin.post_keyed(GRANT, &order(&player, 4), "k1").await;
    let first = first.expect_status(200);
    assert_eq!(first.body["external_id"], "santa");
    anonymise(&admin, &player).await;
    let again = admin.post_keyed(GRANT, &order(&player, 4), "k1").await;
    assert!(again.is_replayed());
    let again = again.expect_status(200).body;
    assert_eq!(
        (&again["external_id"], &again["balance"]),
        (&json!(format!("anon-{id}")), &json!(4))
    );
    let named = "SELECT COUNT(*) FROM idempotency_key WHERE result LIKE '%santa%'";
    assert_eq!(app.test.count(named).await, 0);
}

#[tokio::test]
async fn whoever_creates_a_deleted_player_again_is_told_what_to_do() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let id = player.identity().user_id;
    let new = json!({ "external_id": "santa" });
    let taken = admin
        .post(USERS, &new)
        .await
        .expect_error(409, "EXTERNAL_ID_EXISTS");
    assert!(taken.body["error"]["details"].is_null(), "{}", taken.text);
    admin.delete(&path_of(&player)).await.expect_status(204);
    let deleted = admin.post(USERS, &new).await;
    let deleted = deleted.expect_error(409, "EXTERNAL_ID_EXISTS");
    let problem = deleted.body["error"]["details"]["external_id"][0].to_string();
    let call = format!("PUT /admin/api/users/{id}");
    assert!(
        problem.contains(&call) && problem.contains("ACTIVE"),
        "{problem}"
    );
    let table = "external_id,nickname,status\nsanta,산타 2,\nnew-1,,\n";
    let preview = admin
        .post_csv(&format!("{USERS}import?dry_run=true"), table)
        .await;
    let preview = preview.expect_status(200).body;
    let hint = preview["lines"][0]["hint"].as_str().unwrap();
    assert!(hint.contains(&call), "{hint}");
    assert!(preview["lines"][1]["hint"].is_null(), "{preview}");
    // A line that brings them back needs no advice, and the advice works.
    let table = "external_id,status\nsanta,ACTIVE\n";
    let preview = admin
        .post_csv(&format!("{USERS}import?dry_run=true"), table)
        .await;
    assert!(preview.expect_status(200).body["lines"][0]["hint"].is_null());
    status(&admin, &player, "ACTIVE").await;
    app.login("santa").await.expect_status(200);
}

const BULK: &str = "/admin/api/game-tokens/grant-bulk?token_type=POINT&dry_run=";

#[tokio::test]
async fn a_batch_lists_whom_it_does_not_reach() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (gone, deleted) = (app.player("gone", 0).await, app.player("deleted", 0).await);
    app.player("santa", 0).await;
    let gone_id = gone.identity().user_id;
    anonymise(&admin, &gone).await;
    status(&admin, &deleted, "INACTIVE").await;
    let table = format!("external_id,amount\nsanta,5\ndeleted,5\nanon-{gone_id},5\n");
    let preview = admin.post_csv(&format!("{BULK}true"), &table).await;
    let preview = preview.expect_status(200).body;
    let lines = |report: &Value| {
        let refused = report["refused"].as_array().unwrap().iter();
        refused.map(|it| it["line"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&preview), [json!(3), json!(4)], "{preview}");
    let forced = admin
        .post_csv(&format!("{BULK}true&force=true"), &table)
        .await;
    assert_eq!(lines(&forced.expect_status(200).body), [json!(4)]);
    let refused = admin
        .post_csv(&format!("{BULK}false&batch_id=b"), &table)
        .await;
    refused.expect_error(422, "VALIDATION_ERROR");
    let table = "external_id,amount\nsanta,5\ndeleted,5\n";
    let refused = admin
        .post_csv(&format!("{BULK}false&batch_id=b"), table)
        .await;
    refused.expect_error(422, "VALIDATION_ERROR");
    let done = admin
        .post_csv(&format!("{BULK}false&batch_id=b&force=true"), table)
        .await;
    assert_eq!(done.expect_status(200).body["done"]["players"], 2);
    let held = "SELECT SUM(balance) FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(app.test.count(held).await, 10);
    assert_sound(&app).await;
}

#[tokio::test]
async fn the_points_of_whoever_was_anonymised_are_not_paid_out() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), xmas_kernel::Asset::Point, 900)
        .await;
    let payout = "/admin/api/game-tokens/payout.csv";
    let due = admin.get(payout).await.expect_status(200).text;
    assert!(due.contains("santa"), "{due}");
    let left = anonymise(&admin, &player).await;
    assert_eq!(left["given_up"]["balances"], json!({ "POINT": 900 }));
    for status in ["", "?status=INACTIVE", "?status=ALL"] {
        let due = admin.get(&format!("{payout}{status}")).await;
        let due = due.expect_status(200).text;
        assert!(!due.contains("900"), "{status}: {due}");
    }
}
