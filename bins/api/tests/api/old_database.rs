//! A database that version 0.1 has filled, after `migrate up`.

use reqwest::Method;
use serde_json::json;
use xmas_kernel::{entropy::OsEntropy, seal::SealKey};
use xmas_migration::{Migrator, MigratorTrait, attention};
use xmas_reporting::Audit;
use xmas_test_support::{AppBuilder, TestDb};

/// How many migrations version 0.1 had.
const OLD: u32 = 10;
/// That of every test application.
const DATA_KEY: &str = "the data key of all tests, 32 bytes or more";

async fn old_database() -> TestDb {
    let test = TestDb::empty().await;
    Migrator::up(test.db.write(), Some(OLD)).await.unwrap();
    test
}

async fn migrate_up(test: &TestDb) {
    Migrator::up(test.db.write(), None).await.unwrap();
}

const THEN: &str = "2025-12-20 00:00:00.000000";

async fn user(test: &TestDb, id: i64, external_id: &str) {
    test.execute(&format!(
        "INSERT INTO `user` (id, external_id, password_hash, role, status, created_at, updated_at) \
         VALUES ({id}, '{external_id}', '!', 'PLAYER', 'ACTIVE', '{THEN}', '{THEN}')"
    ))
    .await;
    test.execute(&format!(
        "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, \
         is_blocked, token_epoch, updated_at) VALUES ({id}, 1, 0, 0, 0, 0, '{THEN}')"
    ))
    .await;
}

async fn kind(test: &TestDb, id: i64, name: &str) {
    test.execute(&format!(
        "INSERT INTO coupon_kind (id, name, is_manual, created_at) \
         VALUES ({id}, '{name}', 0, '{THEN}')"
    ))
    .await;
}

/// A code of the stock; `winner` is the receipt that it belongs to, if any.
async fn code(test: &TestDb, kind: i64, code: &str, winner: Option<i64>) {
    let key = SealKey::new(DATA_KEY);
    let fingerprint = key.fingerprint(code.as_bytes());
    let sealed = key.seal(&format!("coupon_code:{kind}"), code.as_bytes(), &OsEntropy);
    if let Some(id) = winner {
        // Of a source that needs neither a play nor a level behind it.
        test.execute(&format!(
            "INSERT INTO reward_log (id, user_id, grant_key, source, reward_type, amount, state, \
             event_day, created_at, delivered_at, reward_item) VALUES ({id}, 1, 'old:{id}', \
             'CORRECTION', 'COUPON', 1, 'DELIVERED', '2025-12-20', '{THEN}', '{THEN}', {kind})"
        ))
        .await;
    }
    let (reward, taken) = match winner {
        Some(id) => (id.to_string(), format!("'{THEN}'")),
        None => ("NULL".to_owned(), "NULL".to_owned()),
    };
    test.execute(&format!(
        "INSERT INTO coupon_code (kind_id, fingerprint, sealed_code, reward_id, created_at, \
         taken_at) VALUES ({kind}, '{fingerprint}', '{sealed}', {reward}, '{THEN}', {taken})"
    ))
    .await;
}

/// Decomposed, as some systems write it.
const DECOMPOSED: &str = "\u{1112}\u{1161}\u{11ab}-0001";

async fn twins() -> TestDb {
    let test = old_database().await;
    user(&test, 1, "winner").await;
    kind(&test, 1, "배민 1만").await;
    kind(&test, 2, "스타벅스").await;
    code(&test, 1, "FREE-0001", None).await;
    code(&test, 2, "FREE-0001", None).await;
    code(&test, 1, "GIVEN-001", Some(1)).await;
    code(&test, 2, "GIVEN-001", None).await;
    code(&test, 1, "TWICE-001", Some(2)).await;
    code(&test, 2, "TWICE-001", Some(3)).await;
    code(&test, 1, "ALONE-001", None).await;
    code(&test, 1, DECOMPOSED, None).await;
    code(&test, 2, "한-0001", None).await;
    test
}

async fn assert_sound(test: &TestDb) {
    let report = Audit::new(test.db.clone()).run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

#[tokio::test]
async fn free_twins_of_a_code_are_withheld_and_nobody_loses_one() {
    let test = twins().await;
    migrate_up(&test).await;
    let rows = async || {
        let stocked = test.count("SELECT COUNT(*) FROM coupon_code").await;
        let withheld = test.count("SELECT COUNT(*) FROM coupon_withheld").await;
        (stocked, withheld)
    };
    // Neither of FREE-0001, and not the one of GIVEN-001 that is left.
    assert_eq!(rows().await, (6, 3));
    assert_sound(&test).await;
    // Cut off before it was noted, it is done again and changes nothing.
    test.execute("DELETE FROM seaql_migrations WHERE version LIKE '%000011%'")
        .await;
    migrate_up(&test).await;
    assert_eq!(rows().await, (6, 3));
    let app = AppBuilder::default()
        .start_on(test.reconnected().await)
        .await;
    // Only whoever has the key can tell that these two are the same.
    assert_eq!(app.app.complete_codes().await.unwrap(), 5);
    assert_eq!(app.app.complete_codes().await.unwrap(), 5);
    assert_eq!(rows().await, (4, 5));
    let left = "SELECT COUNT(*) FROM coupon_code WHERE folded IS NULL";
    assert_eq!(test.count(left).await, 0);
    assert_sound(&test).await;
}

/// Decomposed, as [`DECOMPOSED`].
const LONE: [&str; 3] = [
    "\u{1100}\u{1161}-0001",
    "\u{1100}\u{1161}-0002",
    "\u{1100}\u{1161}-0003",
];

#[tokio::test]
async fn several_processes_that_start_at_once_withhold_nothing_but_twins() {
    let test = old_database().await;
    kind(&test, 1, "배민 1만").await;
    for lone in LONE {
        code(&test, 1, lone, None).await;
    }
    migrate_up(&test).await;
    let app = AppBuilder::default().start_on(test).await;
    // Each looks for codes before any of them has begun.
    let complete = || app.app.complete_codes();
    let (one, two, three) = tokio::join!(complete(), complete(), complete());
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), (0, 0, 0));
    let stocked = "SELECT COUNT(*) FROM coupon_code WHERE folded IS NOT NULL";
    assert_eq!(app.test.count(stocked).await, 3);
}

#[tokio::test]
async fn a_twin_of_a_code_that_was_given_away_decomposed_is_given_to_nobody() {
    let test = old_database().await;
    user(&test, 1, "winner").await;
    kind(&test, 1, "배민 1만").await;
    kind(&test, 2, "스타벅스").await;
    code(&test, 1, DECOMPOSED, Some(1)).await;
    code(&test, 2, "한-0001", None).await;
    migrate_up(&test).await;
    let app = AppBuilder::default().start_on(test).await;
    assert_eq!(app.app.complete_codes().await.unwrap(), 1);
    let admin = app.admin("operator").await;
    let list = admin.get("/admin/api/coupons/withheld/").await;
    let item = &list.expect_status(200).body["items"][0];
    assert_eq!(
        (&item["kind_name"], &item["is_given"]),
        (&json!("스타벅스"), &json!(true))
    );
    let release = format!("/admin/api/coupons/withheld/{}/release", item["id"]);
    let refused = admin.send(admin.request(Method::POST, &release)).await;
    refused.expect_error(409, "COUPON_CODE_IN_USE");
    let again = admin.post_csv("/admin/api/coupons/1/codes", "code\n한-0001\n");
    again.await.expect_error(422, "VALIDATION_ERROR");
    assert_sound(&app.test).await;
}

#[tokio::test]
async fn a_migration_that_was_killed_among_the_twins_goes_on() {
    let test = twins().await;
    migrate_up(&test).await;
    // As it was after the first code.
    test.execute(match test.db.backend() {
        sea_orm::DbBackend::Sqlite => "DROP INDEX uq_coupon_code_once",
        _ => "DROP INDEX uq_coupon_code_once ON coupon_code",
    })
    .await;
    test.execute("DELETE FROM seaql_migrations WHERE version LIKE '%000011%'")
        .await;
    code(&test, 1, "LATER-001", None).await;
    code(&test, 2, "LATER-001", None).await;
    migrate_up(&test).await;
    assert_eq!(test.count("SELECT COUNT(*) FROM coupon_withheld").await, 5);
    assert_eq!(test.count("SELECT COUNT(*) FROM coupon_code").await, 6);
    // Back in the stock, as the old version had them.
    Migrator::down(test.db.write(), Some(steps_back()))
        .await
        .unwrap();
    assert_eq!(test.count("SELECT COUNT(*) FROM coupon_code").await, 11);
}

/// How many migrations have come since version 0.1.
fn steps_back() -> u32 {
    u32::try_from(Migrator::migrations().len()).unwrap() - OLD
}

#[tokio::test]
async fn an_operator_releases_one_twin_and_removes_the_other() {
    let test = twins().await;
    migrate_up(&test).await;
    let app = AppBuilder::default().start_on(test).await;
    app.app.complete_codes().await.unwrap();
    let admin = app.admin("operator").await;
    const LIST: &str = "/admin/api/coupons/withheld/";
    let list = admin.get(LIST).await.expect_status(200).body;
    let items = list["items"].as_array().unwrap();
    let seen: Vec<(&str, &str, bool)> = items
        .iter()
        .map(|item| {
            let text = |field: &str| item[field].as_str().unwrap();
            (text("masked"), text("kind_name"), item["is_given"] == true)
        })
        .collect();
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    let expected = [
        ("FR***", "배민 1만", false),
        ("FR***", "스타벅스", false),
        ("GI***", "스타벅스", true),
        ("한-***", "배민 1만", false),
        ("한-***", "스타벅스", false),
    ];
    // What is decomposed is shown as it is, and so its first letters are others.
    assert_eq!(sorted.len(), expected.len());
    assert!(
        expected[..3].iter().all(|row| sorted.contains(row)),
        "{sorted:?}"
    );
    let of = |masked: &str, kind: &str| {
        let item = items
            .iter()
            .find(|item| item["masked"] == masked && item["kind_name"] == kind);
        format!("{LIST}{}", item.unwrap()["id"])
    };
    let kind_one = admin.get("/admin/api/coupons/1").await.body;
    assert_eq!(
        (&kind_one["free"], &kind_one["withheld"]),
        (&json!(1), &json!(2))
    );

    let release = async |path: &str| {
        let path = format!("{path}/release");
        admin.send(admin.request(Method::POST, &path)).await
    };
    let given = of("GI***", "스타벅스");
    let refused = release(&given).await;
    refused.expect_error(409, "COUPON_CODE_IN_USE");
    let (first, second) = (of("FR***", "배민 1만"), of("FR***", "스타벅스"));
    let released = release(&first).await;
    released.expect_status(204);
    let again = release(&first).await;
    again.expect_error(404, "WITHHELD_CODE_NOT_FOUND");
    let twin = release(&second).await;
    twin.expect_error(409, "COUPON_CODE_IN_USE");
    for path in [second.as_str(), given.as_str()] {
        admin.delete(path).await.expect_status(204);
        let gone = admin.delete(path).await;
        gone.expect_error(404, "WITHHELD_CODE_NOT_FOUND");
    }
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE actor = 'operator' AND action IN \
                ('COUPON_CODE_RELEASE', 'COUPON_CODE_REMOVE')";
    assert_eq!(app.test.count(told).await, 3);
    // A code that is there, was given or is withheld is not taken in again.
    let table = "code\nFREE-0001\nGIVEN-001\nTWICE-001\n한-0001\nNEW-00001\n";
    let refused = admin.post_csv("/admin/api/coupons/2/codes", table).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    let details = refused.body["error"]["details"].as_object().unwrap();
    let lines: Vec<&String> = details.keys().collect();
    assert_eq!(
        lines,
        ["line 2.code", "line 3.code", "line 4.code", "line 5.code"]
    );
    assert_eq!(
        details["line 2.code"][0],
        "line 2: code is in the stock of \"배민 1만\" already; remove the line."
    );
    let withheld = details["line 5.code"][0].as_str().unwrap();
    assert!(withheld.contains("is withheld from"), "{withheld}");
    let stocked = "SELECT COUNT(*) FROM coupon_code WHERE kind_id = 1 AND reward_id IS NULL";
    assert_eq!(app.test.count(stocked).await, 2);
    assert_sound(&app.test).await;
}

/// Lets an account in by the old system's hash of this password.
const PASSWORD: &str = "demo-pass-1";
const PASSWORD_HASH: &str =
    "sha256$89fe410c581e0e309e8852e267653da9151989600138c7901b635db0e4bd46c3";

/// `é` in two letters, and a letter with two marks in either order.
const NOEL: &str = "noe\u{301}l";
const MARKS: [&str; 2] = ["a\u{301}\u{323}", "a\u{323}\u{301}"];

async fn spellings() -> TestDb {
    let test = old_database().await;
    for (id, external_id) in [
        (1, "operator"),
        (2, NOEL),
        (3, "e\u{301}lf"),
        (4, "élf"),
        (5, MARKS[0]),
        (6, MARKS[1]),
    ] {
        user(&test, id, external_id).await;
    }
    test.execute("UPDATE `user` SET role = 'ADMIN' WHERE id = 1")
        .await;
    let password = format!("UPDATE `user` SET password_hash = '{PASSWORD_HASH}'");
    test.execute(&password).await;
    test.execute(&format!(
        "INSERT INTO lottery_config (id, name, is_active, active_slot, max_daily_plays, created_at, \
         updated_at) VALUES (1, '복권', 1, 1, 0, '{THEN}', '{THEN}')"
    ))
    .await;
    for (id, label, stock) in [(1, "cafe\u{301}", "5"), (2, "꽝", "NULL")] {
        test.execute(&format!(
            "INSERT INTO lottery_prize (id, config_id, label, weight, stock, stock_at_edit, \
             stock_supplied, reward_type, reward_amount, is_active) \
             VALUES ({id}, 1, '{label}', 1, {stock}, {stock}, {stock}, 'NONE', 0, 1)"
        ))
        .await;
    }
    test
}

#[tokio::test]
async fn ids_and_labels_are_composed_and_told_and_what_collides_stays() {
    let test = spellings().await;
    migrate_up(&test).await;
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'TEXT_COMPOSE' \
                AND actor_id = 1 AND actor = 'xmas-api migrate'";
    // The id of one player, and the label of one prize.
    assert_eq!(test.count(told).await, 2);
    let left = attention(test.db.read()).await.unwrap();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|sentence| sentence.contains("of user")));
    // Cut off among them, it goes on.
    let again = "DELETE FROM seaql_migrations WHERE version LIKE '%000012%'";
    test.execute(again).await;
    let typed = format!("UPDATE lottery_prize SET label = '{NOEL}' WHERE id = 2");
    test.execute(&typed).await;
    migrate_up(&test).await;
    assert_eq!(test.count(told).await, 3);
    test.execute(again).await;
    migrate_up(&test).await;
    assert_eq!(test.count(told).await, 3);
    assert_sound(&test).await;

    let app = AppBuilder::default().start_on(test).await;
    let login = async |external_id: &str| {
        let credentials = json!({ "external_id": external_id, "password": PASSWORD });
        let login = app.anonymous().post("/api/auth/token", &credentials).await;
        login.expect_status(200).body["user"]["id"]
            .as_i64()
            .unwrap()
    };
    for (external_id, id) in [
        (NOEL, 2),
        ("no\u{e9}l", 2),
        ("e\u{301}lf", 3),
        ("élf", 4),
        (MARKS[0], 5),
        (MARKS[1], 6),
    ] {
        assert_eq!(login(external_id).await, id, "{external_id:?}");
    }
    let credentials = json!({ "external_id": "\u{1ea1}\u{301}", "password": PASSWORD });
    // Nobody is guessed: composed, it is the id of two.
    let nobody = app.anonymous().post("/api/auth/token", &credentials).await;
    nobody.expect_error(401, "INVALID_CREDENTIALS");
    let admin = app.anonymous();
    let session = json!({ "external_id": "operator", "password": PASSWORD });
    let session = admin
        .post("/api/auth/token", &session)
        .await
        .expect_status(200);
    let admin = app.with_token(session.body["access_token"].as_str());
    let prizes = json!({ "prizes": [
        { "label": "cafe\u{301}", "weight": 3, "reward_type": "NONE", "reward_value": 0 },
        { "label": NOEL, "weight": 1, "reward_type": "NONE", "reward_value": 0 },
    ] });
    let saved = admin.put("/admin/api/lottery-config/1", &prizes).await;
    let saved = saved.expect_status(200).body;
    assert_eq!(saved["prizes"][0]["id"], 1);
    assert_eq!(saved["prizes"][0]["label"], "café");
    assert_eq!(saved["prizes"][0]["stock"], 5);
    // A field of an account whose id collides is edited as any other's.
    let echo = json!({ "external_id": "e\u{301}lf", "nickname": "요정" });
    let saved = admin.put("/admin/api/users/3", &echo).await;
    assert_eq!(saved.expect_status(200).body["external_id"], "e\u{301}lf");
    let grant = json!({ "external_id": "e\u{301}lf", "token_type": "POINT", "amount": 5 });
    let granted = admin.post("/admin/api/game-tokens/grant", &grant).await;
    assert_eq!(granted.expect_status(200).body["user_id"], 3);
    // Another id makes room, and then the one that was listed can be composed.
    let composed = json!({ "external_id": "élf" });
    let taken = admin.put("/admin/api/users/3", &composed).await;
    taken.expect_error(409, "EXTERNAL_ID_EXISTS");
    let moved = json!({ "external_id": "elf-4" });
    let moved = admin.put("/admin/api/users/4", &moved).await;
    moved.expect_status(200);
    let saved = admin.put("/admin/api/users/3", &composed).await;
    assert_eq!(saved.expect_status(200).body["external_id"], "élf");
    for spelling in ["e\u{301}lf", "élf"] {
        assert_eq!(login(spelling).await, 3);
    }
    assert_eq!(attention(app.test.db.read()).await.unwrap().len(), 2);
}

/// What an older version wrote when it anonymised a player; their names stay in the log of operators.
async fn anonymised(test: &TestDb, id: i64, external_id: &str) {
    user(test, id, external_id).await;
    for (action, after) in [
        (
            "USER_CREATE",
            format!("{{\"external_id\":\"old-name-{id}\",\"nickname\":\"산타 {id}\"}}"),
        ),
        ("USER_ANONYMISE", "{\"status\":\"INACTIVE\"}".to_owned()),
    ] {
        test.execute(&format!(
            "INSERT INTO admin_audit_log (actor_id, actor, action, resource, after_json, request_id, \
             created_at) VALUES (1, 'boss', '{action}', 'user:{id}', '{after}', 'r', '{THEN}')"
        ))
        .await;
    }
    test.execute(&format!(
        "INSERT INTO user_event_log (user_id, event_type, event_day, meta_json, created_at) VALUES \
         ({id}, 'CLIENT_BONUS_USED', '2025-12-20', '{{\"value\":1,\"meta\":{{\"name\":\"old-name-{id}\"}}}}', \
         '{THEN}')"
    ))
    .await;
}

#[tokio::test]
async fn whoever_an_older_version_anonymised_is_gone_and_stays_so() {
    let test = old_database().await;
    user(&test, 1, "boss").await;
    test.execute("UPDATE `user` SET role = 'ADMIN' WHERE id = 1")
        .await;
    anonymised(&test, 7, "anon-7").await;
    test.execute("UPDATE `user` SET status = 'INACTIVE' WHERE id = 7")
        .await;
    // Let in again by an edit, which was possible; the second one under a name.
    anonymised(&test, 8, "anon-8").await;
    test.execute("UPDATE `user` SET nickname = '다시' WHERE id = 8")
        .await;
    anonymised(&test, 9, "back-again").await;
    // Somebody else's id that looks like one.
    user(&test, 10, "anon-10").await;
    for (user, result) in [
        (
            1,
            "{\"v\":1,\"result\":{\"user_id\":7,\"external_id\":\"old-name-7\",\"asset\":\"POINT\",\"balance\":5}}",
        ),
        (7, "{\"v\":1,\"result\":{\"user_id\":7}}"),
        (10, "{\"v\":1,\"result\":{\"user_id\":10}}"),
    ] {
        test.execute(&format!(
            "INSERT INTO idempotency_key (user_id, idem_key, fingerprint, result, created_at) VALUES \
             ({user}, 'k', '{}', '{result}', '{THEN}')",
            "0".repeat(64)
        ))
        .await;
    }
    // What was left waiting.
    test.execute(&format!(
        "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, state, event_day, \
         created_at) VALUES (7, 'season:1:level:5:user:7', 'CORRECTION', 'POINT', 5, 'PENDING_REVIEW', \
         '2025-12-25', '{THEN}')"
    ))
    .await;
    let epochs = "SELECT SUM(token_epoch) FROM user_profiles";
    // Cut off before it was noted, it is done again and changes nothing.
    for _ in 0..2 {
        migrate_up(&test).await;
        for (what, sql, count) in [
            (
                "marked",
                "SELECT SUM(user_id) FROM user_profiles WHERE anonymised_at IS NOT NULL",
                7 + 8,
            ),
            (
                "since",
                &format!("SELECT COUNT(*) FROM user_profiles WHERE anonymised_at = '{THEN}'"),
                2,
            ),
            (
                "inactive",
                "SELECT COUNT(*) FROM `user` WHERE status = 'INACTIVE' AND id IN (7, 8)",
                2,
            ),
            (
                "active",
                "SELECT COUNT(*) FROM `user` WHERE status = 'ACTIVE' AND id IN (9, 10)",
                2,
            ),
            (
                "named",
                "SELECT COUNT(*) FROM `user` WHERE nickname IS NOT NULL",
                0,
            ),
            ("tokens", epochs, 2),
            (
                "reports",
                "SELECT COUNT(*) FROM user_event_log WHERE meta_json LIKE '%old-name%' AND user_id IN (7, 8)",
                0,
            ),
            (
                "values",
                "SELECT COUNT(*) FROM user_event_log WHERE meta_json LIKE '%value%'",
                3,
            ),
            (
                "answers",
                "SELECT COUNT(*) FROM idempotency_key WHERE result LIKE '%old-name%'",
                0,
            ),
            ("keys", "SELECT COUNT(*) FROM idempotency_key", 2),
        ] {
            assert_eq!(test.count(sql).await, count, "{what}");
        }
        test.execute("DELETE FROM seaql_migrations WHERE version LIKE '%000016%'")
            .await;
    }
    migrate_up(&test).await;
    // Who was named again is for an operator to decide about.
    let attention = attention(test.db.write()).await.unwrap();
    assert_eq!(attention.len(), 2, "{attention:?}");
    assert!(attention[0].contains("player 9"), "{attention:?}");
    assert!(attention[1].starts_with("1 rewards wait"), "{attention:?}");
    assert_sound(&test).await;
    let app = AppBuilder::default()
        .start_on(test.reconnected().await)
        .await;
    let admin = app.admin("operator").await;
    let told = async || {
        let log = admin.get("/admin/api/logs/audit?limit=100").await;
        log.expect_status(200).text
    };
    let shown = told().await;
    for (name, is_shown) in [
        ("old-name-7", false),
        ("산타 8", false),
        ("old-name-9", true),
    ] {
        assert_eq!(shown.contains(name), is_shown, "{name}");
    }
    for gone in [7, 8] {
        let path = format!("/admin/api/users/{gone}");
        let back = json!({ "status": "ACTIVE", "external_id": "old-name" });
        let refused = admin.put(&path, &back).await;
        refused.expect_error(409, "USER_ANONYMISED");
    }
    // Anonymised again they are gone for good, whatever they are called now.
    let again = admin.post("/admin/api/users/9/anonymise", &json!({})).await;
    assert_eq!(again.expect_status(200).body["external_id"], "anon-9");
    assert!(!told().await.contains("old-name-9"));
}
