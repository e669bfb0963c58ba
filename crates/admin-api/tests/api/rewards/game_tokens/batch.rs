use std::fmt::Write;

use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Answer, Client, TestApp};

use super::{assert_clean, many_players};

const GRANT: &str = "/admin/api/game-tokens/grant-bulk?dry_run=false";
const REVOKE: &str = "/admin/api/game-tokens/revoke-bulk?dry_run=false";
const DEBIT: &str = "/admin/api/game-tokens/debit-bulk?dry_run=false";
const BATCHES: &str = "/admin/api/game-tokens/batches/";

/// Rows of every table that a batch touches.
async fn rows(app: &TestApp) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in [
        "wallet_batch",
        "wallet_batch_item",
        "wallet_ledger",
        "user_game_wallet",
        "admin_audit_log",
        "idempotency_key",
    ] {
        rows.push(
            app.test
                .count(&format!("SELECT COUNT(*) FROM {table}"))
                .await,
        );
    }
    rows
}

async fn total(app: &TestApp, asset: Asset) -> i64 {
    let sum =
        format!("SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet WHERE asset = '{asset}'");
    app.test.count(&sum).await
}

fn everybody(batch_id: &str) -> Value {
    json!({ "token_type": "DICE_TOKEN", "amount": 2, "filter": { "status": "ACTIVE" },
        "batch_id": batch_id })
}

async fn post_csv_keyed(client: &Client, path: &str, table: &str, key: &str) -> Answer {
    let request = client.request("POST".parse().unwrap(), path);
    let request = request.header("content-type", "text/csv");
    let request = request.header("idempotency-key", key);
    client.send(request.body(table.to_owned())).await
}

#[tokio::test]
async fn the_daily_ticket_is_previewed_given_to_every_active_player_and_given_once() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 5).await;
    app.test
        .execute("UPDATE user SET status = 'INACTIVE' WHERE external_id = 'p-0003'")
        .await;
    let blocked = app.test.player("blocked").await;
    app.test.block(&blocked).await;
    let before = rows(&app).await;
    let dry = "/admin/api/game-tokens/grant-bulk?dry_run=true";
    let preview = admin.post(dry, &everybody("daily")).await;
    let preview = preview.expect_status(200).body;
    assert_eq!(preview["dry_run"], true);
    assert_eq!(
        (&preview["state"], &preview["replayed"]),
        (&Value::Null, &json!(false))
    );
    let left = json!({ "players": 4, "totals": { "DICE_TOKEN": 8 } });
    assert_eq!(preview["left"], left);
    assert_eq!(preview["players"], 4);
    assert_eq!(preview["totals"], json!({ "DICE_TOKEN": 8 }));
    assert_eq!(preview["done"], json!({ "players": 0, "totals": {} }));
    // A preview needs no name.
    let mut unnamed = everybody("daily");
    unnamed.as_object_mut().unwrap().remove("batch_id");
    admin.post(dry, &unnamed).await.expect_status(200);
    assert_eq!(rows(&app).await, before);

    let mut body = everybody("daily");
    body["reason"] = json!("매일 티켓");
    let given = admin.post(GRANT, &body).await.expect_status(200);
    assert!(!given.is_replayed());
    let mut given = given.body;
    assert_eq!(given["replayed"], false);
    assert_eq!(
        (&given["dry_run"], &given["state"]),
        (&json!(false), &json!("DONE"))
    );
    assert_eq!(
        (&given["kind"], &given["batch_id"]),
        (&json!("GRANT"), &json!("daily"))
    );
    assert_eq!(
        given["done"],
        json!({ "players": 4, "totals": { "DICE_TOKEN": 8 } })
    );
    assert_eq!(
        (&given["short_players"], &given["actor"]),
        (&json!(0), &json!("operator"))
    );
    assert_eq!(given["reason"], "매일 티켓");
    let after = rows(&app).await;
    // Whoever asks again, the same day or later, hears who did it and when, and that nothing was done now.
    let colleague = app.admin("colleague").await;
    app.clock.advance(chrono::TimeDelta::hours(1));
    given["replayed"] = json!(true);
    let again = colleague.post(GRANT, &body).await.expect_status(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, given);
    assert_eq!(again.body["actor"], "operator");
    // A preview of what is there says so too.
    given["dry_run"] = json!(true);
    let preview = admin.post(dry, &body).await.expect_status(200);
    assert!(preview.is_replayed());
    assert_eq!(preview.body, given);
    given["dry_run"] = json!(false);
    let other = json!({ "token_type": "DICE_TOKEN", "amount": 3, "batch_id": "daily",
        "filter": { "status": "ACTIVE" } });
    let id = &given["id"];
    let at = given["created_at"].as_str().unwrap();
    let taken = format!(
        "batch_id belongs to batch {id} of {at} by operator, which was another request; choose a new one."
    );
    for path in [GRANT, dry] {
        let reused = colleague.post(path, &other).await;
        let reused = reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(reused.body["error"]["details"]["batch_id"], json!([taken]));
    }
    let reused = admin.post(REVOKE, &body).await;
    reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(rows(&app).await, after);

    assert_eq!(total(&app, Asset::DiceToken).await, 8);
    for told in [
        "SELECT COUNT(*) / 4 FROM wallet_ledger WHERE reason = 'ADMIN_GRANT' \
         AND reference = 'batch:daily' AND actor = 'operator' AND delta = 2",
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_CREATE' \
         AND resource = 'batch:daily' AND reason = '매일 티켓' AND after_json LIKE '%\"players\":4%'",
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_DONE' \
         AND resource = 'batch:daily' AND after_json LIKE '%\"players\":4%'",
    ] {
        assert_eq!(app.test.count(told).await, 1, "{told}");
    }
    let id = given["id"].as_i64().unwrap();
    let item = admin
        .get(&format!("{BATCHES}{id}"))
        .await
        .expect_status(200);
    given["replayed"] = json!(false);
    assert_eq!(item.body, given);
    assert_clean(&app).await;
}

#[tokio::test]
async fn a_table_names_its_players_either_way_and_its_tokens_line_by_line() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 3).await;
    app.test.player("산타, 01").await;
    app.test.player("=1+1").await;
    let id = "SELECT id FROM user WHERE external_id = 'p-0002'";
    let id = app.test.count(id).await;
    let table = format!(
        "\u{feff}external_id,user_id,token_type,amount\r\np-0000,,POINT,100\r\n\
         p-0000,,DICE_TOKEN,1\r\n,{id},,5\r\n\"산타, 01\",,POINT,7\r\n\r\n'=1+1,,POINT,9\r\n"
    );
    let path = format!("{GRANT}&token_type=LOTTERY_TICKET&batch_id=a");
    let given = admin.post_csv(&path, &table).await.expect_status(200).body;
    assert_eq!(given["players"], 4);
    let totals = json!({ "POINT": 116, "DICE_TOKEN": 1, "LOTTERY_TICKET": 5 });
    assert_eq!(given["done"], json!({ "players": 4, "totals": totals }));
    // The same table with another token for its third line is another request.
    let path = format!("{GRANT}&token_type=POINT&batch_id=a");
    let reused = admin.post_csv(&path, &table).await;
    reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");

    // A key does as well as a name, for whoever sent it.
    let one = "external_id,amount\np-0001,3\n";
    let path = format!("{GRANT}&token_type=POINT");
    let keyed = post_csv_keyed(&admin, &path, one, "k")
        .await
        .expect_status(200);
    let name = format!("key:{}:k", admin.identity().user_id);
    assert_eq!(keyed.body["batch_id"], name);
    let again = post_csv_keyed(&admin, &path, one, "k").await;
    assert!(again.expect_status(200).is_replayed());
    let other = app.admin("colleague").await;
    let own = post_csv_keyed(&other, &path, one, "k")
        .await
        .expect_status(200);
    assert!(!own.is_replayed());
    let long = "k".repeat(255);
    let long = post_csv_keyed(&admin, &path, one, &long).await;
    long.expect_status(200);
    assert_eq!(total(&app, Asset::Point).await, 116 + 9);
    let taken = admin
        .post_csv(&format!("{path}&batch_id={name}"), one)
        .await;
    taken.expect_error(422, "VALIDATION_ERROR");
    assert_clean(&app).await;
}

#[tokio::test]
async fn a_table_with_any_mistake_is_refused_whole_and_each_line_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 3).await;
    let ids = app
        .test
        .count("SELECT id FROM user WHERE external_id = 'p-0000'");
    let first = ids.await;
    let table = format!(
        "external_id,user_id,amount,token_type\n\
         p-0000,,5,POINT\n\
         nobody,,5,POINT\n\
         p-0001,{first},5,POINT\n\
         ,,5,POINT\n\
         p-0000,,5,POINT\n\
         p-0000,,5,GOLD\n\
         p-0001,,0,POINT\n\
         p-0001,,1000000001,POINT\n\
         p-0001,,9223372036854775808,POINT\n\
         p-0001,,\"1,000\",POINT\n\
         p-0001,,,POINT\n\
         p-0001,x,1,POINT\n\
         operator,,1,POINT\n\
         p-0002,,1,\n"
    );
    let before = rows(&app).await;
    let refused = admin.post_csv(&format!("{GRANT}&batch_id=a"), &table).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    let wrong = [
        (3, "external_id"),
        (4, "external_id"),
        (5, "external_id"),
        (6, "external_id"),
        (7, "token_type"),
        (8, "amount"),
        (9, "amount"),
        (10, "amount"),
        (11, "amount"),
        (12, "amount"),
        (13, "user_id"),
        (14, "external_id"),
        (15, "token_type"),
    ];
    let details = &refused.body["error"]["details"];
    for (line, field) in wrong {
        assert!(
            details[format!("line {line}.{field}")].is_array(),
            "{line}: {details}"
        );
    }
    assert_eq!(details.as_object().unwrap().len(), wrong.len());
    let twice = details["line 6.external_id"][0].as_str().unwrap();
    assert!(twice.contains("line 2"), "{twice}");
    // The preview lists the same and sums up the rest.
    let preview = admin
        .post_csv("/admin/api/game-tokens/grant-bulk?dry_run=true", &table)
        .await;
    let preview = preview.expect_status(200).body;
    assert_eq!(preview["refused_lines"], wrong.len());
    let listed: Vec<_> = preview["refused"].as_array().unwrap().iter().collect();
    let listed: Vec<_> = listed
        .iter()
        .map(|line| (&line["line"], &line["field"]))
        .collect();
    let expected: Vec<_> = wrong
        .map(|(line, field)| (json!(line), json!(field)))
        .into();
    let expected: Vec<_> = expected.iter().map(|(line, field)| (line, field)).collect();
    assert_eq!(listed, expected);
    assert_eq!(
        (&preview["players"], &preview["totals"]),
        (&json!(1), &json!({ "POINT": 5 }))
    );
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn bad_requests_are_refused_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 1).await;
    let one = "external_id,amount,token_type\np-0000,3,POINT\n";
    let before = rows(&app).await;
    for (query, field) in [
        ("", "batch_id"),
        ("&batch_id=", "batch_id"),
        ("&batch_id=a%20b", "batch_id"),
        ("&batch_id=%EA%B0%80", "batch_id"),
        ("&batch_id=key:1:k", "batch_id"),
        ("&batch_id=a&dry_run=false", "dry_run"),
        ("&batch_id=a&token_type=GOLD", "token_type"),
    ] {
        let answer = admin.post_csv(&format!("{GRANT}{query}"), one).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        let details = &answer.body["error"]["details"];
        assert!(details[field].is_array(), "{query}: {}", answer.text);
    }
    let long = format!("{GRANT}&batch_id={}", "b".repeat(101));
    let long = admin.post_csv(&long, one).await;
    long.expect_error(422, "VALIDATION_ERROR");
    let with = |field: &str, value: Value| {
        let mut body = everybody("a");
        body[field] = value;
        body
    };
    for (body, field) in [
        (with("amount", json!(0)), "amount"),
        (with("amount", json!(i64::MAX)), "amount"),
        (with("amount", json!(null)), "amount"),
        (with("token_type", json!("GOLD")), "token_type"),
        (with("token_type", json!(null)), "token_type"),
        (with("filter", json!({})), "filter"),
        (
            with("filter", json!({ "status": "BLOCKED" })),
            "filter.status",
        ),
        (with("filter", json!({ "level": 3 })), "filter.level"),
        (
            with("filter", json!({ "played_since": "yesterday" })),
            "filter.played_since",
        ),
        (
            with("filter", json!({ "played_since": "2030-01-01" })),
            "filter.played_since",
        ),
        (
            with("filter", json!({ "played_since": "-0001-01-01" })),
            "filter.played_since",
        ),
        (with("batch_id", json!("가")), "batch_id"),
        (with("reason", json!("x".repeat(501))), "reason"),
        (with("gift", json!(1)), "gift"),
        // Nobody has played yet.
        (
            with("filter", json!({ "played_since": "2025-12-25" })),
            "filter",
        ),
    ] {
        let answer = admin.post(GRANT, &body).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        let details = &answer.body["error"]["details"];
        assert!(details[field].is_array(), "{body}: {}", answer.text);
    }
    let missing = "dry_run must be given: true only looks, false does the work.";
    let odd = "dry_run must be true (only looks) or false (does the work); got \"maybe\".";
    let unsaid = GRANT.trim_end_matches("?dry_run=false");
    for (query, said) in [
        ("", missing),
        ("?dry_run=", missing),
        ("?dry_run=maybe", odd),
    ] {
        let refused = admin
            .post(&format!("{unsaid}{query}"), &everybody("a"))
            .await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert_eq!(refused.body["error"]["details"]["dry_run"], json!([said]));
    }
    // A filter finds nobody to be forced.
    for path in [GRANT, REVOKE, DEBIT] {
        for path in [path.to_owned(), path.replace("false", "true")] {
            let points = json!({ "token_type": "POINT", "amount": 1, "batch_id": "a",
                "filter": { "status": "ACTIVE" } });
            let forced = admin.post(&format!("{path}&force=true"), &points).await;
            let forced = forced.expect_error(422, "VALIDATION_ERROR");
            let problem =
                json!(["force must be left out here: it goes with a list of players only."]);
            assert_eq!(forced.body["error"]["details"]["force"], problem, "{path}");
        }
    }
    let misspelt = format!("{GRANT}&dryrun=true");
    let misspelt = admin.post(&misspelt, &everybody("a")).await;
    misspelt.expect_error(422, "VALIDATION_ERROR");
    let other = admin
        .post(&format!("{GRANT}&batch_id=b"), &everybody("a"))
        .await;
    other.expect_error(422, "VALIDATION_ERROR");
    let coins = "external_id,amount,token_type\np-0000,3,CC_COIN\n";
    let paid = admin.post_csv(&format!("{DEBIT}&batch_id=a"), coins).await;
    let paid = paid.expect_error(422, "VALIDATION_ERROR");
    assert!(paid.body["error"]["details"]["line 2.token_type"].is_array());
    let coins = json!({ "token_type": "CC_COIN", "amount": 1, "filter": { "status": "ACTIVE" },
        "batch_id": "a" });
    let paid = admin.post(DEBIT, &coins).await;
    paid.expect_error(422, "VALIDATION_ERROR");
    let large = json!({ "x": "x".repeat(70_000) });
    admin
        .post(GRANT, &large)
        .await
        .expect_error(413, "BODY_TOO_LARGE");
    let text = admin.request("POST".parse().unwrap(), GRANT).body("x");
    admin
        .send(text)
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(rows(&app).await, before);
    for id in ["999", "-1", "x", "id:1", "batch_id:x", "%EA%B0%80", "a%2Fb"] {
        let missing = admin.get(&format!("{BATCHES}{id}")).await;
        missing.expect_error(404, "BATCH_NOT_FOUND");
    }
}

#[tokio::test]
async fn whoever_holds_too_little_is_named_before_anything_is_taken() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let rich = app.player("rich", 0).await.identity();
    let poor = app.player("poor", 0).await.identity();
    app.player("none", 0).await;
    app.give(rich, Asset::Point, 5_000).await;
    app.give(poor, Asset::Point, 40).await;
    let table = "external_id,amount\nrich,5000\npoor,41\nnone,1\n";
    let before = rows(&app).await;
    let dry = admin
        .post_csv("/admin/api/game-tokens/debit-bulk?dry_run=true", table)
        .await;
    let dry = dry.expect_status(200).body;
    assert_eq!(
        (&dry["kind"], &dry["players"]),
        (&json!("PAYOUT"), &json!(3))
    );
    assert_eq!(dry["short_players"], 2);
    let short = json!({ "user_id": poor.user_id.0, "external_id": "poor", "token_type": "POINT",
        "amount": 41, "moved": 0, "balance": 40 });
    assert_eq!(dry["short"][0], short);
    assert_eq!(dry["short"][1]["balance"], 0);
    let path = format!("{DEBIT}&batch_id=payout-1");
    let refused = admin.post_csv(&path, table).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    let details = &refused.body["error"]["details"];
    assert!(details["line 3.amount"][0].as_str().unwrap().contains("40"));
    assert!(details["line 4.amount"].is_array());
    let all = json!({ "amount": 1, "filter": { "status": "ACTIVE" }, "batch_id": "a" });
    let refused = admin.post(DEBIT, &all).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["amount"].is_array());
    assert_eq!(rows(&app).await, before);

    // Corrected, the same name may be used: nothing was registered under it.
    let table = "external_id,amount\nrich,5000\npoor,40\n";
    let paid = admin.post_csv(&path, table).await.expect_status(200).body;
    assert_eq!(
        paid["done"],
        json!({ "players": 2, "totals": { "POINT": 5_040 } })
    );
    assert_eq!(total(&app, Asset::Point).await, 0);
    let told = "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'PAYOUT' \
                AND reference = 'batch:payout-1' AND delta < 0 AND balance_after = 0";
    assert_eq!(app.test.count(told).await, 2);
    assert_clean(&app).await;
}

#[tokio::test]
async fn only_those_who_have_played_since_are_given() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (early, late) = (app.player("early", 1).await, app.player("late", 1).await);
    app.player("idle", 1).await;
    early.play("/api/roulette/play").await.expect_status(200);
    app.clock.advance(chrono::TimeDelta::hours(2));
    late.play("/api/roulette/play").await.expect_status(200);
    let dry = "/admin/api/game-tokens/grant-bulk?dry_run=true";
    let since = async |since: &str| {
        let body = json!({ "token_type": "CC_COIN", "amount": 1,
            "filter": { "status": "ACTIVE", "played_since": since } });
        let preview = admin.post(dry, &body).await.expect_status(200);
        preview.body["players"].as_i64().unwrap()
    };
    assert_eq!(since("2025-12-26").await, 2);
    assert_eq!(since("2025-12-26T10:00:00+09:00").await, 1);
    assert_eq!(since("2025-12-26T00:00:00Z").await, 2);
}

/// For everybody who was there when something broke.
#[tokio::test]
async fn only_those_who_have_played_in_an_hour_are_given() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (early, late) = (app.player("early", 2).await, app.player("late", 1).await);
    app.player("idle", 1).await;
    // The day begins at nine.
    early.play("/api/roulette/play").await.expect_status(200);
    app.clock.advance(chrono::TimeDelta::hours(1));
    late.play("/api/roulette/play").await.expect_status(200);
    app.clock.advance(chrono::TimeDelta::hours(1));
    early.play("/api/roulette/play").await.expect_status(200);
    let first = "SELECT COUNT(*) FROM feature_log WHERE created_at = '2025-12-26 00:00:00.000000'";
    assert_eq!(app.test.count(first).await, 1, "the clock stands still");
    let dry = "/admin/api/game-tokens/grant-bulk?dry_run=true";
    let ask = async |since: Option<&str>, until: Option<&str>| {
        let body = json!({ "token_type": "CC_COIN", "amount": 1,
            "filter": { "played_since": since, "played_until": until } });
        admin.post(dry, &body).await
    };
    let players = async |since, until| {
        let preview = ask(since, until).await.expect_status(200);
        preview.body["players"].as_i64().unwrap()
    };
    let at = |hour: u32| format!("2025-12-26T{hour:02}:00:00+09:00");
    let (nine, ten, eleven) = (at(9), at(10), at(11));
    let (nine, ten, eleven) = (nine.as_str(), ten.as_str(), eleven.as_str());
    // From nine on, and before ten: one of the two who play at ten has played at nine.
    assert_eq!(players(Some(nine), Some(ten)).await, 1);
    assert_eq!(players(Some(ten), Some(eleven)).await, 1);
    assert_eq!(
        players(Some(nine), Some("2025-12-26T10:00:00.000001+09:00")).await,
        2
    );
    assert_eq!(players(Some(nine), Some(eleven)).await, 2);
    assert_eq!(players(Some(eleven), None).await, 1);
    assert_eq!(players(None, Some(ten)).await, 1);
    assert_eq!(players(None, Some(eleven)).await, 2);
    // A day is included whole, on both sides.
    assert_eq!(players(Some("2025-12-26"), Some("2025-12-26")).await, 2);
    assert_eq!(players(None, Some("2099-01-01")).await, 2);
    // Nobody: which a batch that is to be done refuses.
    assert_eq!(players(None, Some(nine)).await, 0);
    assert_eq!(players(None, Some("2025-12-25")).await, 0);

    let day = "must be an instant such as";
    for (since, until, field, problem) in [
        (
            Some(ten),
            Some(ten),
            "played_until",
            "must be after played_since",
        ),
        (
            Some(ten),
            Some(nine),
            "played_until",
            "must be after played_since",
        ),
        (
            Some("2025-12-26"),
            Some("2025-12-25"),
            "played_until",
            "must be after played_since",
        ),
        (None, Some("later"), "played_until", day),
        (None, Some("-0001-01-01"), "played_until", day),
        (None, Some("9999-12-31"), "played_until", day),
        (None, Some("2025-12-26T10:00"), "played_until", day),
        (Some(""), None, "played_since", day),
        (
            Some("2025-12-27"),
            None,
            "played_since",
            "must not be in the future",
        ),
    ] {
        let refused = ask(since, until)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        let problems = &refused.body["error"]["details"][format!("filter.{field}")];
        assert_eq!(problems.as_array().unwrap().len(), 1);
        let told = problems[0].as_str().unwrap_or_default();
        assert!(told.contains(problem), "{since:?} {until:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_times_the_same_batch_at_once_is_one_batch() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    many_players(&app, 300).await;
    let mut table = "external_id,amount\n".to_owned();
    let mut sum = 0;
    for number in 0..300 {
        writeln!(table, "p-{number:04},{}", number + 1).unwrap();
        sum += number + 1;
    }
    let path = format!("{GRANT}&token_type=POINT&batch_id=a");
    let answers = join_all((0..4).map(|number| admins[number % 2].post_csv(&path, &table))).await;
    let mut fresh = 0;
    for answer in answers {
        let answer = answer.expect_status(200);
        assert_eq!(
            answer.body["done"],
            json!({ "players": 300, "totals": { "POINT": sum } })
        );
        fresh += usize::from(!answer.is_replayed());
    }
    assert!(fresh >= 1);
    assert_eq!(total(&app, Asset::Point).await, sum);
    for (rows, expected) in [
        ("SELECT COUNT(*) FROM wallet_batch WHERE state = 'DONE'", 1),
        (
            "SELECT COUNT(*) FROM wallet_batch_item WHERE state = 'DONE'",
            300,
        ),
        ("SELECT COUNT(*) FROM wallet_ledger", 300),
        (
            "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_CREATE'",
            1,
        ),
        (
            "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_DONE'",
            1,
        ),
    ] {
        assert_eq!(app.test.count(rows).await, expected, "{rows}");
    }
    assert_clean(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_while_everybody_plays_loses_and_makes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let mut players = Vec::new();
    for number in 0..20 {
        players.push(app.player(&format!("p-{number}"), 3).await);
    }
    let plays = players
        .iter()
        .flat_map(|player| (0..3).map(move |_| player));
    let plays = join_all(plays.map(|player| player.play("/api/roulette/play")));
    let coins = |batch: &str| {
        json!({ "token_type": "ROULETTE_COIN", "amount": 2, "batch_id": batch,
            "filter": { "status": "ACTIVE" } })
    };
    let (one, two, three) = (coins("a"), coins("b"), coins("c"));
    let batches =
        async { join_all([&one, &two, &three].map(|batch| admin.post(GRANT, batch))).await };
    let (plays, batches) = tokio::join!(plays, batches);
    for answer in plays.into_iter().chain(batches) {
        answer.expect_status(200);
    }
    let given = "SELECT SUM(delta) FROM wallet_ledger WHERE reason = 'ADMIN_GRANT'";
    assert_eq!(app.test.count(given).await, 3 * 2 * 20);
    let spent = "SELECT SUM(delta) FROM wallet_ledger WHERE reason = 'PLAY'";
    assert_eq!(app.test.count(spent).await, -60);
    assert_clean(&app).await;
}

#[tokio::test]
async fn the_list_is_newest_first_and_a_constant_number_of_statements() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 2).await;
    let list = async |query: &str| {
        let before = app.statements();
        let page = admin.get(&format!("{BATCHES}{query}")).await;
        (page.expect_status(200).body, app.statements() - before)
    };
    let (empty, _) = list("").await;
    assert_eq!(empty, json!({ "items": [], "next_cursor": null }));
    for number in 0..7 {
        let body = everybody(&format!("batch-{number}"));
        admin.post(GRANT, &body).await.expect_status(200);
    }
    let (two, few) = list("?limit=2").await;
    let keys = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["batch_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(keys(&two), ["batch-6", "batch-5"]);
    assert_eq!(
        two["items"][0]["done"],
        json!({ "players": 2, "totals": { "DICE_TOKEN": 4 } })
    );
    let next = two["next_cursor"].as_str().unwrap();
    let (rest, many) = list(&format!("?cursor={next}&limit=200")).await;
    assert_eq!(keys(&rest).len(), 5);
    assert_eq!(rest["next_cursor"], Value::Null);
    // The guard, the batches, their reverts, their players and their sums.
    assert_eq!((few, many), (5, 5));
    let (one, _) = list("?batch_id=batch-3").await;
    assert_eq!(keys(&one), ["batch-3"]);
    let (none, _) = list("?batch_id=batch").await;
    assert_eq!(none, json!({ "items": [], "next_cursor": null }));
    let (all, _) = list("?batch_id=").await;
    assert_eq!(keys(&all).len(), 7);
    for bad in ["?cursor=x", "?cursor=%2B1", "?limit=0", "?limit=201"] {
        let answer = admin.get(&format!("{BATCHES}{bad}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
}
