use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{USERS, assert_sound, get, path_of, stamp};

#[tokio::test]
async fn nothing_tells_who_the_player_was_and_what_they_did_stays() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa-claus", 2).await;
    let other = app.player("rudolf", 0).await;
    stamp(&player).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let session = app.login("santa-claus").await.expect_status(200).body;
    let id = player.identity().user_id;
    let other_id = other.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO external_ranking_data (user_id, deposit_amount, play_count, memo, created_at, \
             updated_at) VALUES ({id}, 500, 3, '전화 010-1234', '2025-12-26 00:00:00.000000', \
             '2025-12-26 00:00:00.000000'), ({other_id}, 400, 1, '단골', \
             '2025-12-26 00:00:00.000000', '2025-12-26 00:00:00.000000')"
        ))
        .await;
    app.test
        .execute(&format!(
            "INSERT INTO ranking_daily (event_day, place, user_id, display_name, score) VALUES \
             ('2025-12-26', 1, {id}, '홍길동', 9), ('2025-12-26', 2, {other_id}, '임꺽정', 8)"
        ))
        .await;
    let before = get(&admin, &path_of(&player)).await;
    let ledger = app.test.count("SELECT COUNT(*) FROM wallet_ledger").await;
    let path = format!("{}/anonymise", path_of(&player));
    // With an object, and with no body at all.
    let left = admin.post(&path, &json!({})).await.expect_status(200).body;
    let twice = admin.play(&path).await.expect_status(200).body;
    assert_eq!(twice["version"], left["version"]);
    assert_eq!(left["external_id"], format!("anon-{id}"));
    assert_eq!(left["nickname"], Value::Null);
    assert_eq!(left["status"], "INACTIVE");
    assert_eq!(
        (&left["xp"], &left["account_level"]),
        (&before["xp"], &before["account_level"])
    );

    player
        .get("/api/wallet")
        .await
        .expect_error(401, "TOKEN_INVALID");
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let refreshed = app.anonymous().post("/api/auth/refresh", &refresh).await;
    refreshed.expect_error(401, "TOKEN_INVALID");
    let name = format!("anon-{id}");
    for password in ["!", "test-password", "x"] {
        let credentials = json!({ "external_id": name, "password": password });
        let refused = app.anonymous().post("/api/auth/token", &credentials).await;
        refused.expect_error(401, "INVALID_CREDENTIALS");
    }
    for (what, sql) in [
        ("names", "SELECT COUNT(*) FROM `user` WHERE external_id = 'santa-claus'".to_owned()),
        ("addresses", format!("SELECT COUNT(*) FROM user_event_log WHERE user_id = {id} AND meta_json LIKE '%127.0.0.1%'")),
        ("sessions", format!("SELECT COUNT(*) FROM refresh_token WHERE user_id = {id} AND revoked_at IS NULL")),
        ("memos", format!("SELECT COUNT(*) FROM external_ranking_data WHERE user_id = {id} AND memo IS NOT NULL")),
        ("board", format!("SELECT COUNT(*) FROM ranking_daily WHERE user_id = {id} AND display_name <> ''")),
        ("audit", "SELECT COUNT(*) FROM admin_audit_log WHERE before_json LIKE '%santa%' OR before_json LIKE '%산타%' OR after_json LIKE '%santa%'".to_owned()),
    ] {
        assert_eq!(app.test.count(&sql).await, 0, "{what}");
    }
    // Logins are still told, and so is everything else; nobody else is touched.
    for (sql, count) in [
        (format!("SELECT COUNT(*) FROM user_event_log WHERE user_id = {id} AND event_type = 'AUTH_LOGIN' AND meta_json LIKE '%password%'"), 2),
        (format!("SELECT COUNT(*) FROM user_event_log WHERE user_id = {other_id} AND meta_json LIKE '%127.0.0.1%'"), 1),
        (format!("SELECT COUNT(*) FROM external_ranking_data WHERE user_id = {other_id} AND memo = '단골'"), 1),
        (format!("SELECT COUNT(*) FROM external_ranking_data WHERE user_id = {id} AND deposit_amount = 500"), 1),
        (format!("SELECT COUNT(*) FROM ranking_daily WHERE user_id = {other_id} AND display_name = '임꺽정'"), 1),
        ("SELECT COUNT(*) FROM wallet_ledger".to_owned(), ledger),
        ("SELECT COUNT(*) FROM feature_log".to_owned(), 1),
        ("SELECT COUNT(*) FROM admin_audit_log WHERE action = 'USER_ANONYMISE' AND before_json = '{\"status\":\"ACTIVE\"}'".to_owned(), 1),
    ] {
        assert_eq!(app.test.count(&sql).await, count, "{sql}");
    }
    let board = get(&other, "/api/ranking/today").await;
    assert!(!board.to_string().contains("홍길동"), "{board}");
    assert_sound(&app).await;
}

#[tokio::test]
async fn a_body_that_says_something_is_refused_and_nobody_blocks_an_anonymisation() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 0).await;
    let path = format!("{}/anonymise", path_of(&player));
    let refused = admin.post(&path, &json!({ "keep": "nickname" })).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    let id = player.identity().user_id;
    let other = app.player("rudolf", 0).await;
    for reserved in [
        format!("anon-{id}"),
        format!(" ANON-{id}"),
        "Anon-안녕".to_owned(),
    ] {
        let squatter = json!({ "external_id": reserved, "password": "long enough" });
        let refused = admin.post(USERS, &squatter).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let problem = refused.body["error"]["details"]["external_id"][0].to_string();
        assert!(problem.contains("must not begin with anon-"), "{problem}");
        let renamed = json!({ "external_id": reserved });
        let refused = admin.put(&path_of(&other), &renamed).await;
        refused.expect_error(422, "VALIDATION_ERROR");
        let table = format!("external_id\n{reserved}\n");
        let refused = admin
            .post_csv(&format!("{USERS}import?dry_run=false"), &table)
            .await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    // Older versions let everybody have such an id, and whoever has one keeps it.
    for (at, name) in [(1, format!("anon-{id}")), (2, format!("anon-{id}-2"))] {
        let own = app.player(&format!("squatter-{at}"), 0).await;
        let renamed = format!(
            "UPDATE `user` SET external_id = '{name}' WHERE id = {}",
            own.identity().user_id
        );
        app.test.execute(&renamed).await;
        let kept = json!({ "external_id": name, "nickname": "그대로" });
        admin.put(&path_of(&own), &kept).await.expect_status(200);
        app.login(&name).await.expect_status(200);
    }
    let left = admin.post(&path, &json!({})).await.expect_status(200).body;
    assert_eq!(left["external_id"], format!("anon-{id}-3"));
    let bad_reason = admin.request("POST".parse().unwrap(), &path);
    let bad_reason = bad_reason.header("x-reason", "%FF");
    admin
        .send(bad_reason)
        .await
        .expect_error(422, "VALIDATION_ERROR");
}
