//! Where the names of a player are, before and after they are anonymised: every column of every table, and
//! every operation that reads. Both are taken from the schema and from the document, so that a new one
//! cannot be forgotten.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp, TestDb, document};

use super::{USERS, assert_sound, log_in, path_of, stamp};

/// In every name that the player ever had, and in everything that was written about them.
const MARK: &str = "findme";

/// Does to a player whatever names them somewhere.
async fn named_everywhere(app: &TestApp, admin: &Client) -> Client {
    let table = format!("external_id,nickname,password\n{MARK}-0,{MARK}별명0,long-enough-1\n");
    let import = format!("{USERS}import?dry_run=false");
    admin.post_csv(&import, &table).await.expect_status(200);
    let new = json!({ "external_id": format!("{MARK}-1"), "nickname": format!("{MARK}별명1") });
    let created = admin.post(USERS, &new).await.expect_status(201).body;
    let path = format!("{USERS}{}", created["id"]);
    let renamed = json!({
        "external_id": format!("{MARK}-2"), "nickname": format!("{MARK}별명2"),
        "password": "long-enough-2", "xp": 60, "status": "ACTIVE",
    });
    admin.put(&path, &renamed).await.expect_status(200);
    log_in(app, &format!("{MARK}-2"), "wrong-password")
        .await
        .expect_error(401, "INVALID_CREDENTIALS");
    let session = log_in(app, &format!("{MARK}-2"), "long-enough-2").await;
    let session = session.expect_status(200).body;
    let player = app.with_token(session["access_token"].as_str());
    let name = format!("{MARK}-2");
    let order = json!({ "external_id": name, "token_type": "ROULETTE_COIN", "amount": 3 });
    let given = admin.post_keyed("/admin/api/game-tokens/grant", &order, "k1");
    given.await.expect_status(200);
    let table = format!("external_id,amount\n{name},20000\n");
    let bulk = "/admin/api/game-tokens/grant-bulk?token_type=POINT&dry_run=false&batch_id=b1";
    admin.post_csv(bulk, &table).await.expect_status(200);
    stamp(&player).await;
    player
        .play_keyed("/api/roulette/play", "p1")
        .await
        .expect_status(200);
    player.get("/api/ranking/today").await.expect_status(200);
    let report = json!({
        "event_type": "BONUS_USED", "event_id": "6f1d7e0a-4d58-4c0b-9e3c-1f1d6a3f0a11",
        "meta_json": { "nickname": format!("{MARK}별명2") },
    });
    let report = player
        .post_keyed("/api/activity/record", &report, "a1")
        .await;
    report.expect_status(200);
    let board = json!({ "items": [
        { "rank": 1, "external_id": name, "display_name": format!("{MARK}이름"), "score": 9 },
        { "rank": 2, "display_name": name, "score": 8 },
    ] });
    let board = admin.put("/admin/api/ranking/2025-12-26", &board).await;
    board.expect_status(200);
    let deposits = json!([{ "external_id": name, "deposit_amount": 5, "play_count": 1,
        "memo": format!("{MARK} 단골") }]);
    let deposits = admin.post("/admin/api/external-ranking/", &deposits).await;
    deposits.expect_status(200);
    let deposit = format!("/admin/api/external-ranking/{}", created["id"]);
    let noted = json!({ "memo": format!("{MARK} 큰손") });
    admin.put(&deposit, &noted).await.expect_status(200);
    // What a migration writes that finds names of theirs that were not composed.
    for (resource, column) in [
        ("ranking_daily:1".to_owned(), "display_name"),
        (format!("user:{}", created["id"]), "external_id"),
        (format!("user:{}", created["id"]), "nickname"),
    ] {
        let told = json!({ column: format!("{MARK}이름") });
        app.test
            .execute(&format!(
                "INSERT INTO admin_audit_log (actor_id, actor, action, resource, before_json, after_json, \
                 request_id, created_at) VALUES ({}, 'xmas-api migrate', 'TEXT_COMPOSE', '{resource}', \
                 '{told}', '{told}', 'migrate', '2025-12-26 00:00:00.000000')",
                admin.identity().user_id
            ))
            .await;
    }
    let key = json!({ "day": 1, "external_id": name, "reason": "장애 보상", "dry_run": false });
    let key = admin.post("/admin/api/event-bridge/keys", &key).await;
    key.expect_status(200);
    player
}

/// The columns in which the mark stands, as `table.column`.
async fn columns(test: &TestDb) -> BTreeSet<String> {
    let db = test.db.read();
    let columns = match test.db.backend() {
        DbBackend::Sqlite => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
        }
        _ => {
            "SELECT table_name AS t, column_name AS c FROM information_schema.columns \
             WHERE table_schema = DATABASE()"
        }
    };
    let columns = Statement::from_string(test.db.backend(), columns);
    let columns = db.query_all_raw(columns).await.unwrap();
    assert!(columns.len() > 200, "{} columns", columns.len());
    let mut found = BTreeSet::new();
    for row in columns {
        let (table, column): (String, String) =
            (row.try_get_by("t").unwrap(), row.try_get_by("c").unwrap());
        let sql = format!(
            "SELECT COUNT(*) FROM `{table}` WHERE LOWER(CAST(`{column}` AS CHAR)) LIKE '%{MARK}%'"
        );
        if test.count(&sql).await > 0 {
            found.insert(format!("{table}.{column}"));
        }
    }
    found
}

/// The operations in whose answers the mark stands; every one that reads is asked.
async fn reads(admin: &Client, player: &Client, id: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else {
            continue;
        };
        let client = if path.starts_with("/admin") {
            admin
        } else {
            player
        };
        let id = match path.as_str() {
            users if users.starts_with(USERS) => id.to_string(),
            _ => "1".to_owned(),
        };
        let mut asked = path
            .replace("{id}", &id)
            .replace("{kind}", "1")
            .replace("{date}", "2025-12-26")
            .replace("{day}", "2025-12-25")
            .replace("{feature}", "roulette")
            .replace("{key}", "ticket_zero")
            .replace("{play_id}", "1")
            .replace("{batch}", "1");
        assert!(!asked.contains('{'), "what to put into {path}?");
        // As much as there is.
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queries = parameters.filter(|parameter| parameter["in"] == "query");
        let queries: Vec<String> = queries
            .filter_map(|parameter| match parameter["name"].as_str()? {
                "limit" => Some(format!("limit={}", parameter["schema"]["maximum"])),
                "state" if path.contains("rewards") => Some("state=ALL".to_owned()),
                _ => None,
            })
            .collect();
        if !queries.is_empty() {
            asked = format!("{asked}?{}", queries.join("&"));
        }
        let answer = client.get(&asked).await;
        let none = ["/admin/api/coupons/{kind}/codes", "/api/fairness/{day}"];
        let is_there =
            answer.status == 200 || none.contains(&path.as_str()) && answer.status == 404;
        // The player's own play is nobody else's, and not every text of the pages is set.
        let is_retired = answer.status == 410;
        let is_own = is_retired || path.contains("{play_id}") || path.contains("ui-");
        assert!(
            is_there || is_own,
            "{path}: {} {}",
            answer.status,
            answer.text
        );
        if answer.text.to_lowercase().contains(MARK) {
            found.insert(path.clone());
        }
    }
    found
}

#[tokio::test]
async fn the_names_of_an_anonymised_player_are_nowhere_to_be_read() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let other = app.player("rudolf", 0).await;
    let _player = named_everywhere(&app, &admin).await;
    let ids = async |name: &str| {
        let found = format!("SELECT id FROM `user` WHERE external_id = '{name}'");
        json!(app.test.count(&found).await)
    };
    let (imported, renamed) = (ids("findme-0").await, ids("findme-2").await);
    let before = columns(&app.test).await;
    for column in [
        "admin_audit_log.after_json",
        "admin_audit_log.before_json",
        "external_ranking_data.memo",
        "ranking_daily.display_name",
        "user.external_id",
        "user.nickname",
        "user_event_log.meta_json",
    ] {
        assert!(before.contains(column), "{column}: {before:?}");
    }
    // Answers to operators are kept without names.
    assert!(!before.contains("idempotency_key.result"), "{before:?}");
    let read = reads(&admin, &other, &renamed).await;
    for path in [
        "/admin/api/external-ranking/",
        "/admin/api/game-tokens/ledger",
        "/admin/api/game-tokens/ledger.csv",
        "/admin/api/game-tokens/payout.csv",
        "/admin/api/game-tokens/play-logs.csv",
        "/admin/api/game-tokens/wallets.csv",
        "/admin/api/logs/audit",
        "/admin/api/logs/audit.csv",
        "/admin/api/logs/events",
        "/admin/api/logs/events.csv",
        "/admin/api/ranking/{date}",
        "/admin/api/users/",
        "/admin/api/users/{id}",
        "/admin/api/users/{id}/timeline",
        "/api/ranking/today",
    ] {
        assert!(read.contains(path), "{path}: {read:?}");
    }
    for id in [&imported, &renamed] {
        let path = format!("{USERS}{id}/anonymise");
        admin.post(&path, &json!({})).await.expect_status(200);
    }
    for id in [&imported, &renamed] {
        assert_eq!(reads(&admin, &other, id).await, BTreeSet::new());
    }
    // The log of operators is only ever added to; nothing else has any of it.
    let kept = ["admin_audit_log.after_json", "admin_audit_log.before_json"];
    assert_eq!(columns(&app.test).await, kept.map(str::to_owned).into());
    // What was done is still told, and who else is named is too.
    let told = admin
        .get(&format!(
            "/admin/api/logs/audit?resource=user:{renamed}&limit=100"
        ))
        .await;
    let told = told.expect_status(200).body;
    let entries = told["items"].as_array().unwrap();
    let of = |action: &str| {
        entries
            .iter()
            .find(|entry| entry["action"] == action)
            .unwrap()
    };
    assert_eq!(of("USER_CREATE")["after"]["external_id"], "(anonymised)");
    assert_eq!(of("USER_UPDATE")["before"]["nickname"], "(anonymised)");
    assert_eq!(of("USER_UPDATE")["after"]["xp"], 60);
    assert_eq!(of("USER_UPDATE")["actor"], "operator");
    assert_sound(&app).await;
}

#[tokio::test]
async fn nothing_is_written_on_the_boards_about_an_anonymised_player() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let id = player.identity().user_id;
    let deposits = json!([{ "user_id": id, "deposit_amount": 5, "play_count": 1, "memo": "단골" }]);
    let boards = "/admin/api/external-ranking/";
    admin.post(boards, &deposits).await.expect_status(200);
    let day = "/admin/api/ranking/2025-12-26";
    let place =
        json!({ "items": [{ "rank": 1, "user_id": id, "display_name": "홍길동", "score": 9 }] });
    admin.put(day, &place).await.expect_status(200);
    let path = format!("{}/anonymise", path_of(&player));
    admin.post(&path, &json!({})).await.expect_status(200);
    let told = |answer: &xmas_test_support::Answer, field: &str| {
        let problems = answer.body["error"]["details"][field][0].to_string();
        assert!(problems.contains("anonymised"), "{}", answer.text);
    };
    let refused = admin.post(boards, &deposits).await;
    told(&refused.expect_error(422, "VALIDATION_ERROR"), "0.memo");
    let memo = json!({ "memo": "단골" });
    let refused = admin.put(&format!("{boards}{id}"), &memo).await;
    told(&refused.expect_error(422, "VALIDATION_ERROR"), "memo");
    let refused = admin.put(day, &place).await;
    told(
        &refused.expect_error(422, "VALIDATION_ERROR"),
        "items.0.display_name",
    );
    // Their place stays, and so do their numbers.
    let place = json!({ "items": [{ "rank": 2, "user_id": id, "display_name": "", "score": 9 }] });
    admin.put(day, &place).await.expect_status(200);
    let deposits = json!([{ "user_id": id, "deposit_amount": 6, "play_count": 1, "memo": null }]);
    admin.post(boards, &deposits).await.expect_status(200);
}
