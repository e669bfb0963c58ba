use serde_json::{Value, json};
use xmas_test_support::TestApp;

const PATH: &str = "/admin/api/external-ranking/";
const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";
const ROWS: &str = "SELECT COUNT(*) FROM external_ranking_data";

fn column(board: &Value, name: &str) -> Vec<Value> {
    let items = board["items"].as_array().unwrap().iter();
    items.map(|item| item[name].clone()).collect()
}

#[tokio::test]
async fn an_upload_adds_and_changes_and_leaves_others_alone() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa-01", 0).await);
    let me = player.identity().user_id;
    let elf = app.test.player("elf").await.user_id;
    let rudolf = app.test.player("rudolf-77").await.user_id;
    assert_eq!(
        admin.get(PATH).await.expect_status(200).body,
        json!({ "items": [] })
    );
    let upload = json!([
        { "external_id": "elf", "deposit_amount": 100, "play_count": 1, "memo": "VIP" },
        { "user_id": me, "external_id": "santa-01", "deposit_amount": 300, "play_count": 2, "memo": "" },
        { "user_id": rudolf, "deposit_amount": 100, "play_count": 1 },
    ]);
    let saved = admin.post(PATH, &upload).await.expect_status(200).body;
    assert_eq!(
        column(&saved, "user_id"),
        [json!(elf), json!(me), json!(rudolf)]
    );
    assert_eq!(
        column(&saved, "memo"),
        [json!("VIP"), Value::Null, Value::Null]
    );
    assert_eq!(
        column(&saved, "nickname"),
        [Value::Null, json!("산타"), Value::Null]
    );
    let before = app.statements();
    let board = admin.get(PATH).await.expect_status(200);
    // The guard, the rows, how many there are, and the names.
    assert_eq!(app.statements() - before, 4);
    assert_eq!(board.headers["x-total-count"], "3");
    // Equals stand in the order in which they came.
    assert_eq!(
        column(&board.body, "user_id"),
        [json!(me), json!(elf), json!(rudolf)]
    );
    let ids = column(&board.body, "id");
    app.clock.advance(chrono::TimeDelta::hours(1));
    let admin = app.with_token(app.login("operator").await.body["access_token"].as_str());
    // The whole board comes back, with one field changed; and a memo that is left out stays.
    let mut echo = board.body["items"].clone();
    echo[1]["deposit_amount"] = json!(500);
    echo[1].as_object_mut().unwrap().remove("memo");
    let saved = admin.post(PATH, &echo).await.expect_status(200).body;
    assert_eq!(
        column(&saved, "memo"),
        [Value::Null, json!("VIP"), Value::Null]
    );
    let board = admin.get(PATH).await.body;
    assert_eq!(
        column(&board, "user_id"),
        [json!(elf), json!(me), json!(rudolf)]
    );
    assert_eq!(
        column(&board, "id"),
        [ids[1].clone(), ids[0].clone(), ids[2].clone()]
    );
    assert_eq!(
        column(&board, "deposit_amount"),
        [json!(500), json!(300), json!(100)]
    );
    let elf_row = &board["items"][0];
    assert_eq!(elf_row["created_at"], "2025-12-26T09:00:00.000000+09:00");
    assert_eq!(elf_row["updated_at"], "2025-12-26T10:00:00.000000+09:00");
    let today = player
        .get("/api/ranking/today")
        .await
        .expect_status(200)
        .body;
    assert_eq!(today["my_external_entry"]["rank"], 2);
    assert!(!today.to_string().contains("VIP"));
    let told = format!(
        "{AUDIT} WHERE action = 'EXTERNAL_RANKING_UPSERT' AND resource = 'external-ranking' \
        AND before_json LIKE '%\"deposit_amount\":100%' AND after_json LIKE '%\"deposit_amount\":500%'"
    );
    assert_eq!(app.test.count(&told).await, 1);
}

#[tokio::test]
async fn one_player_is_changed_and_taken_off() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let elf = app.test.player("elf").await.user_id;
    let one = format!("{PATH}{elf}/");
    let missing = "EXTERNAL_RANKING_NOT_FOUND";
    admin
        .put(&one, &json!({ "play_count": 1 }))
        .await
        .expect_error(404, missing);
    admin.delete(&one).await.expect_error(404, missing);
    let upload = json!([{ "user_id": elf, "deposit_amount": 100, "play_count": 1, "memo": "VIP" }]);
    let loaded = admin.post(PATH, &upload).await.expect_status(200).body["items"][0].clone();
    let saved = admin
        .put(&one, &json!({ "play_count": 9 }))
        .await
        .expect_status(200)
        .body;
    assert_eq!(
        (
            &saved["deposit_amount"],
            &saved["play_count"],
            &saved["memo"]
        ),
        (&json!(100), &json!(9), &json!("VIP"))
    );
    assert_eq!(saved["id"], loaded["id"]);
    // The whole row comes back with its version, and late.
    admin
        .put(&one, &loaded)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let cleared = admin
        .put(one.trim_end_matches('/'), &json!({ "memo": null }))
        .await;
    assert_eq!(cleared.expect_status(200).body["memo"], Value::Null);
    for (edit, field) in [
        (json!({ "deposit_amount": -1 }), "deposit_amount"),
        (json!({ "play_count": i64::MAX }), "play_count"),
        (json!({ "play_count": 1.5 }), "play_count"),
        (json!({ "memo": "가".repeat(256) }), "memo"),
        (json!({ "memo": "a\u{7}b" }), "memo"),
    ] {
        let refused = admin
            .put(&one, &edit)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    let longest =
        json!({ "memo": "줄\n".repeat(127), "deposit_amount": 9_000_000_000_000_000_i64 });
    admin.put(&one, &longest).await.expect_status(200);
    assert_eq!(admin.delete(&one).await.expect_status(204).text, "");
    admin.delete(&one).await.expect_error(404, missing);
    let huge = format!("{PATH}99999999999999999999/");
    admin.delete(&huge).await.expect_error(404, missing);
    for path in ["one", "-1"] {
        let refused = admin.delete(&format!("{PATH}{path}/")).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    assert_eq!(app.test.count(ROWS).await, 0);
    // What was done to a player is told of under the player.
    for (action, count) in [
        ("EXTERNAL_RANKING_UPDATE", 3),
        ("EXTERNAL_RANKING_DELETE", 1),
    ] {
        let told = format!("{AUDIT} WHERE action = '{action}' AND resource = 'user:{elf}'");
        assert_eq!(app.test.count(&told).await, count);
    }
}

#[tokio::test]
async fn the_whole_batch_is_saved_or_nothing_of_it() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let elf = app.test.player("elf").await.user_id;
    let with = |row: Value| json!([{ "user_id": elf, "deposit_amount": 1, "play_count": 1 }, row]);
    let row = |extra: Value| {
        let mut row = json!({ "deposit_amount": 1, "play_count": 1 });
        for (name, value) in extra.as_object().unwrap() {
            row[name] = value.clone();
        }
        row
    };
    app.test.player("순록").await;
    let other = (422, "VALIDATION_ERROR");
    for (extra, (status, code), field) in [
        (json!({}), (400, "USER_REQUIRED"), "1.user_id"),
        (
            json!({ "external_id": "  " }),
            (400, "USER_REQUIRED"),
            "1.user_id",
        ),
        (
            json!({ "user_id": 999 }),
            (404, "USER_NOT_FOUND"),
            "1.user_id",
        ),
        (
            json!({ "external_id": "없음" }),
            (404, "USER_NOT_FOUND"),
            "1.external_id",
        ),
        (
            json!({ "external_id": "operator" }),
            (404, "USER_NOT_FOUND"),
            "1.external_id",
        ),
        (
            json!({ "external_id": "elf" }),
            (409, "RANKING_CONFLICT"),
            "1.user_id",
        ),
        (
            json!({ "external_id": "순록", "user_id": elf }),
            other,
            "1.external_id",
        ),
        (
            json!({ "external_id": "순록", "deposit_amount": -1 }),
            other,
            "1.deposit_amount",
        ),
        (
            json!({ "external_id": "순록", "play_count": 9_000_000_000_000_001_i64 }),
            other,
            "1.play_count",
        ),
        (
            json!({ "external_id": "순록", "play_count": "9" }),
            other,
            "1.play_count",
        ),
        (
            json!({ "external_id": "순록", "memo": "가".repeat(256) }),
            other,
            "1.memo",
        ),
        (
            json!({ "external_id": "가".repeat(101) }),
            other,
            "1.external_id",
        ),
    ] {
        let refused = admin
            .post(PATH, &with(row(extra)))
            .await
            .expect_error(status, code);
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{field}: {}",
            refused.text
        );
    }
    for body in [json!([]), json!({}), json!([1])] {
        admin
            .post(PATH, &body)
            .await
            .expect_error(422, "VALIDATION_ERROR");
    }
    assert_eq!(app.test.count(ROWS).await, 0);
    assert_eq!(app.test.count(AUDIT).await, 0);
}

#[tokio::test]
async fn a_board_comes_from_a_spreadsheet_in_few_statements() {
    const PLAYERS: i64 = 1_200;
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for number in 0..PLAYERS {
        names.push(format!("('elf-{number}', '!', 'PLAYER', 'ACTIVE', '2025-12-26 00:00:00.000000', '2025-12-26 00:00:00.000000')"));
        rows.push(format!(
            "elf-{number},{},{number},\"메모, {number}\"",
            number * 10
        ));
    }
    app.test.execute(&format!(
        "INSERT INTO user (external_id, password_hash, role, status, created_at, updated_at) VALUES {}",
        names.join(", ")
    )).await;
    app.test
        .execute(
            "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, is_blocked, \
             token_epoch, updated_at) SELECT id, 1, 0, 0, 0, 0, created_at FROM `user` \
             WHERE external_id LIKE 'elf-%'",
        )
        .await;
    let head = "\u{feff}external_id,deposit_amount,play_count,memo\r\n";
    let upload = async |rows: &[String]| {
        let before = app.statements();
        let saved = admin
            .post_csv(PATH, &format!("{head}{}\r\n", rows.join("\r\n")))
            .await;
        (saved.expect_status(200).body, app.statements() - before)
    };
    let (saved, statements) = upload(&rows).await;
    assert_eq!(saved["items"].as_array().unwrap().len(), 1_200);
    assert_eq!(saved["items"][7]["memo"], "메모, 7");
    // Some more than for numbers: of players with a new memo it is looked who was anonymised.
    assert!(statements < 30, "{statements}");
    let ids = column(&saved, "id");
    // All of them again, with other numbers: just as few.
    let again: Vec<String> = rows.iter().map(|row| row.replacen(',', ",1", 1)).collect();
    let (saved, statements) = upload(&again).await;
    assert!(statements < 25, "{statements}");
    assert_eq!(column(&saved, "id"), ids);
    assert_eq!(saved["items"][7]["deposit_amount"], 170);
    assert_eq!(app.test.count(ROWS).await, PLAYERS);
    let before = app.statements();
    let board = admin.get(PATH).await.expect_status(200).body;
    assert_eq!(board["items"].as_array().unwrap().len(), 1_200);
    assert_eq!(app.statements() - before, 4);
    // The board that the old client has loaded and sends back is as large as that.
    let body = board["items"].clone();
    assert!(body.to_string().len() > 64 * 1024);
    let saved = admin.post(PATH, &body).await.expect_status(200).body;
    assert_eq!(saved["items"], board["items"]);
    // An empty memo leaves the old one.
    let table = "external_id,deposit_amount,play_count,memo\nelf-7,1,1,\n";
    let kept = admin.post_csv(PATH, table).await.expect_status(200).body;
    assert_eq!(kept["items"][0]["memo"], "메모, 7");
    for (table, field) in [
        (
            "external_id,deposit_amount,play_count\nelf-1,many,1\n",
            "line 2.deposit_amount",
        ),
        ("deposit_amount,play_count\n1,1\n", "line 2.user_id"),
        ("external_id,deposit_amount\nelf-1,1\n", "csv"),
    ] {
        let refused = admin.post_csv(PATH, table).await;
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_uploads_at_once_are_both_there() {
    let app = TestApp::start().await;
    let admins = [app.admin("one").await, app.admin("two").await];
    let mut names = Vec::new();
    for number in 0..20 {
        names.push(format!("elf-{number}"));
        app.test.player(&names[number]).await;
    }
    let mut uploads = Vec::new();
    for round in 0..4 {
        for (which, admin) in admins.iter().enumerate() {
            // In opposite orders.
            let mut items: Vec<Value> = names.iter().map(|name| json!({
                "external_id": name, "deposit_amount": 10 * round + which, "play_count": 10 * round + which,
            })).collect();
            if which == 1 {
                items.reverse();
            }
            let admin = admin.clone();
            uploads.push(tokio::spawn(async move {
                admin.post(PATH, &json!(items)).await.expect_status(200);
            }));
        }
    }
    for upload in uploads {
        upload.await.unwrap();
    }
    let board = admins[0].get(PATH).await.expect_status(200).body;
    let deposits = column(&board, "deposit_amount");
    assert_eq!(deposits.len(), 20);
    assert!(deposits.iter().all(|deposit| *deposit == deposits[0]));
    assert_eq!(column(&board, "play_count"), deposits);
    assert_eq!(app.test.count(AUDIT).await, 8);
}
