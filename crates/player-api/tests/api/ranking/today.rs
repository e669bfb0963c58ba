use serde_json::{Value, json};
use xmas_kernel::UserId;
use xmas_test_support::TestApp;

const PATH: &str = "/api/ranking/today";
const TODAY: &str = "2025-12-26";
const MEMO: &str = "VIP, 전화 요망";

/// Enters a place as an operator would; an empty name leaves it to the player's own.
async fn enter(app: &TestApp, day: &str, place: i64, player: Option<UserId>, name: &str) {
    let player = player.map_or_else(|| "NULL".to_owned(), |player| player.to_string());
    let score = 1_000 - place;
    app.test
        .execute(&format!(
            "INSERT INTO ranking_daily (event_day, place, user_id, display_name, score) \
             VALUES ('{day}', {place}, {player}, '{name}', {score})"
        ))
        .await;
}

/// Enters what a player did elsewhere.
async fn enter_external(app: &TestApp, player: UserId, deposit_amount: i64, play_count: i64) {
    app.test
        .execute(&format!(
            "INSERT INTO external_ranking_data (user_id, deposit_amount, play_count, memo, \
             created_at, updated_at) VALUES ({player}, {deposit_amount}, {play_count}, '{MEMO}', \
             '2025-12-26 00:00:00.000000', '2025-12-26 00:00:00.000000')"
        ))
        .await;
}

fn column(entries: &Value, name: &str) -> Vec<Value> {
    let entries = entries.as_array().unwrap().iter();
    entries.map(|entry| entry[name].clone()).collect()
}

#[tokio::test]
async fn the_boards_are_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa-01", 0).await;
    let me = player.identity().user_id;
    let rudolf = app.test.player("rudolf-77").await.user_id;
    let short = app.test.player("순록").await.user_id;
    enter(&app, TODAY, 3, Some(short), "별명").await;
    enter(&app, TODAY, 1, Some(rudolf), "").await;
    enter(&app, TODAY, 2, Some(me), "").await;
    enter(&app, TODAY, 4, None, "손님").await;
    enter(&app, "2025-12-25", 1, Some(me), "어제").await;
    enter(&app, "2025-12-27", 1, Some(me), "내일").await;
    enter_external(&app, me, 100_000, 7).await;
    enter_external(&app, short, 300_000, 0).await;
    enter_external(&app, rudolf, 200_000, 12).await;
    let today = player.get(PATH).await.expect_status(200);
    assert_eq!(
        today.body,
        json!({
            "date": "2025-12-26",
            "entries": [
                {"rank": 1, "display_name": "ru***", "score": 999, "is_me": false},
                {"rank": 2, "display_name": "산타", "score": 998, "is_me": true},
                {"rank": 3, "display_name": "별명", "score": 997, "is_me": false},
                {"rank": 4, "display_name": "손님", "score": 996, "is_me": false},
            ],
            "my_entry": {"rank": 2, "display_name": "산타", "score": 998, "is_me": true},
            "external_entries": [
                {"rank": 1, "user_id": short, "user_name": "순***", "deposit_amount": 300_000,
                    "play_count": 0, "memo": null},
                {"rank": 2, "user_id": rudolf, "user_name": "ru***", "deposit_amount": 200_000,
                    "play_count": 12, "memo": null},
                {"rank": 3, "user_id": me, "user_name": "산타", "deposit_amount": 100_000,
                    "play_count": 7, "memo": null},
            ],
            "my_external_entry": {"rank": 3, "user_id": me, "user_name": "산타",
                "deposit_amount": 100_000, "play_count": 7, "memo": null},
            "feature_type": "RANKING",
        })
    );
    assert!(!today.text.contains(MEMO), "{}", today.text);
}

#[tokio::test]
async fn empty_boards_are_empty_lists_and_nulls() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let today = player.get(PATH).await.expect_status(200);
    assert_eq!(
        today.body,
        json!({
            "date": "2025-12-26",
            "entries": [],
            "my_entry": null,
            "external_entries": [],
            "my_external_entry": null,
            "feature_type": "RANKING",
        })
    );
}

#[tokio::test]
async fn the_player_s_own_place_is_told_wherever_it_is() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let me = player.identity().user_id;
    for place in 1..=11 {
        let other = app.test.player(&format!("elf-{place}")).await.user_id;
        enter(&app, TODAY, place, Some(other), "").await;
        enter_external(&app, other, 1_000 + place, 0).await;
    }
    enter(&app, TODAY, 12, Some(me), "").await;
    enter_external(&app, me, 1_000, 0).await;
    for (query, entries) in [
        ("", 10_i64),
        ("?top=2", 2),
        ("?top=11", 11),
        ("?top=100", 12),
    ] {
        let today = player.get(&format!("{PATH}{query}")).await;
        let today = today.expect_status(200).body;
        for (board, mine) in [
            ("entries", "my_entry"),
            ("external_entries", "my_external_entry"),
        ] {
            let ranks: Vec<Value> = (1..=entries).map(Value::from).collect();
            assert_eq!(column(&today[board], "rank"), ranks, "{query}");
            assert_eq!(today[mine]["rank"], 12, "{query}");
        }
        assert_eq!(today["my_entry"]["is_me"], true);
        assert_eq!(today["my_external_entry"]["memo"], Value::Null);
        assert_eq!(today["my_external_entry"]["user_id"], json!(me));
    }
}

#[tokio::test]
async fn equal_deposits_are_ordered_by_plays_and_then_by_who_came_first() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let me = player.identity().user_id;
    let mut others = Vec::new();
    for name in ["first", "plays", "rich", "last"] {
        others.push(app.test.player(name).await.user_id);
    }
    let [first, plays, rich, last] = others[..] else {
        unreachable!("four players")
    };
    enter_external(&app, first, 100, 5).await;
    enter_external(&app, plays, 100, 9).await;
    enter_external(&app, me, 100, 5).await;
    enter_external(&app, rich, 200, 0).await;
    enter_external(&app, last, 100, 5).await;
    let order = [rich, plays, first, me, last].map(|player| json!(player));
    for top in 1..=6 {
        let today = player.get(&format!("{PATH}?top={top}")).await;
        let today = today.expect_status(200).body;
        let seen = column(&today["external_entries"], "user_id");
        assert_eq!(seen, order[..top.min(5)], "{top}");
        assert_eq!(today["my_external_entry"]["rank"], 4, "{top}");
    }
}

#[tokio::test]
async fn top_is_1_to_100() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for top in [
        "0",
        "101",
        "-1",
        "1.5",
        "1e1",
        "ten",
        "",
        "%20",
        "%00",
        "99999999999999999999",
    ] {
        let refused = player.get(&format!("{PATH}?top={top}")).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let problems = &refused.body["error"]["details"]["top"];
        assert!(problems.is_array(), "{top}: {}", refused.text);
    }
    let twice = player.get(&format!("{PATH}?top=1&top=2")).await;
    twice.expect_error(422, "VALIDATION_ERROR");
    for query in ["?top=1", "?top=100", "?"] {
        let today = player.get(&format!("{PATH}{query}")).await;
        today.expect_status(200);
    }
}

#[tokio::test]
async fn the_switch_works() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.test
        .execute("UPDATE feature_config SET is_enabled = 0 WHERE feature_type = 'RANKING'")
        .await;
    player.get(PATH).await.expect_error(400, "FEATURE_DISABLED");
}

#[tokio::test]
async fn without_a_row_the_ranking_does_not_run() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.test
        .execute("DELETE FROM feature_config WHERE feature_type = 'RANKING'")
        .await;
    player.get(PATH).await.expect_error(404, "NO_FEATURE_TODAY");
}

#[tokio::test]
async fn only_a_player_who_may_act_sees_it() {
    let app = TestApp::start().await;
    for query in ["", "?top=ten"] {
        let path = format!("{PATH}{query}");
        let anonymous = app.anonymous().get(&path).await;
        anonymous.expect_error(401, "AUTH_REQUIRED");
    }
    let admin = app.admin("root").await;
    admin.get(PATH).await.expect_error(403, "FORBIDDEN_SCOPE");
    let player = app.player("santa", 0).await;
    app.test.block(&player.identity()).await;
    player.get(PATH).await.expect_error(403, "USER_BLOCKED");
    let views = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'ENTER_PAGE'";
    assert_eq!(app.test.count(views).await, 0);
}

#[tokio::test]
async fn the_day_s_first_look_is_noted_once() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for _ in 0..3 {
        player.get(PATH).await.expect_status(200);
    }
    let views = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'ENTER_PAGE' AND \
                 feature_type = 'RANKING'";
    assert_eq!(app.test.count(views).await, 1);
}

#[tokio::test]
async fn a_name_of_which_nothing_is_seen_is_not_shown() {
    let app = TestApp::start().await;
    let player = app.player("santa-01", 0).await;
    let admin = app.admin("operator").await;
    let me = player.identity().user_id;
    enter(&app, TODAY, 1, Some(me), "").await;
    enter(&app, TODAY, 2, None, "손님").await;
    let users = format!("/admin/api/users/{me}");
    for hidden in ["\u{3164}", "\u{200b}", "산\u{202e}타", "\u{2800}"] {
        let refused = admin.put(&users, &json!({ "nickname": hidden })).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(refused.body["error"]["details"]["nickname"].is_array());
        let row = json!({ "items": [{ "rank": 1, "display_name": hidden, "score": 1 }] });
        let refused = admin
            .put(&format!("/admin/api/ranking/{TODAY}"), &row)
            .await;
        refused.expect_error(422, "VALIDATION_ERROR");
    }
    // As an older version let it in.
    let blank = format!("UPDATE `user` SET nickname = '\u{3164}' WHERE id = {me}");
    app.test.execute(&blank).await;
    let board = player.get(PATH).await.expect_status(200).body;
    assert_eq!(column(&board["entries"], "display_name"), ["sa***", "손님"]);
    // What is sent back as it is stands in nobody's way.
    let echo = json!({ "external_id": "santa-01", "nickname": "\u{3164}", "status": "ACTIVE" });
    let saved = admin.put(&users, &echo).await.expect_status(200).body;
    assert_eq!(saved["nickname"], "\u{3164}");
    let family = json!({ "nickname": "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}" });
    admin.put(&users, &family).await.expect_status(200);
    let board = player.get(PATH).await.expect_status(200).body;
    assert_eq!(
        column(&board["entries"], "display_name")[0],
        family["nickname"]
    );
}
