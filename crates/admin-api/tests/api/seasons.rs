use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp};

const SEASONS: &str = "/admin/api/seasons/";
const SEASON: &str = "/admin/api/seasons/1";
const LEVELS: &str = "/admin/api/seasons/1/levels";

#[track_caller]
fn names_field(answer: &Answer, field: &str) {
    let details = &answer.body["error"]["details"];
    assert!(details[field].is_array(), "{field}: {}", answer.text);
}

async fn create(admin: &Client, season: &Value) -> Answer {
    admin.post(SEASONS, season).await
}

#[tokio::test]
async fn the_form_of_a_season_comes_back_with_one_field_changed() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(SEASON).await.expect_status(200).body;
    let ladder = admin.get(LEVELS).await.expect_status(200).body;
    assert_eq!(before["name"], "XMAS_1WEEK_2025");
    assert_eq!(before["season_name"], "XMAS_1WEEK_2025");
    // As the client sends it: everything that it has loaded, its own fields only.
    let mut form = json!({});
    for field in [
        "id",
        "name",
        "start_date",
        "end_date",
        "max_level",
        "base_xp_per_stamp",
        "is_active",
        "created_at",
        "updated_at",
    ] {
        form[field] = before[field].clone();
    }
    form["base_xp_per_stamp"] = json!(30);
    let saved = admin.put(SEASON, &form).await.expect_status(200).body;
    let mut expected = before.clone();
    expected["base_xp_per_stamp"] = json!(30);
    for changes in ["version", "updated_at"] {
        expected[changes] = saved[changes].clone();
    }
    assert_eq!(saved, expected);
    let mut after = admin.get(LEVELS).await.expect_status(200).body;
    after["version"] = ladder["version"].clone();
    assert_eq!(after, ladder);
    // In force at once.
    let player = app.player("santa", 0).await;
    let stamp = json!({ "source_feature_type": "SEASON_PASS" });
    let stamp = player.post("/api/season-pass/stamp", &stamp).await;
    assert_eq!(stamp.expect_status(200).body["xp_added"], 30);
}

#[tokio::test]
async fn a_season_is_renamed_under_either_of_its_names() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (field, name) in [("name", "하나"), ("season_name", "둘")] {
        // Everything comes back, and one of the two names is changed.
        let mut form = admin.get(SEASON).await.expect_status(200).body;
        form[field] = json!(name);
        let saved = admin.put(SEASON, &form).await.expect_status(200).body;
        assert_eq!(
            (&saved["name"], &saved["season_name"]),
            (&json!(name), &json!(name))
        );
    }
}

#[tokio::test]
async fn two_admins_who_save_the_same_season_do_not_overwrite_each_other() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let version = admin.get(SEASON).await.body["version"].clone();
    let edit = |xp: i64| json!({ "base_xp_per_stamp": xp, "version": version });
    let edits: Vec<Value> = (1..=8).map(edit).collect();
    let at_once = edits.iter().map(|edit| admin.put(SEASON, edit));
    let answers = futures_util::future::join_all(at_once).await;
    let saved: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(saved.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.clone().expect_error(409, "VERSION_CONFLICT");
    }
    let now = admin.get(SEASON).await.body;
    assert_eq!(now["base_xp_per_stamp"], saved[0].body["base_xp_per_stamp"]);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'SEASON_UPDATE'";
    assert_eq!(app.test.count(told).await, 1);
}

#[tokio::test]
async fn active_seasons_never_share_a_day() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let season = |name: &str, start: &str, end: &str, is_active: bool| json!({ "name": name, "start_date": start, "end_date": end, "is_active": is_active });
    for (start, end) in [
        ("2025-12-31", "2026-01-05"),
        ("2025-12-01", "2025-12-25"),
        ("2025-12-26", "2025-12-27"),
        ("2025-01-01", "2026-12-31"),
    ] {
        let answer = create(&admin, &season("B", start, end, true)).await;
        // One that would run today lacks its ladder besides; the days are told either way.
        assert!(matches!(answer.status, 409 | 422), "{}", answer.text);
    }
    let next = season("B", "2026-01-01", "2026-01-05", true);
    let created = create(&admin, &next).await.expect_status(201).body;
    assert_eq!(created["is_sound"], false);
    create(&admin, &season("C", "2026-01-05", "2026-01-09", true))
        .await
        .expect_error(409, "ACTIVE_SEASON_CONFLICT");
    let idle = season("C", "2026-01-05", "2026-01-09", false);
    let idle = create(&admin, &idle).await.expect_status(201).body;
    let path = format!("/admin/api/seasons/{}", idle["id"]);
    let activate = json!({ "is_active": true });
    admin
        .put(&path, &activate)
        .await
        .expect_error(409, "ACTIVE_SEASON_CONFLICT");
    let taken = create(&admin, &season("B", "2027-01-01", "2027-01-02", false)).await;
    names_field(&taken.expect_error(422, "VALIDATION_ERROR"), "season_name");
    // Of many that would overlap, one is created.
    let many: Vec<Value> = (0..8)
        .map(|number| season(&format!("R{number}"), "2028-01-01", "2028-01-02", true))
        .collect();
    let at_once = many.iter().map(|season| create(&admin, season));
    let answers = futures_util::future::join_all(at_once).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    let list = admin
        .get("/admin/api/seasons/?page=1&size=2")
        .await
        .expect_status(200)
        .body;
    assert_eq!((&list["total"], &list["size"]), (&json!(4), &json!(2)));
    assert_eq!(list["items"][1]["name"], "C");
    let last = admin
        .get("/admin/api/seasons?page=2&size=2")
        .await
        .expect_status(200)
        .body;
    assert_eq!(last["items"][1]["name"], "XMAS_1WEEK_2025");
    for (query, field) in [("size=0", "size"), ("size=201", "size"), ("page=0", "page")] {
        let answer = admin.get(&format!("/admin/api/seasons/?{query}")).await;
        names_field(&answer.expect_error(422, "VALIDATION_ERROR"), field);
    }
}

#[tokio::test]
async fn a_bad_season_is_refused_whole() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let backwards = json!({ "start_date": "2025-12-31", "end_date": "2025-12-25" });
    admin
        .put(SEASON, &backwards)
        .await
        .expect_error(400, "INVALID_SEASON_DATES");
    for (edit, field) in [
        (json!({ "name": " " }), "season_name"),
        (json!({ "name": "a", "season_name": "b" }), "season_name"),
        (json!({ "base_xp_per_stamp": -1 }), "base_xp_per_stamp"),
        (json!({ "max_level": 11 }), "max_level"),
        (json!({ "max_level": i64::MAX }), "max_level"),
        (json!({ "grace_days": 4_000_000_000_u32 }), "grace_days"),
        // More than a JavaScript client can read exactly.
        (
            json!({ "internal_win_threshold": 9_007_199_254_740_993_i64 }),
            "internal_win_threshold",
        ),
        // The bridge has keys on every day of the week.
        (json!({ "end_date": "2025-12-30" }), "end_date"),
    ] {
        let answer = admin.put(SEASON, &edit).await;
        names_field(&answer.expect_error(422, "VALIDATION_ERROR"), field);
    }
    for missing in [
        json!({}),
        json!({ "name": "x", "start_date": "2026-01-01" }),
    ] {
        create(&admin, &missing)
            .await
            .expect_error(422, "VALIDATION_ERROR");
    }
    let today = json!({ "name": "x", "start_date": "2025-12-26", "end_date": "2025-12-26",
        "is_active": true });
    names_field(
        &create(&admin, &today)
            .await
            .expect_error(422, "VALIDATION_ERROR"),
        "levels",
    );
    admin
        .put("/admin/api/seasons/9", &json!({}))
        .await
        .expect_error(404, "SEASON_NOT_FOUND");
    admin
        .get("/admin/api/seasons/x")
        .await
        .expect_error(404, "SEASON_NOT_FOUND");
    admin
        .get("/admin/api/seasons/9/levels")
        .await
        .expect_error(404, "SEASON_NOT_FOUND");
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
}

#[tokio::test]
async fn a_ladder_is_saved_whole_and_keeps_what_is_left_out() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(LEVELS).await.expect_status(200).body;
    // Of each level only its number and XP come back.
    let rungs: Vec<Value> = before["levels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|level| json!({ "level": level["level"], "required_xp": level["required_xp"] }))
        .collect();
    let mut levels = rungs.clone();
    levels[0]["required_xp"] = json!(10);
    levels.push(
        json!({ "level": 11, "required_xp": 2_000, "reward_type": "POINT",
        "reward_amount": 100, "reward_label": "100 포인트", "auto_claim": false }),
    );
    let edit = json!({ "levels": levels, "version": before["version"] });
    let saved = admin.put(LEVELS, &edit).await.expect_status(200).body;
    assert_eq!(saved["max_level"], 11);
    assert_eq!(saved["levels"][0]["required_xp"], 10);
    for (old, new) in before["levels"].as_array().unwrap()[1..].iter().zip(1..) {
        assert_eq!(&saved["levels"][new], old);
    }
    assert_eq!(admin.get(SEASON).await.body["max_level"], 11);
    admin
        .put(LEVELS, &edit)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    // And players climb it at once.
    let player = app.player("santa", 0).await;
    let status = player
        .get("/api/season-pass/status")
        .await
        .expect_status(200)
        .body;
    assert_eq!(status["levels"].as_array().unwrap().len(), 11);
    assert_eq!(status["progress"]["next_level_xp"], 10);
    // Back to ten.
    let shorter = admin
        .put(LEVELS, &json!({ "levels": rungs }))
        .await
        .expect_status(200);
    assert_eq!(shorter.body["max_level"], 10);
}

#[tokio::test]
async fn a_bad_ladder_is_refused_with_its_level() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(LEVELS).await.expect_status(200).body;
    let with = |index: usize, field: &str, value: Value| {
        let mut levels = before["levels"].clone();
        levels[index][field] = value;
        json!({ "levels": levels })
    };
    for (edit, field) in [
        (with(3, "required_xp", json!(100)), "levels.3.required_xp"),
        (with(0, "required_xp", json!(-1)), "levels.0.required_xp"),
        // More than a JavaScript client can read exactly.
        (
            with(9, "required_xp", json!(9_007_199_254_740_993_i64)),
            "levels.9.required_xp",
        ),
        (with(2, "level", json!(9)), "levels"),
        (
            with(1, "reward_type", json!("GOLD")),
            "levels.1.reward_type",
        ),
        (with(1, "reward_type", json!("XP")), "levels.1.reward_type"),
        (
            with(1, "reward_amount", json!(-1)),
            "levels.1.reward_amount",
        ),
        // A bundle is 1.
        (with(2, "reward_amount", json!(0)), "levels.2.reward_amount"),
        (with(2, "reward_item", json!(99)), "levels.2.reward_item"),
        (
            with(2, "reward_item", Value::Null),
            "levels.2.reward_amount",
        ),
        (with(4, "reward_label", json!("")), "levels.4.reward_label"),
        (json!({ "levels": [] }), "max_level"),
        (json!({}), "levels"),
    ] {
        let answer = admin.put(LEVELS, &edit).await;
        names_field(&answer.expect_error(422, "VALIDATION_ERROR"), field);
    }
    let mut after = admin.get(LEVELS).await.expect_status(200).body;
    after["version"] = before["version"].clone();
    assert_eq!(after, before);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
}

#[tokio::test]
async fn an_edit_while_players_stamp_never_shows_them_half_a_ladder() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = admin.get(LEVELS).await.expect_status(200).body;
    let ten = json!({ "levels": before["levels"] });
    let mut eleven = ten.clone();
    let top = json!({ "level": 11, "required_xp": 2_000, "reward_type": "NONE",
        "reward_label": "끝" });
    eleven["levels"].as_array_mut().unwrap().push(top);
    let edits = async {
        for turn in 0..12 {
            let ladder = if turn % 2 == 0 { &eleven } else { &ten };
            admin.put(LEVELS, ladder).await.expect_status(200);
        }
    };
    let player = app.player("santa", 0).await;
    let reads = async {
        for _ in 0..40 {
            player
                .get("/api/season-pass/status")
                .await
                .expect_status(200);
        }
    };
    futures_util::join!(edits, reads);
}

#[tokio::test]
async fn the_list_is_a_constant_number_of_statements() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let count = async || {
        let before = app.statements();
        admin.get(SEASONS).await.expect_status(200);
        app.statements() - before
    };
    let one = count().await;
    for year in 2030..2036 {
        let season = json!({ "name": format!("Y{year}"), "start_date": format!("{year}-01-01"),
            "end_date": format!("{year}-01-02") });
        create(&admin, &season).await.expect_status(201);
    }
    assert_eq!(count().await, one);
}
