//! What the tables of games were like, and putting them back.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";
const ROULETTE: &str = "/admin/api/roulette-config/1";
const LOTTERY: &str = "/admin/api/lottery-config/1";

/// Each game: its configuration, and an edit that spoils what there is to win.
fn games() -> [(&'static str, &'static str, Value); 3] {
    let segments: Vec<Value> = (0..6)
        .map(|index| json!({ "index": index, "weight": 1 }))
        .collect();
    [
        (
            "roulette",
            ROULETTE,
            json!({ "segments": segments, "max_daily_spins": 7 }),
        ),
        (
            "dice",
            "/admin/api/dice-config/1",
            json!({ "win_reward_type": "POINT", "win_reward_value": 999_999 }),
        ),
        (
            "lottery",
            LOTTERY,
            json!({ "name": "틀린 복권", "max_daily_plays": 3 }),
        ),
    ]
}

async fn load(admin: &Client, path: &str) -> Value {
    admin.get(path).await.expect_status(200).body
}

async fn save(admin: &Client, path: &str, edit: &Value) -> Value {
    admin.put(path, edit).await.expect_status(200).body
}

async fn versions(admin: &Client, path: &str) -> Vec<Value> {
    let page = load(admin, &format!("{path}/versions")).await;
    assert_eq!(page["next_cursor"], Value::Null);
    page["items"].as_array().unwrap().clone()
}

fn back(path: &str, version: &Value) -> String {
    format!("{path}/versions/{}/restore", version["id"])
}

/// What an operator can edit.
fn content(config: &Value) -> Value {
    let mut content = config.clone();
    for field in ["updated_at", "version"] {
        content.as_object_mut().unwrap().remove(field);
    }
    content
}

async fn assert_books_are_in_order(app: &TestApp) {
    let audit = app.app.audit().run().await.unwrap();
    assert_eq!(audit.violations(), 0, "{audit:?}");
}

#[tokio::test]
async fn a_configuration_lists_its_versions_and_goes_back_by_one_call() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (game, path, wrong) in games() {
        let seeded = load(&admin, path).await;
        let untouched = versions(&admin, path).await;
        assert_eq!(untouched.len(), 1, "{game}");
        let first = &untouched[0];
        assert_eq!(
            (&first["id"], &first["saved_by"]),
            (&json!(0), &Value::Null)
        );
        assert_eq!(
            (&first["is_current"], &first["until"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(content(&first["config"]), content(&seeded), "{game}");
        assert_eq!(first["config"]["version"], seeded["version"], "{game}");

        app.clock.advance(chrono::TimeDelta::minutes(1));
        let request = admin.request(Method::PUT, path).json(&wrong);
        let spoilt = admin.send(request.header("x-reason", "oops")).await;
        let spoilt = spoilt.expect_status(200).body;
        let listed = versions(&admin, path).await;
        assert_eq!(listed.len(), 2, "{game}");
        assert_eq!(listed[0]["config"], spoilt, "{game}");
        assert_eq!(content(&listed[1]["config"]), content(&seeded), "{game}");
        assert_eq!(listed[1]["until"], listed[0]["since"], "{game}");
        let told = |name: &str| listed[0][name].as_str().unwrap().to_owned();
        assert_eq!(
            (told("saved_by"), told("reason")),
            ("operator".into(), "oops".into())
        );
        assert_eq!(told("action"), format!("{}_UPDATE", game.to_uppercase()));

        app.clock.advance(chrono::TimeDelta::minutes(1));
        let restored = admin.post(&back(path, &listed[1]), &json!({})).await;
        let restored = restored.expect_status(200).body;
        assert_eq!(content(&restored["config"]), content(&seeded), "{game}");
        assert_eq!(restored["config"], load(&admin, path).await, "{game}");
        assert_eq!(restored["stock_kept"], json!([]), "{game}");
        let listed = versions(&admin, path).await;
        assert_eq!(listed.len(), 3, "{game}");
        assert_eq!(
            listed[0]["restored_from"], restored["restored_from"],
            "{game}"
        );
        assert_eq!(listed[0]["restored_from"], 0, "{game}");
        assert_eq!(
            listed[0]["action"],
            format!("{}_RESTORE", game.to_uppercase())
        );
        // Again it changes nothing, and leaves no trace.
        let before = app.test.count(AUDIT).await;
        for version in [&listed[0], &listed[2]] {
            admin
                .post(&back(path, version), &json!({}))
                .await
                .expect_status(200);
        }
        assert_eq!(app.test.count(AUDIT).await, before, "{game}");
        // The wrong one is there to be had too, and page by page they are the same.
        admin
            .post(&back(path, &listed[1]), &json!({}))
            .await
            .expect_status(200);
        assert_eq!(
            content(&load(&admin, path).await),
            content(&spoilt),
            "{game}"
        );
        let all = versions(&admin, path).await;
        let mut paged = Vec::new();
        let mut cursor = String::new();
        for _ in 0..=all.len() {
            let page = format!("{path}/versions?limit=1&cursor={cursor}");
            let page = load(&admin, &page).await;
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(paged, all, "{game}");
        let behind = load(&admin, &format!("{path}/versions?cursor=0")).await;
        assert_eq!(behind, json!({ "items": [], "next_cursor": null }));
    }
    assert_books_are_in_order(&app).await;
}

#[tokio::test]
async fn an_operator_whom_an_older_version_anonymised_signs_no_version() {
    let app = TestApp::start().await;
    let (gone, admin) = (app.admin("gone").await, app.admin("operator").await);
    save(&gone, ROULETTE, &json!({ "max_daily_spins": 7 })).await;
    save(&admin, ROULETTE, &json!({ "max_daily_spins": 8 })).await;
    let signed = async || {
        let listed = versions(&admin, ROULETTE).await.into_iter();
        listed
            .map(|version| version["saved_by"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        signed().await,
        [json!("operator"), json!("gone"), Value::Null]
    );
    app.test
        .execute(&format!(
            "UPDATE user_profiles SET anonymised_at = '2025-12-26 00:00:00.000000' WHERE user_id = {}",
            gone.identity().user_id
        ))
        .await;
    assert_eq!(
        signed().await,
        [json!("operator"), json!("(anonymised)"), Value::Null]
    );
}

#[tokio::test]
async fn whether_a_game_is_on_is_not_put_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let wheel = load(&admin, ROULETTE).await;
    let new = json!({ "name": "둘째", "segments": wheel["segments"].as_array().unwrap().iter()
        .map(|it| json!({ "index": it["index"], "label": it["label"], "weight": 5, "reward_type": "NONE" }))
        .collect::<Vec<_>>() });
    let new = admin
        .post("/admin/api/roulette-config/", &new)
        .await
        .expect_status(201)
        .body;
    let second = format!("/admin/api/roulette-config/{}", new["id"]);
    let created = versions(&admin, &second).await;
    assert_eq!(
        (created.len(), &created[0]["action"]),
        (1, &json!("ROULETTE_CREATE"))
    );
    save(
        &admin,
        &second,
        &json!({ "is_active": true, "max_daily_spins": 2 }),
    )
    .await;
    // The other one was switched off by it, which is a version of it.
    let listed = versions(&admin, ROULETTE).await;
    assert_eq!(listed[0]["action"], "ROULETTE_SWITCH_OFF");
    assert_eq!(listed[0]["config"]["is_active"], false);
    assert_eq!(listed[1]["config"]["is_active"], true);
    let restored = admin.post(&back(&second, &created[0]), &json!({})).await;
    let restored = restored.expect_status(200).body;
    let seen = (
        &restored["config"]["is_active"],
        &restored["config"]["max_daily_spins"],
    );
    assert_eq!(seen, (&json!(true), &json!(0)));
    admin
        .post(&back(ROULETTE, &listed[1]), &json!({}))
        .await
        .expect_status(200);
    assert_eq!(load(&admin, ROULETTE).await["is_active"], false);
    assert_eq!(load(&admin, &second).await["is_active"], true);
}

#[tokio::test]
async fn what_cannot_be_put_back_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let bundle =
        json!({ "name": "선물", "items": [{ "reward_type": "POINT", "reward_amount": 5 }] });
    let bundle = admin
        .post("/admin/api/bundles/", &bundle)
        .await
        .expect_status(201)
        .body;
    let segment = |edit: Value| {
        let segments = (0..6).map(|index| {
            if index == 2 {
                edit.clone()
            } else {
                json!({ "index": index })
            }
        });
        json!({ "segments": segments.collect::<Vec<_>>() })
    };
    let named = json!({ "index": 2, "reward_type": "BUNDLE", "reward_item": bundle["id"] });
    save(&admin, ROULETTE, &segment(named)).await;
    let now = save(
        &admin,
        ROULETTE,
        &segment(json!({ "index": 2, "reward_type": "NONE" })),
    )
    .await;
    app.test.execute("DELETE FROM reward_bundle_item").await;
    app.test.execute("DELETE FROM reward_bundle").await;
    let before = app.test.count(AUDIT).await;
    let listed = versions(&admin, ROULETTE).await;
    let refused = admin.post(&back(ROULETTE, &listed[1]), &json!({})).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
    assert!(
        refused["error"]["details"]["segments.2.reward_item"].is_array(),
        "{refused}"
    );

    // Somebody else has saved it meanwhile.
    let stale = json!({ "version": listed[1]["config"]["version"] });
    let path = back(ROULETTE, &listed[2]);
    admin
        .post(&path, &stale)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let request = admin
        .request(Method::POST, &path)
        .header("if-match", "\"0123456789abcdef\"");
    admin
        .send(request)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    // Another configuration's version, and none at all.
    save(
        &admin,
        "/admin/api/dice-config/1",
        &json!({ "max_daily_plays": 9 }),
    )
    .await;
    let foreign = versions(&admin, "/admin/api/dice-config/1").await;
    let dice = json!({ "id": foreign[0]["id"] });
    for version in [
        &dice,
        &json!({ "id": 999_999 }),
        &json!({ "id": -1 }),
        &json!({ "id": "x" }),
    ] {
        let id = version["id"].to_string().replace('"', "");
        let path = format!("{ROULETTE}/versions/{id}/restore");
        let refused = admin.post(&path, &json!({})).await;
        refused.expect_error(404, "CONFIG_VERSION_NOT_FOUND");
    }
    let missing = "/admin/api/roulette-config/99/versions";
    admin
        .get(missing)
        .await
        .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    let missing = format!("{missing}/0/restore");
    admin
        .post(&missing, &json!({}))
        .await
        .expect_error(404, "ROULETTE_CONFIG_NOT_FOUND");
    assert_eq!(load(&admin, ROULETTE).await, now);
    assert_eq!(app.test.count(AUDIT).await, before + 1);
    // With the version that is in force it is done.
    let seen = json!({ "version": now["version"] });
    admin.post(&path, &seen).await.expect_status(200);
}

/// A player with so many tickets.
async fn ticketed(app: &TestApp, name: &str, tickets: u32) -> Client {
    let player = app.player(name, 0).await;
    app.give(player.identity(), Asset::LotteryTicket, tickets)
        .await;
    player
}

/// How many players play at once in a test, and how often each of them.
const PLAYERS: usize = 12;
const PLAYS: usize = 6;

async fn crowd(app: &TestApp) -> Vec<Client> {
    let mut players = Vec::new();
    for player in 0..PLAYERS {
        players.push(ticketed(app, &format!("elf-{player}"), 40).await);
    }
    players
}

/// Edits each prize by its label.
fn prizes(edits: &[Value]) -> Value {
    let known = [
        "다음 기회에",
        "주사위 티켓 3장",
        "룰렛 티켓 3장",
        "3,000 포인트",
        "배민 2만",
    ];
    let edit = |label: &str| {
        let mut all = edits.iter();
        let edit = all.find(|edit| edit["label"] == label).cloned();
        edit.unwrap_or_else(|| json!({ "label": label }))
    };
    json!({ "prizes": known.map(edit) })
}

#[tokio::test]
async fn stock_that_was_won_does_not_come_back_with_the_table() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = ticketed(&app, "santa", 50).await;
    // Only points can be won: 10 of them, which are limited; and coupons, which never come up.
    let rigged = prizes(&[
        json!({ "label": "다음 기회에", "weight": 0 }),
        json!({ "label": "주사위 티켓 3장", "weight": 0 }),
        json!({ "label": "룰렛 티켓 3장", "weight": 0 }),
        json!({ "label": "3,000 포인트", "weight": 9, "stock": 10 }),
        json!({ "label": "배민 2만", "weight": 0, "stock": 20 }),
    ]);
    let good = save(&admin, LOTTERY, &rigged).await;
    let good_version = versions(&admin, LOTTERY).await[0].clone();
    win(&player, 4).await;
    // By mistake no limit any more, another weight and reward; and the coupons, which nobody has won, are
    // removed.
    let mut wrong = prizes(&[
        json!({ "label": "3,000 포인트", "stock": null, "weight": 3, "reward_type": "POINT",
            "reward_value": 900_000 }),
    ]);
    wrong["prizes"].as_array_mut().unwrap().pop();
    save(&admin, LOTTERY, &wrong).await;
    win(&player, 1).await;
    let restored = admin.post(&back(LOTTERY, &good_version), &json!({})).await;
    let restored = restored.expect_status(200).body;
    // Limited again: 4 were won of the 10, and one while there was no limit.
    let kept = json!([{ "prize_id": good["prizes"][3]["id"], "label": "3,000 포인트",
        "stock": 5, "stock_then": 10 }]);
    assert_eq!(restored["stock_kept"], kept);
    let terms = |prize: &Value| {
        json!([
            prize["label"],
            prize["weight"],
            prize["reward_value"],
            prize["reward_item"]
        ])
    };
    let all = |config: &Value| -> Vec<Value> {
        config["prizes"]
            .as_array()
            .unwrap()
            .iter()
            .map(terms)
            .collect()
    };
    assert_eq!(all(&restored["config"]), all(&good));
    assert_eq!(restored["config"]["prizes"][3]["stock"], 5);
    // A new row, for nobody had won it: with the version's number.
    assert_ne!(
        restored["config"]["prizes"][4]["id"],
        good["prizes"][4]["id"]
    );
    assert_eq!(restored["config"]["prizes"][4]["stock"], 20);
    assert_books_are_in_order(&app).await;

    // A limit that counts: what was won meanwhile stays won.
    save(
        &admin,
        LOTTERY,
        &prizes(&[json!({ "label": "3,000 포인트", "stock": 7 })]),
    )
    .await;
    let limited = versions(&admin, LOTTERY).await[0].clone();
    win(&player, 2).await;
    save(
        &admin,
        LOTTERY,
        &prizes(&[json!({ "label": "룰렛 티켓 3장", "weight": 9 })]),
    )
    .await;
    let restored = admin.post(&back(LOTTERY, &limited), &json!({})).await;
    let restored = restored.expect_status(200).body;
    assert_eq!(restored["config"]["prizes"][3]["stock"], 5);
    assert_eq!(restored["stock_kept"][0]["stock_then"], 7);
    assert_eq!(all(&restored["config"]), all(&limited["config"]));
    assert_books_are_in_order(&app).await;
}

/// A lottery of which only points come up, so many of them; the version with this number.
async fn only_points(app: &TestApp, admin: &Client, stock: i64) -> Value {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let rigged = prizes(&[
        json!({ "label": "다음 기회에", "weight": 0 }),
        json!({ "label": "주사위 티켓 3장", "weight": 0 }),
        json!({ "label": "룰렛 티켓 3장", "weight": 0 }),
        json!({ "label": "3,000 포인트", "weight": 9, "stock": stock }),
        json!({ "label": "배민 2만", "weight": 0 }),
    ]);
    save(admin, LOTTERY, &rigged).await;
    versions(admin, LOTTERY).await[0].clone()
}

async fn set_points(app: &TestApp, admin: &Client, stock: Value) {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let edit = prizes(&[json!({ "label": "3,000 포인트", "stock": stock })]);
    save(admin, LOTTERY, &edit).await;
}

/// Puts a version back, and says what is left of the points.
async fn points_after(app: &TestApp, admin: &Client, version: &Value) -> Value {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let restored = admin.post(&back(LOTTERY, version), &json!({})).await;
    let restored = restored.expect_status(200).body;
    assert_books_are_in_order(app).await;
    let points = &restored["config"]["prizes"][3];
    assert_eq!(points["label"], "3,000 포인트");
    points["stock"].clone()
}

async fn win(player: &Client, times: usize) {
    for _ in 0..times {
        let play = player.play("/api/lottery/play").await;
        let play = play.expect_status(200).body;
        assert_eq!(play["prize"]["label"], "3,000 포인트");
    }
}

#[tokio::test]
async fn a_number_that_was_set_since_goes_back_without_what_was_won() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = ticketed(&app, "santa", 50).await;
    let first = versions(&admin, LOTTERY).await[0].clone();
    // Won before the version, which counts for nothing.
    only_points(&app, &admin, 90).await;
    win(&player, 2).await;

    // Raised by mistake: 2,000 in place of 20.
    let good = only_points(&app, &admin, 20).await;
    win(&player, 3).await;
    set_points(&app, &admin, json!(2_000)).await;
    win(&player, 4).await;
    assert_eq!(points_after(&app, &admin, &good).await, 13);
    // Put back again it changes nothing, also after somebody has won.
    let before = app.test.count(AUDIT).await;
    assert_eq!(points_after(&app, &admin, &good).await, 13);
    win(&player, 1).await;
    assert_eq!(points_after(&app, &admin, &good).await, 12);
    assert_eq!(app.test.count(AUDIT).await, before);

    // Lowered: no more than there is now.
    let good = only_points(&app, &admin, 20).await;
    set_points(&app, &admin, json!(3)).await;
    win(&player, 1).await;
    assert_eq!(points_after(&app, &admin, &good).await, 2);

    // More was won without a limit than there was of it.
    let good = only_points(&app, &admin, 4).await;
    win(&player, 1).await;
    set_points(&app, &admin, Value::Null).await;
    win(&player, 5).await;
    assert_eq!(points_after(&app, &admin, &good).await, 0);

    // What had no limit keeps the one that it has now.
    set_points(&app, &admin, Value::Null).await;
    let unlimited = versions(&admin, LOTTERY).await[0].clone();
    set_points(&app, &admin, json!(6)).await;
    assert_eq!(points_after(&app, &admin, &unlimited).await, 6);

    // What was there before the log began: 500 points, of which 17 were won.
    let then = first["config"]["prizes"][3]["stock"].as_i64().unwrap();
    assert_eq!(then, 500);
    set_points(&app, &admin, Value::Null).await;
    assert_eq!(points_after(&app, &admin, &first).await, then - 17);
}

#[tokio::test]
async fn a_prize_that_was_removed_and_made_again_goes_back_without_what_was_won() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = ticketed(&app, "santa", 9).await;
    let good = only_points(&app, &admin, 20).await;
    let mut without = prizes(&[json!({ "label": "다음 기회에", "weight": 1 })]);
    without["prizes"].as_array_mut().unwrap().remove(3);
    save(&admin, LOTTERY, &without).await;
    let again = json!({ "label": "3,000 포인트", "weight": 9, "reward_type": "POINT",
        "reward_value": 3_000, "stock": null });
    let again = prizes(&[json!({ "label": "다음 기회에", "weight": 0 }), again]);
    let again = save(&admin, LOTTERY, &again).await;
    // A new row, and so the last one.
    let id = again["prizes"][4]["id"].clone();
    assert_eq!(again["prizes"][4]["label"], "3,000 포인트");
    assert_ne!(id, good["config"]["prizes"][3]["id"]);
    win(&player, 6).await;
    let restored = admin.post(&back(LOTTERY, &good), &json!({})).await;
    let restored = restored.expect_status(200).body;
    let points = &restored["config"]["prizes"][4];
    assert_eq!((&points["id"], &points["stock"]), (&id, &json!(14)));
    let kept = json!([{ "prize_id": id, "label": "3,000 포인트", "stock": 14, "stock_then": 20 }]);
    assert_eq!(restored["stock_kept"], kept);
    assert_books_are_in_order(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limit_that_is_lifted_while_players_play_comes_back_without_what_they_won() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let players = crowd(&app).await;
    let good = only_points(&app, &admin, 100).await;
    let lift = prizes(&[json!({ "label": "3,000 포인트", "stock": null })]);
    let edits = async {
        for _ in 0..PLAYS {
            save(&admin, LOTTERY, &lift).await;
            let restored = admin.post(&back(LOTTERY, &good), &json!({})).await;
            restored.expect_status(200);
        }
    };
    let plays = join_all(players.iter().map(|player| win(player, PLAYS)));
    futures_util::join!(plays, edits);
    // Whoever was drawn without a limit and won after it was back is counted too.
    let left = i64::try_from(100 - PLAYERS * PLAYS).unwrap();
    assert_eq!(points_after(&app, &admin, &good).await, left);
}

#[tokio::test]
async fn a_table_goes_back_while_players_play_and_every_play_names_the_table_it_was_drawn_from() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let players = crowd(&app).await;
    let good = prizes(&[
        json!({ "label": "다음 기회에", "weight": 1 }),
        json!({ "label": "3,000 포인트", "weight": 3, "stock": 30 }),
    ]);
    save(&admin, LOTTERY, &good).await;
    let odds = "SELECT COUNT(DISTINCT odds_id) FROM feature_log";
    let last = "SELECT odds_id FROM feature_log WHERE id = (SELECT MAX(id) FROM feature_log)";
    let play = async |player: &Client| {
        player
            .play("/api/lottery/play")
            .await
            .expect_status(200)
            .body
    };
    play(&players[0]).await;
    let drawn_from = app.test.count(last).await;
    let version = versions(&admin, LOTTERY).await[0].clone();
    let wrong = prizes(&[json!({ "label": "3,000 포인트", "weight": 900 })]);
    let edits = async {
        for _ in 0..PLAYS {
            save(&admin, LOTTERY, &wrong).await;
            let restored = admin.post(&back(LOTTERY, &version), &json!({})).await;
            restored.expect_status(200);
        }
    };
    let plays = join_all(players.iter().map(async |player| {
        let mut won = 0;
        for _ in 0..PLAYS {
            won += i64::from(play(player).await["prize"]["label"] == "3,000 포인트");
        }
        won
    }));
    let (won, ()) = futures_util::join!(plays, edits);
    let won: i64 = won.iter().sum();
    let left = load(&admin, LOTTERY).await["prizes"][3]["stock"]
        .as_i64()
        .unwrap();
    let first = "SELECT COUNT(*) FROM reward_log WHERE label = '3,000 포인트'";
    assert!(left <= 30 - won, "{left} are left after {won}");
    assert_eq!(app.test.count(first).await, 30 - left);
    assert!(app.test.count(odds).await >= 1);
    assert_books_are_in_order(&app).await;
    // The table that was put back is the very one of before: unless the stock has run out, its odds are too.
    if left > 0 {
        play(&players[0]).await;
        assert_eq!(app.test.count(last).await, drawn_from);
    }
}
