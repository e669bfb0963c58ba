use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_test_support::TestApp;

async fn codes_path(app: &TestApp) -> String {
    let kind = "SELECT id FROM coupon_kind WHERE name = '배민 1만'";
    let kind = app.test.count(kind).await;
    format!("/admin/api/coupons/{kind}/codes")
}

async fn stored(app: &TestApp) -> i64 {
    app.test.count("SELECT COUNT(*) FROM coupon_code").await
}

#[tokio::test]
async fn codes_are_uploaded_all_or_none_and_each_duplicate_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let path = codes_path(&app).await;
    let table = "\u{feff}CODE\r\n\"BM10-0001\"\r\n BM10-0002 \r\n\r\n=X\r\n쿠폰-03\r\n";
    let dry = admin.post_csv(&format!("{path}?dry_run=true"), table).await;
    let dry = dry.expect_status(200).body;
    assert_eq!(
        (&dry["dry_run"], &dry["added"], &dry["free"]),
        (&json!(true), &json!(4), &json!(0))
    );
    assert_eq!(stored(&app).await, 0);
    let added = admin.post_csv(&path, table).await.expect_status(200).body;
    assert_eq!((&added["added"], &added["free"]), (&json!(4), &json!(4)));

    let more = "code\nBM10-0003\nBM10-0002\nBM10-0004\nBM10-0003\n";
    for path in [path.clone(), format!("{path}?dry_run=true")] {
        let refused = admin.post_csv(&path, more).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let details = refused.body["error"]["details"].as_object().unwrap();
        let lines: Vec<&String> = details.keys().collect();
        assert_eq!(lines, ["line 3.code", "line 5.code"]);
        assert!(!refused.text.contains("BM10"));
    }
    for bad in [
        "code\nA B\n",
        "code\n\"\"\nX1\n",
        "name\nA\n",
        "code\n",
        "",
        "code\n\u{7f}\n",
        "code\nA\u{200b}B\n",
    ] {
        let refused = admin.post_csv(&path, bad).await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    let long = format!("code\n{}\n", "x".repeat(101));
    let long = admin.post_csv(&path, &long).await;
    long.expect_error(422, "VALIDATION_ERROR");
    let misspelt = format!("{path}?dryrun=true");
    let misspelt = admin.post_csv(&misspelt, "code\nA\n").await;
    misspelt.expect_error(422, "VALIDATION_ERROR");
    let json = admin.post(&path, &json!({ "codes": ["A"] })).await;
    json.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    for path in [
        "/admin/api/coupons/999/codes",
        "/admin/api/coupons/999/codes?dry_run=true",
    ] {
        let unknown = admin.post_csv(path, "code\nA\n").await;
        unknown.expect_error(404, "COUPON_KIND_NOT_FOUND");
    }
    assert_eq!(stored(&app).await, 4);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'COUPON_CODES_ADD' \
                AND after_json LIKE '%\"added\":4%' AND after_json NOT LIKE '%BM10%'";
    assert_eq!(app.test.count(told).await, 1);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        1
    );
}

#[tokio::test]
async fn the_stock_is_shown_masked_and_page_by_page() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let path = codes_path(&app).await;
    let table = "code\nBM10-0001\nBM10-0002\nABC\n쿠폰일이삼\n";
    admin.post_csv(&path, table).await.expect_status(200);
    // Sealed with another key, or for another kind.
    app.test
        .execute("UPDATE coupon_code SET sealed_code = 'x' WHERE id = (SELECT * FROM (SELECT MIN(id) FROM coupon_code) t)")
        .await;
    let masked = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["masked"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = admin.get(&path).await.expect_status(200);
    assert_eq!(masked(&all.body), ["쿠폰***", "***", "BM***", "***"]);
    assert!(!all.text.contains("0002"));
    assert_eq!(
        (&all.body["free"], &all.body["taken"]),
        (&json!(4), &json!(0))
    );
    let first = admin.get(&format!("{path}?limit=3&state=free")).await.body;
    let next = first["next_cursor"].as_str().unwrap();
    let last = admin
        .get(&format!("{path}?limit=3&cursor={next}"))
        .await
        .body;
    assert_eq!(
        (masked(&last).len(), &last["next_cursor"]),
        (1, &Value::Null)
    );
    let taken = admin.get(&format!("{path}?state=TAKEN")).await.body;
    assert!(masked(&taken).is_empty());
    for bad in ["?state=GONE", "?cursor=x", "?limit=1000"] {
        let answer = admin.get(&format!("{path}{bad}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
    let unknown = admin.get("/admin/api/coupons/999/codes").await;
    unknown.expect_error(404, "COUPON_KIND_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_equal_uploads_at_once_one_is_taken() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let path = codes_path(&app).await;
    let rows: Vec<String> = (0..600).map(|number| format!("X-{number:05}")).collect();
    let table = format!("code\n{}\n", rows.join("\n"));
    let answers = join_all((0..4).map(|number| admins[number % 2].post_csv(&path, &table))).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(taken, 1);
    for refused in answers.into_iter().filter(|answer| answer.status != 200) {
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let details = refused.body["error"]["details"].as_object().unwrap();
        assert!(details.contains_key("line 2.code"), "{}", refused.text);
    }
    assert_eq!(stored(&app).await, 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_kinds_that_are_given_the_same_code_at_once_one_has_it() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let list = admins[0].get("/admin/api/coupons/").await.body;
    let paths =
        [0, 1].map(|place| format!("/admin/api/coupons/{}/codes", list["items"][place]["id"]));
    let uploads = (0..24).map(|number| {
        let (admin, path) = (&admins[number % 2], &paths[number % 2]);
        let table = format!("code\nSAME-{:04}\nOWN-{number:05}\n", number / 2);
        async move { admin.post_csv(path, &table).await }
    });
    let answers = join_all(uploads).await;
    for pair in answers.chunks(2) {
        let (won, lost): (Vec<_>, Vec<_>) = pair.iter().partition(|answer| answer.status == 200);
        assert_eq!(
            (won.len(), lost.len()),
            (1, 1),
            "{} {}",
            pair[0].text,
            pair[1].text
        );
        let refused = lost[0].clone().expect_error(422, "VALIDATION_ERROR");
        let text = refused.body["error"]["details"]["line 2.code"][0].as_str();
        let text = text.unwrap_or_else(|| panic!("{}", refused.text));
        assert!(text.contains("is in the stock of"), "{text}");
    }
    // All of an upload, or none.
    assert_eq!(stored(&app).await, 24);
}
