use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_test_support::TestApp;

const COUPONS: &str = "/admin/api/coupons/";

#[tokio::test]
async fn a_kind_is_added_changed_and_audited() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let added = admin
        .post(COUPONS, &json!({ "name": "스타벅스 5천" }))
        .await;
    let added = added.expect_status(201).body;
    assert_eq!(added["is_manual"], false);
    assert_eq!(added["ignores_case"], false);
    for count in ["free", "taken", "withheld", "waiting"] {
        assert_eq!(added[count], 0);
    }
    let path = format!("{COUPONS}{}", added["id"]);
    assert_eq!(admin.get(&path).await.expect_status(200).body, added);
    let seen = added["version"].clone();
    let manual = json!({ "is_manual": true, "version": seen });
    let changed = admin.put(&path, &manual).await.expect_status(200).body;
    assert_eq!(
        (&changed["name"], &changed["is_manual"]),
        (&added["name"], &json!(true))
    );
    assert_ne!(changed["version"], seen);
    let stale = admin.put(&path, &manual).await;
    stale.expect_error(409, "VERSION_CONFLICT");
    let request = admin.request("PUT".parse().unwrap(), &path);
    let request = request.json(&json!({ "name": "x" }));
    let stale = admin
        .send(request.header("if-match", seen.as_str().unwrap()))
        .await;
    stale.expect_error(409, "VERSION_CONFLICT");
    // Its own name is not another one's, and no change.
    let same = json!({ "name": "스타벅스 5천" });
    admin.put(&path, &same).await.expect_status(200);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action IN \
                ('COUPON_KIND_CREATE', 'COUPON_KIND_UPDATE') AND actor = 'operator'";
    assert_eq!(app.test.count(told).await, 2);
}

#[tokio::test]
async fn bad_kinds_are_refused_and_unknown_ones_are_not_found() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.test.count("SELECT COUNT(*) FROM coupon_kind").await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": " x" }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (json!({ "name": "배민 1만" }), "name"),
        (json!({ "name": "y", "is_manual": 1 }), "is_manual"),
        (json!({ "name": "y", "codes": [] }), "codes"),
    ] {
        let answer = admin.post(COUPONS, &body).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        let details = &answer.body["error"]["details"];
        assert!(details[field].is_array(), "{body}: {}", answer.text);
    }
    let list = admin.get(COUPONS).await.expect_status(200).body;
    let first = format!("{COUPONS}{}", list["items"][0]["id"]);
    let taken = json!({ "name": list["items"][1]["name"] });
    let refused = admin.put(&first, &taken).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    for id in ["999", "-1", "9223372036854775807"] {
        let path = format!("{COUPONS}{id}");
        admin
            .get(&path)
            .await
            .expect_error(404, "COUPON_KIND_NOT_FOUND");
        let answer = admin.put(&path, &json!({ "name": "z" })).await;
        answer.expect_error(404, "COUPON_KIND_NOT_FOUND");
    }
    admin
        .get(&format!("{COUPONS}x"))
        .await
        .expect_error(404, "NOT_FOUND");
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM coupon_kind").await,
        before
    );
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admins_who_take_the_same_name_one_is_told() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let body = json!({ "name": "새 쿠폰" });
    let answers = join_all((0..8).map(|number| admins[number % 2].post(COUPONS, &body))).await;
    let added = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(added, 1);
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admins_who_save_the_same_form_one_is_told() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let list = admins[0].get(COUPONS).await.expect_status(200).body;
    let item = &list["items"][0];
    let path = format!("{COUPONS}{}", item["id"]);
    let saves = (0..8).map(|number| {
        let body = json!({ "name": format!("이름 {number}"), "version": item["version"] });
        let (admin, path) = (&admins[number % 2], &path);
        async move { admin.put(path, &body).await }
    });
    let answers = join_all(saves).await;
    let saved: Vec<&Value> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| &answer.body)
        .collect();
    assert_eq!(saved.len(), 1);
    assert_eq!(&admins[0].get(&path).await.body, saved[0]);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.clone().expect_error(409, "VERSION_CONFLICT");
    }
}

#[tokio::test]
async fn the_list_has_the_stock_and_is_a_constant_number_of_statements() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let list = async |query: &str| {
        let before = app.statements();
        let page = admin.get(&format!("{COUPONS}{query}")).await;
        (page.expect_status(200).body, app.statements() - before)
    };
    let (two, few) = list("").await;
    assert_eq!(two["items"].as_array().unwrap().len(), 2);
    let kind = &two["items"][0]["id"];
    let codes = format!("{COUPONS}{kind}/codes");
    let added = admin.post_csv(&codes, "code\nA1234\nB1234\n").await;
    added.expect_status(200);
    for number in 0..6 {
        let body = json!({ "name": format!("쿠폰 {number}") });
        admin.post(COUPONS, &body).await.expect_status(201);
    }
    let (eight, many) = list("").await;
    assert_eq!(eight["items"].as_array().unwrap().len(), 8);
    assert_eq!(eight["items"][6]["free"], 2);
    // The guard, the kinds, their codes, those that are withheld and who waits for them.
    assert_eq!((few, many), (5, 5));
    let (page, _) = list("?limit=5").await;
    let next = page["next_cursor"].as_str().unwrap();
    let (rest, _) = list(&format!("?limit=5&cursor={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_kind_may_ignore_case_as_long_as_its_codes_differ_otherwise() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let list = admin.get(COUPONS).await.expect_status(200).body;
    let paths = [0, 1].map(|place| format!("{COUPONS}{}", list["items"][place]["id"]));
    let codes = paths.clone().map(|path| format!("{path}/codes"));
    let upload = async |place: usize, table: &str| admin.post_csv(&codes[place], table).await;
    // Case matters.
    upload(0, "code\nabcd1\nABCD1\nefgh1\n")
        .await
        .expect_status(200);
    upload(1, "code\nAbCd1\nijkl1\n").await.expect_status(200);
    let ignore = json!({ "ignores_case": true });
    let refused = admin.put(&paths[0], &ignore).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(
        refused.body["error"]["details"]["ignores_case"][0],
        "ignores_case must be false: 2 codes differ from others in upper and lower case only."
    );
    let refused = admin.put(&paths[1], &ignore).await;
    refused.expect_error(422, "VALIDATION_ERROR");

    // Case is ignored where one of the two kinds ignores it.
    let body = json!({ "name": "새 쿠폰", "ignores_case": true });
    let added = admin.post(COUPONS, &body).await.expect_status(201).body;
    assert_eq!(added["ignores_case"], true);
    let ignoring = format!("{COUPONS}{}/codes", added["id"]);
    let refused = admin
        .post_csv(&ignoring, "code\nEFGH1\nmnop1\nMNOP1\n")
        .await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    let details = refused.body["error"]["details"].as_object().unwrap();
    let lines: Vec<&String> = details.keys().collect();
    assert_eq!(lines, ["line 2.code", "line 4.code"]);
    let added = admin.post_csv(&ignoring, "code\nmnop1\n").await;
    added.expect_status(200);
    let refused = upload(0, "code\nMnop1\n").await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert_eq!(
        refused.body["error"]["details"]["line 2.code"][0],
        "line 2: code is in the stock of \"새 쿠폰\" already; remove the line."
    );
    upload(0, "code\nIJKL1\n").await.expect_status(200);
}
