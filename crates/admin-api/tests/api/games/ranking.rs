use serde_json::{Value, json};
use xmas_test_support::TestApp;

const PATH: &str = "/admin/api/ranking/2025-12-26";
const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";
const ROWS: &str = "SELECT COUNT(*) FROM ranking_daily";

#[tokio::test]
async fn a_board_is_entered_seen_by_players_and_emptied() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa-01", 0).await);
    let rudolf = app.test.player("rudolf-77").await.user_id;
    let me = player.identity().user_id;
    admin.get(PATH).await.expect_error(404, "RANKING_NOT_FOUND");
    let board = json!({ "items": [
        { "rank": 2, "external_id": " rudolf-77 ", "score": -5 },
        { "rank": 1, "user_id": me, "external_id": "santa-01", "display_name": "우승자", "score": 9_100 },
        { "rank": 7, "display_name": "손님", "score": 0 },
    ] });
    let saved = admin.put(PATH, &board).await.expect_status(200).body;
    assert_eq!(
        saved["items"],
        json!([
            {"rank": 1, "user_id": me, "external_id": "santa-01", "display_name": "우승자",
                "shown_name": "우승자", "score": 9_100},
            {"rank": 2, "user_id": rudolf, "external_id": "rudolf-77", "display_name": "",
                "shown_name": "ru***", "score": -5},
            {"rank": 7, "user_id": null, "external_id": null, "display_name": "손님",
                "shown_name": "손님", "score": 0},
        ])
    );
    assert_eq!(saved["date"], "2025-12-26");
    let before = app.statements();
    assert_eq!(admin.get(PATH).await.expect_status(200).body, saved);
    assert_eq!(app.statements() - before, 3);
    let today = player
        .get("/api/ranking/today")
        .await
        .expect_status(200)
        .body;
    assert_eq!(today["entries"][1]["display_name"], "ru***");
    assert_eq!(today["my_entry"]["rank"], 1);
    // What was loaded is sent back, with one field changed.
    let mut form = saved.clone();
    form["items"][2]["score"] = json!(1);
    let again = admin.put(PATH, &form).await.expect_status(200).body;
    assert_eq!(
        (&again["items"][2]["score"], &again["items"][0]),
        (&json!(1), &saved["items"][0])
    );
    admin
        .put(PATH, &form)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    // Another day's board is another one.
    admin
        .get("/admin/api/ranking/2025-12-27")
        .await
        .expect_error(404, "RANKING_NOT_FOUND");
    admin.delete(&format!("{PATH}/")).await.expect_status(204);
    admin
        .delete(PATH)
        .await
        .expect_error(404, "RANKING_NOT_FOUND");
    assert_eq!(
        player.get("/api/ranking/today").await.body["entries"],
        json!([])
    );
    for (action, count) in [("RANKING_REPLACE", 2), ("RANKING_DELETE", 1)] {
        let told = format!("{AUDIT} WHERE action = '{action}' AND resource = 'ranking:2025-12-26'");
        assert_eq!(app.test.count(&told).await, count);
    }
    let emptied = format!(
        "{AUDIT} WHERE action = 'RANKING_DELETE' AND after_json IS NULL AND before_json LIKE '%우승자%'"
    );
    assert_eq!(app.test.count(&emptied).await, 1);
}

#[tokio::test]
async fn a_board_comes_from_a_spreadsheet() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let rudolf = app.test.player("rudolf, 77").await.user_id;
    let table = "\u{feff}Rank,SCORE,external_id,user_id,display_name\r\n\
        1,900,\"rudolf, 77\",,\r\n\r\n2,800,,,\"손님, \"\"갑\"\"\"\r\n3,-5,,,'=1+1\r\n";
    let saved = admin.put_csv(PATH, table).await.expect_status(200).body;
    let items = saved["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["user_id"], &items[0]["score"]),
        (&json!(rudolf), &json!(900))
    );
    assert_eq!(items[1]["display_name"], "손님, \"갑\"");
    // An export made it harmless; here it is what it was.
    assert_eq!(items[2]["display_name"], "=1+1");
    for (table, status, code, fields) in [
        (
            "rank,score\n1,900\n",
            422,
            "VALIDATION_ERROR",
            &["line 2.display_name"][..],
        ),
        (
            "rank,score,display_name\none,900,가\n2,,나\n",
            422,
            "VALIDATION_ERROR",
            &["line 2.rank", "line 3.score"],
        ),
        (
            "rank,score,user_id\n1,900,x\n",
            422,
            "VALIDATION_ERROR",
            &["line 2.user_id"],
        ),
        (
            "rank,score,external_id\n1,1,nobody\n\n2,1,none\n",
            404,
            "USER_NOT_FOUND",
            &["line 2.external_id", "line 4.external_id"],
        ),
        (
            "rank,score,display_name\n1,1,가\n1,1,나\n",
            409,
            "RANKING_CONFLICT",
            &["line 3.rank"],
        ),
        (
            "rank,score,gift\n1,1,x\n",
            422,
            "VALIDATION_ERROR",
            &["csv"],
        ),
        (
            "rank,display_name\n1,x\n",
            422,
            "VALIDATION_ERROR",
            &["csv"],
        ),
        ("rank,score\n", 422, "VALIDATION_ERROR", &["csv"]),
        ("", 422, "VALIDATION_ERROR", &["csv"]),
    ] {
        let refused = admin.put_csv(PATH, table).await.expect_error(status, code);
        for field in fields {
            assert!(
                refused.body["error"]["details"][field].is_array(),
                "{table}: {}",
                refused.text
            );
        }
    }
    assert_eq!(app.test.count(ROWS).await, 3);
    assert_eq!(app.test.count(AUDIT).await, 1);
}

#[tokio::test]
async fn a_board_with_a_mistake_is_told_row_by_row_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let elf = app.test.player("elf").await.user_id;
    let kept = json!({ "items": [{ "rank": 1, "display_name": "손님", "score": 1 }] });
    let kept = admin.put(PATH, &kept).await.expect_status(200).body;
    let row = |extra: Value| {
        let mut row = json!({ "rank": 2, "display_name": "둘", "score": 1 });
        for (name, value) in extra.as_object().unwrap() {
            row[name] = value.clone();
        }
        json!({ "items": [{ "rank": 1, "user_id": elf, "score": 1 }, row] })
    };
    let other = (422, "VALIDATION_ERROR");
    let unknown = (404, "USER_NOT_FOUND");
    let conflict = (409, "RANKING_CONFLICT");
    for (board, (status, code), field) in [
        (row(json!({ "rank": 0 })), other, "items.1.rank"),
        (row(json!({ "rank": i64::MAX })), other, "items.1.rank"),
        (row(json!({ "rank": "둘" })), other, "items.1.rank"),
        (row(json!({ "score": i64::MIN })), other, "items.1.score"),
        (
            row(json!({ "display_name": "" })),
            other,
            "items.1.display_name",
        ),
        (
            row(json!({ "display_name": "가".repeat(101) })),
            other,
            "items.1.display_name",
        ),
        (
            row(json!({ "display_name": " 둘" })),
            other,
            "items.1.display_name",
        ),
        (row(json!({ "user_id": 999 })), unknown, "items.1.user_id"),
        (
            row(json!({ "user_id": admin.identity().user_id })),
            unknown,
            "items.1.user_id",
        ),
        (
            row(json!({ "external_id": "operator" })),
            unknown,
            "items.1.external_id",
        ),
        (
            row(json!({ "external_id": "없음" })),
            unknown,
            "items.1.external_id",
        ),
        (
            row(json!({ "external_id": "a\u{0}" })),
            other,
            "items.1.external_id",
        ),
        (
            row(json!({ "user_id": 999, "external_id": "elf" })),
            unknown,
            "items.1.user_id",
        ),
        (
            row(json!({ "external_id": "elf" })),
            conflict,
            "items.1.user_id",
        ),
        (row(json!({ "rank": 1 })), conflict, "items.1.rank"),
        (json!({ "items": [] }), other, "items"),
        (json!({}), other, "items"),
        (json!({ "items": {} }), other, "items"),
    ] {
        let refused = admin.put(PATH, &board).await.expect_error(status, code);
        let details = &refused.body["error"]["details"];
        let named = details[field].is_array() || details["body"].is_array() && field == "items";
        assert!(named, "{field}: {}", refused.text);
    }
    for day in ["2025-13-01", "2025-2-1", "today", "20251226"] {
        let path = format!("/admin/api/ranking/{day}");
        admin
            .get(&path)
            .await
            .expect_error(404, "RANKING_NOT_FOUND");
        admin
            .put(&path, &row(json!({})))
            .await
            .expect_error(404, "RANKING_NOT_FOUND");
        admin
            .delete(&path)
            .await
            .expect_error(404, "RANKING_NOT_FOUND");
    }
    let request = admin
        .request("PUT".parse().unwrap(), PATH)
        .body("rank")
        .header("content-type", "text/plain");
    admin
        .send(request)
        .await
        .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let too_large = "x".repeat(10 * 1024 * 1024 + 1);
    let refused = admin.put_csv(PATH, &too_large).await;
    refused.expect_error(413, "BODY_TOO_LARGE");
    assert_eq!(admin.get(PATH).await.body, kept);
    assert_eq!(app.test.count(AUDIT).await, 1);
}

#[tokio::test]
async fn ten_thousand_places_fit_and_one_more_does_not() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let table = |places: i64| {
        let rows = (1..=places).map(|rank| format!("{rank},손님 {rank},-{rank}\n"));
        format!("rank,display_name,score\n{}", rows.collect::<String>())
    };
    let refused = admin.put_csv(PATH, &table(10_001)).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["csv"].is_array());
    let saved = admin.put_csv(PATH, &table(10_000)).await.expect_status(200);
    assert_eq!(saved.body["items"].as_array().unwrap().len(), 10_000);
    let before = app.statements();
    admin.get(PATH).await.expect_status(200);
    assert_eq!(app.statements() - before, 2);
    // Problems of all rows are listed up to a bound.
    let rows = "0,,0\n".repeat(5_000);
    let refused = admin
        .put_csv(PATH, &format!("rank,display_name,score\n{rows}"))
        .await;
    let refused = refused.expect_error(409, "RANKING_CONFLICT");
    assert!(refused.text.len() < 20_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_at_once_leave_one_whole_board() {
    let app = TestApp::start().await;
    let admins = [app.admin("one").await, app.admin("two").await];
    let board = |name: &str| {
        let place = |rank: i64| json!({ "rank": rank, "display_name": name, "score": rank });
        json!({ "items": (1..=50).map(place).collect::<Vec<_>>() })
    };
    let mut uploads = Vec::new();
    for round in 0..4 {
        for (admin, name) in admins.iter().zip(["하나", "둘"]) {
            let (admin, board) = (admin.clone(), board(&format!("{name} {round}")));
            uploads.push(tokio::spawn(async move {
                admin.put(PATH, &board).await.expect_status(200);
            }));
        }
    }
    for upload in uploads {
        upload.await.unwrap();
    }
    let saved = admins[0].get(PATH).await.expect_status(200).body;
    let items = saved["items"].as_array().unwrap();
    assert_eq!(items.len(), 50);
    assert!(
        items
            .iter()
            .all(|item| item["display_name"] == items[0]["display_name"])
    );
    assert_eq!(app.test.count(AUDIT).await, 8);
}
