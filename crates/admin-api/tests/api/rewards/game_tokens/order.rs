use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Answer, Client, TestApp};

use super::assert_clean;

const GRANT: &str = "/admin/api/game-tokens/grant";
const REVOKE: &str = "/admin/api/game-tokens/revoke";

fn coins(external_id: &str, amount: i64) -> Value {
    json!({ "external_id": external_id, "token_type": "ROULETTE_COIN", "amount": amount })
}

async fn ledger_rows(app: &TestApp) -> i64 {
    app.test.count("SELECT COUNT(*) FROM wallet_ledger").await
}

async fn audit_rows(app: &TestApp) -> i64 {
    app.test.count("SELECT COUNT(*) FROM admin_audit_log").await
}

#[tokio::test]
async fn a_grant_is_in_the_wallet_the_ledger_and_the_audit_log() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    let user_id = player.identity().user_id.0;
    let mut body = coins(" santa ", 3);
    body["reason"] = json!("장애 보상");
    let request = admin.request("POST".parse().unwrap(), GRANT).json(&body);
    let given = admin.send(request.header("x-request-id", "drill-7")).await;
    let expected = json!({
        "user_id": user_id, "external_id": "santa", "token_type": "ROULETTE_COIN", "balance": 4,
    });
    assert_eq!(given.expect_status(200).body, expected);
    let taken = json!({ "user_id": user_id, "external_id": "", "token_type": "ROULETTE_COIN",
        "amount": 4, "reason": "in the body" });
    let request = admin.request("POST".parse().unwrap(), REVOKE).json(&taken);
    let taken = admin
        .send(request.header("x-reason", "in%20the%20header"))
        .await;
    assert_eq!(taken.expect_status(200).body["balance"], 0);
    for told in [
        "SELECT COUNT(*) FROM wallet_ledger WHERE delta = 3 AND balance_after = 4 \
         AND reason = 'ADMIN_GRANT' AND reference = 'request:drill-7' AND actor = 'operator'",
        "SELECT COUNT(*) FROM wallet_ledger WHERE delta = -4 AND balance_after = 0 \
         AND reason = 'ADMIN_REVOKE' AND actor = 'operator'",
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'TOKEN_GRANT' AND reason = '장애 보상' \
         AND request_id = 'drill-7' AND before_json LIKE '%\"balance\":1%' \
         AND after_json LIKE '%\"balance\":4%'",
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'TOKEN_REVOKE' \
         AND reason = 'in the header' AND after_json LIKE '%in the body%'",
    ] {
        assert_eq!(app.test.count(told).await, 1, "{told}");
    }
    let resource =
        format!("SELECT COUNT(*) FROM admin_audit_log WHERE resource = 'user:{user_id}'");
    assert_eq!(app.test.count(&resource).await, 2);
    assert_clean(&app).await;
}

#[tokio::test]
async fn whoever_is_not_meant_clearly_is_refused_and_nothing_changes() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 1).await);
    let other = app.player("rudolf", 0).await.identity().user_id.0;
    let user_id = player.identity().user_id.0;
    let before = (ledger_rows(&app).await, audit_rows(&app).await);
    let with = |field: &str, value: Value| {
        let mut body = coins("santa", 1);
        body[field] = value;
        body
    };
    for path in [GRANT, REVOKE] {
        for (body, code) in [
            (
                json!({ "token_type": "POINT", "amount": 1 }),
                "USER_REQUIRED",
            ),
            (with("external_id", json!(" ")), "USER_REQUIRED"),
            (with("external_id", json!(null)), "USER_REQUIRED"),
            (with("external_id", json!("nobody")), "USER_NOT_FOUND"),
            (with("external_id", json!("' OR '1'='1")), "USER_NOT_FOUND"),
            // Nor an admin.
            (with("external_id", json!("operator")), "USER_NOT_FOUND"),
            (with("user_id", json!(999_999)), "USER_NOT_FOUND"),
            (with("user_id", json!(i64::MIN)), "USER_NOT_FOUND"),
        ] {
            let answer = admin.post(path, &body).await;
            assert_eq!(answer.code(), code, "{body}: {}", answer.text);
        }
        for (body, field) in [
            (with("external_id", json!("x".repeat(5_000))), "external_id"),
            (with("user_id", json!(other)), "external_id"),
            (with("user_id", json!("x")), "user_id"),
            (with("token_type", json!("GOLD")), "token_type"),
            (with("token_type", json!("point")), "token_type"),
            (with("token_type", json!(null)), "token_type"),
            (with("amount", json!(0)), "amount"),
            (with("amount", json!(-1)), "amount"),
            (with("amount", json!(i64::MAX)), "amount"),
            (with("amount", json!(1_000_000_001)), "amount"),
            (with("amount", json!(1.5)), "amount"),
            (with("amount", json!("1")), "amount"),
            (with("amount", json!(1e300)), "amount"),
            (with("reason", json!("x".repeat(501))), "reason"),
            (with("reason", json!("a\u{0}b")), "reason"),
        ] {
            let answer = admin.post(path, &body).await;
            let answer = answer.expect_error(422, "VALIDATION_ERROR");
            let details = &answer.body["error"]["details"];
            assert!(details[field].is_array(), "{body}: {}", answer.text);
        }
    }
    let refused = admin.post(REVOKE, &coins("santa", 2)).await;
    refused.expect_error(400, "NOT_ENOUGH_TOKENS");
    let both = with("user_id", json!(user_id));
    assert_eq!((ledger_rows(&app).await, audit_rows(&app).await), before);
    admin.post(GRANT, &both).await.expect_status(200);
}

#[tokio::test]
async fn blocked_players_may_be_given_and_lose_and_inactive_ones_if_it_is_said() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let blocked = app.player("blocked", 1).await;
    app.test.block(&blocked.identity()).await;
    app.player("inactive", 1).await;
    app.test
        .execute("UPDATE user SET status = 'INACTIVE' WHERE external_id = 'inactive'")
        .await;
    for player in ["blocked", "inactive"] {
        let mut given = coins(player, 2);
        if player == "inactive" {
            let refused = admin.post(GRANT, &given).await;
            refused.expect_error(409, "USER_INACTIVE");
            given["force"] = json!(true);
        }
        let given = admin.post(GRANT, &given).await;
        assert_eq!(given.expect_status(200).body["balance"], 3);
        let taken = admin.post(REVOKE, &coins(player, 3)).await;
        assert_eq!(taken.expect_status(200).body["balance"], 0);
    }
}

#[tokio::test]
async fn a_grant_with_a_key_is_given_once_by_each_admin() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("colleague").await);
    app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    let body = coins("santa", 5);
    let first = admin.post_keyed(GRANT, &body, "k").await.expect_status(200);
    assert!(!first.is_replayed());
    let again = admin.post_keyed(GRANT, &body, "k").await.expect_status(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, first.body);
    for (path, body) in [
        (GRANT, coins("santa", 6)),
        (GRANT, coins("rudolf", 5)),
        (REVOKE, coins("santa", 5)),
    ] {
        let reused = admin.post_keyed(path, &body, "k").await;
        reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    }
    // Another admin's key is another key, and so is a player's.
    let own = other.post_keyed(GRANT, &body, "k").await.expect_status(200);
    assert_eq!(
        (own.is_replayed(), &own.body["balance"]),
        (false, &json!(10))
    );
    // A refusal is not kept.
    let too_much = coins("rudolf", 1);
    let refused = admin.post_keyed(REVOKE, &too_much, "r").await;
    refused.expect_error(400, "NOT_ENOUGH_TOKENS");
    admin
        .post(GRANT, &coins("rudolf", 1))
        .await
        .expect_status(200);
    let now = admin.post_keyed(REVOKE, &too_much, "r").await;
    assert!(!now.expect_status(200).is_replayed());
    for bad in ["", "a b"] {
        let refused = admin.post_keyed(GRANT, &body, bad).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    assert_eq!(audit_rows(&app).await, 4);
    assert_clean(&app).await;
}

fn codes(answers: &[Answer]) -> (usize, usize) {
    let ok = answers.iter().filter(|answer| answer.status == 200).count();
    let reused = answers
        .iter()
        .filter(|answer| answer.code() == "IDEMPOTENCY_KEY_REUSED");
    (ok, reused.count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_grant_many_times_at_once_is_one() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.player("santa", 0).await;
    let body = coins("santa", 5);
    let answers = join_all((0..50).map(|_| admin.post_keyed(GRANT, &body, "k"))).await;
    assert_eq!(codes(&answers), (50, 0));
    let fresh = answers.iter().filter(|answer| !answer.is_replayed());
    assert_eq!(fresh.count(), 1);
    assert_eq!((ledger_rows(&app).await, audit_rows(&app).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_for_many_players_at_once_is_one_player_s() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let names: Vec<String> = (0..20).map(|number| format!("p-{number}")).collect();
    for name in &names {
        app.test.player(name).await;
    }
    let grant = async |name: &String| admin.post_keyed(GRANT, &coins(name, 5), "k").await;
    let answers = join_all(names.iter().map(grant)).await;
    assert_eq!(codes(&answers), (1, 19), "{answers:?}");
    assert_eq!((ledger_rows(&app).await, audit_rows(&app).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_and_a_player_who_spend_the_same_coins_do_not_overdraw() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let player = app.player("santa", 10).await;
    let revokes = (0..20).map(|number| {
        let admin: &Client = &admins[number % 2];
        async {
            admin
                .post(REVOKE, &coins("santa", 1))
                .await
                .code()
                .to_owned()
        }
    });
    let plays = (0..10).map(|_| async {
        let played = player.play("/api/roulette/play").await;
        played.code().to_owned()
    });
    let (revoked, played) = tokio::join!(join_all(revokes), join_all(plays));
    let ok = |codes: &[String]| codes.iter().filter(|code| code.is_empty()).count();
    let refused = |code: &&String| !code.is_empty() && *code != "NOT_ENOUGH_TOKENS";
    let odd: Vec<_> = revoked.iter().chain(&played).filter(refused).collect();
    assert!(
        odd.iter().all(|code| *code == "DAILY_LIMIT_REACHED"),
        "{odd:?}"
    );
    let revoked = i64::try_from(ok(&revoked)).unwrap();
    let taken = "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'ADMIN_REVOKE'";
    assert_eq!(app.test.count(taken).await, revoked);
    assert_clean(&app).await;
}

#[tokio::test]
async fn a_wallet_that_would_overflow_is_left_alone() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await.identity();
    app.give(player, Asset::Point, 1).await;
    app.test
        .execute(&format!(
            "UPDATE user_game_wallet SET balance = {}",
            i64::MAX
        ))
        .await;
    let body = json!({ "external_id": "santa", "token_type": "POINT", "amount": 1 });
    let refused = admin.post(GRANT, &body).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(ledger_rows(&app).await, 1);
}
