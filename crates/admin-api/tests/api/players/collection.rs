use serde_json::{Value, json};
use xmas_test_support::TestApp;
use xmas_time::EventDay;

use super::{USERS, assert_sound, audits, get, log_in};

fn ids(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["external_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_player_without_a_password_gets_one_that_is_shown_once() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": " 산타-01 ", "nickname": "산타 🎅" });
    let created = admin.post(USERS, &new).await.expect_status(201);
    let password = created.body["generated_password"].as_str().unwrap();
    assert_eq!(password.len(), 24);
    assert_eq!(created.body["external_id"], "산타-01");
    assert_eq!(created.body["status"], "ACTIVE");
    assert_eq!(created.body["role"], "PLAYER");
    assert_eq!(created.body["last_login_at"], Value::Null);
    let path = format!("{USERS}{}", created.body["id"]);
    let shown = get(&admin, &path).await;
    assert!(shown.get("generated_password").is_none());
    assert_eq!(shown["version"], created.body["version"]);
    log_in(&app, "산타-01", password).await.expect_status(200);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_CREATE' \
                AND before_json IS NULL AND after_json LIKE '%GENERATED%'";
    assert_eq!(app.test.count(told).await, 1);
    let leaked = format!("{told} AND after_json LIKE '%{password}%'");
    assert_eq!(app.test.count(&leaked).await, 0);
}

#[tokio::test]
async fn a_given_password_just_works_and_is_not_told() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": "santa", "password": "비밀번호 여덟자", "nickname": "",
        "level": 0, "season_level": 0, "xp": 0, "status": "ACTIVE" });
    let created = admin.post(USERS, &new).await.expect_status(201);
    assert!(created.body.get("generated_password").is_none());
    assert_eq!(created.body["nickname"], Value::Null);
    log_in(&app, "santa", "비밀번호 여덟자")
        .await
        .expect_status(200);
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM admin_audit_log WHERE after_json LIKE '%비밀번호%'")
            .await,
        0
    );
    let blocked =
        json!({ "external_id": "grinch", "password": "long enough", "status": "BLOCKED" });
    let blocked = admin.post(USERS, &blocked).await.expect_status(201);
    assert_eq!(blocked.body["is_blocked"], true);
    log_in(&app, "grinch", "long enough")
        .await
        .expect_error(403, "USER_BLOCKED");
    assert_sound(&app).await;
}

#[tokio::test]
async fn a_player_may_start_on_a_level_whose_rewards_are_paid() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": "santa", "level": 2, "season_level": 0, "xp": 0 });
    let created = admin.post(USERS, &new).await.expect_status(201).body;
    assert_eq!(
        (&created["level"], &created["season_level"], &created["xp"]),
        (&json!(2), &json!(2), &json!(50))
    );
    assert_eq!(created["account_level"], 3);
    let paid = "SELECT COUNT(*) FROM season_pass_reward_log";
    assert_eq!(app.test.count(paid).await, 2);
    assert_sound(&app).await;
}

#[tokio::test]
async fn what_cannot_be_saved_is_told_by_field_and_leaves_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let long = "가".repeat(101);
    for (field, value) in [
        ("external_id", json!("")),
        ("external_id", json!("   ")),
        ("external_id", json!("a\u{0}b")),
        ("external_id", json!(long)),
        ("external_id", json!(7)),
        ("nickname", json!(long)),
        ("nickname", json!("a\nb")),
        ("password", json!("1234567")),
        ("password", json!("x".repeat(257))),
        ("status", json!("active")),
        ("status", json!("")),
        ("level", json!(11)),
        ("level", json!(-1)),
        ("season_level", json!(i64::MAX)),
        ("xp", json!(-1)),
        ("xp", json!(i64::MAX)),
        ("xp", json!(1.5)),
    ] {
        let mut new = json!({ "external_id": "santa", "password": "long enough" });
        new[field] = value;
        let answer = admin
            .post(USERS, &new)
            .await
            .expect_error(422, "VALIDATION_ERROR");
        let details = &answer.body["error"]["details"];
        assert!(details[field].is_array(), "{field}: {}", answer.text);
    }
    assert_eq!(audits(&app).await, 0);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM `user`").await, 1);
    admin
        .post(USERS, &json!({}))
        .await
        .expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn an_external_id_is_given_once() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": "santa", "password": "long enough" });
    let all = futures_util::future::join_all((0..8).map(|_| admin.post(USERS, &new))).await;
    let created = all.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    for refused in all.into_iter().filter(|answer| answer.status != 201) {
        refused.expect_error(409, "EXTERNAL_ID_EXISTS");
    }
    assert_eq!(audits(&app).await, 1);
}

#[tokio::test]
async fn the_list_is_newest_first_bare_or_in_pages() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for number in 0..5 {
        app.player(&format!("p{number}"), 0).await;
    }
    let bare = admin.get(USERS).await.expect_status(200);
    assert_eq!(ids(&bare.body), ["p4", "p3", "p2", "p1", "p0"]);
    assert_eq!(bare.headers["x-total-count"], "5");
    // Both forms of the path.
    let same = get(&admin, "/admin/api/users").await;
    assert_eq!(same, bare.body);
    let page = admin.get(&format!("{USERS}?page=2&size=2")).await;
    let page = page.expect_status(200);
    assert_eq!(page.headers["x-total-count"], "5");
    assert_eq!(ids(&page.body["items"]), ["p2", "p1"]);
    assert_eq!(
        (&page.body["total"], &page.body["page"], &page.body["size"]),
        (&json!(5), &json!(2), &json!(2))
    );
    let far = get(&admin, &format!("{USERS}?page=1000000&size=200")).await;
    assert_eq!((&far["items"], &far["total"]), (&json!([]), &json!(5)));
    let default = get(&admin, &format!("{USERS}?page=1")).await;
    assert_eq!(default["size"], 50);
    let admins = get(&admin, &format!("{USERS}?role=ADMIN")).await;
    assert_eq!(ids(&admins), ["operator"]);
    for bad in [
        "page=-1",
        "page=0",
        "page=1000001",
        "page=18446744073709551615",
        "page=x",
        "size=0",
        "page=1&size=201",
        "search=%00",
        "page=1&search=a%00",
        "search=%0A",
        "page=1&size=x",
        "role=BOSS",
        "status=x",
    ] {
        let answer = admin.get(&format!("{USERS}?{bad}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn a_search_finds_what_it_says_and_no_pattern() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (external_id, nickname) in [
        ("Santa_1", "산타클로스"),
        ("santaX1", "루돌프"),
        ("50%off", "a\\b"),
        ("wow!", "=1+1"),
    ] {
        let new =
            json!({ "external_id": external_id, "nickname": nickname, "password": "long enough" });
        admin.post(USERS, &new).await.expect_status(201);
    }
    let blocked =
        json!({ "external_id": "santa-b", "password": "long enough", "status": "BLOCKED" });
    admin.post(USERS, &blocked).await.expect_status(201);
    for (query, found) in [
        ("search=santa_", vec!["Santa_1"]),
        ("search=SANTA", vec!["santa-b", "santaX1", "Santa_1"]),
        ("search=santa&status=ACTIVE", vec!["santaX1", "Santa_1"]),
        ("search=%25", vec!["50%off"]),
        ("search=%5C", vec!["50%off"]),
        ("search=!", vec!["wow!"]),
        ("search=%3D1%2B", vec!["wow!"]),
        ("search=%EC%82%B0%ED%83%80", vec!["Santa_1"]),
        ("search=%27", vec![]),
        ("status=BLOCKED", vec!["santa-b"]),
        ("status=INACTIVE", vec![]),
    ] {
        let bare = admin
            .get(&format!("{USERS}?{query}"))
            .await
            .expect_status(200);
        assert_eq!(ids(&bare.body), found, "{query}");
        assert_eq!(
            bare.headers["x-total-count"],
            found.len().to_string().as_str()
        );
        let page = get(&admin, &format!("{USERS}?page=1&{query}")).await;
        assert_eq!(ids(&page["items"]), found, "{query}");
    }
    let long = "x".repeat(101);
    let refused = admin.get(&format!("{USERS}?search={long}")).await;
    refused.expect_error(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn the_list_asks_the_same_number_of_questions_however_long_it_is() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for path in [
        USERS.to_owned(),
        format!("{USERS}?page=1&size=200&search=p"),
    ] {
        for _ in 0..2 {
            app.test
                .player(&format!("p-{}", uuid::Uuid::new_v4()))
                .await;
        }
        let few = statements(&app, &admin, &path).await;
        for _ in 0..50 {
            app.test
                .player(&format!("p-{}", uuid::Uuid::new_v4()))
                .await;
        }
        let many = statements(&app, &admin, &path).await;
        // The guard's look at the admin, the accounts, and how many there are.
        assert_eq!((few, many), (3, 3), "{path}");
    }
}

/// How many statements a read takes when the season is known, which it is for 400 ms at a time.
async fn statements(app: &TestApp, admin: &xmas_test_support::Client, path: &str) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..3 {
        let before = app.statements();
        admin.get(path).await.expect_status(200);
        fewest = fewest.min(app.statements() - before);
    }
    fewest
}

#[tokio::test]
async fn levels_are_those_of_the_season_that_is_served() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let new = json!({ "external_id": "santa", "password": "long enough", "xp": 120 });
    let created = admin.post(USERS, &new).await.expect_status(201).body;
    assert_eq!(created["level"], 3);
    let path = format!("{USERS}{}", created["id"]);
    // The ladder is edited: the level follows at the next look.
    let ladder = "/admin/api/seasons/1/levels";
    let mut edit = get(&admin, ladder).await;
    edit["levels"][3]["required_xp"] = json!(110);
    admin.put(ladder, &edit).await.expect_status(200);
    let level = async |day| {
        app.clock.set(day);
        let session = app.login("operator").await.expect_status(200);
        let admin = app.with_token(session.body["access_token"].as_str());
        let shown = get(&admin, &path).await;
        let list = get(&admin, USERS).await;
        assert_eq!(list[0], shown);
        (
            shown["level"].as_i64().unwrap(),
            shown["xp"].as_i64().unwrap(),
        )
    };
    let day = |year, month, day| EventDay::from_ymd(year, month, day).unwrap().start();
    assert_eq!(level(day(2025, 12, 27)).await, (4, 120));
    // In its grace days.
    assert_eq!(level(day(2026, 1, 7)).await, (4, 120));
    assert_eq!(level(day(2026, 1, 8)).await, (0, 0));
}
