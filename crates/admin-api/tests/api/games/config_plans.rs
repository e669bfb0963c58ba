//! Tables of games that are announced, as operators make and players see them.

use chrono::TimeDelta;
use reqwest::{Method, header};
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};
use xmas_time::{Clock, DateTime, Kst, Utc};

const AUDIT: &str = "SELECT COUNT(*) FROM admin_audit_log";

/// Each game, and an edit that changes its odds.
fn games() -> [(&'static str, Value); 3] {
    let segments: Vec<Value> = (0..6)
        .map(|index| json!({ "index": index, "weight": index + 1 }))
        .collect();
    [
        ("roulette", json!({ "segments": segments })),
        (
            "dice",
            json!({ "win_reward_type": "POINT", "win_reward_value": 777 }),
        ),
        (
            "lottery",
            json!({ "prizes": [
                { "label": "다음 기회에", "weight": 1 },
                { "label": "배민 2만", "weight": 3 },
                { "label": "새 경품", "weight": 4, "stock": 9, "reward_type": "CC_COIN", "reward_value": 1 },
            ] }),
        ),
    ]
}

fn path(game: &str) -> String {
    format!("/admin/api/{game}-config/1")
}

fn later(app: &TestApp, minutes: i64) -> DateTime<Utc> {
    app.clock.now() + TimeDelta::minutes(minutes)
}

fn told(instant: DateTime<Utc>) -> Value {
    json!(Kst(instant).to_string())
}

async fn plan(admin: &Client, game: &str, body: &Value) -> Value {
    let answer = admin.post(&format!("{}/plans", path(game)), body).await;
    answer.expect_status(201).body
}

async fn load(client: &Client, path: &str) -> Value {
    client.get(path).await.expect_status(200).body
}

fn changes(history: &Value) -> Vec<(&str, Value)> {
    let items = history["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["change"].as_str().unwrap(), item["at"].clone()))
        .collect()
}

#[tokio::test]
async fn players_see_what_is_announced_and_then_play_it() {
    let app = TestApp::start().await;
    let (admin, anyone) = (app.admin("operator").await, app.anonymous());
    for (game, edit) in games() {
        let odds = format!("/api/odds/{game}");
        let before = load(&anyone, &odds).await;
        let (saved, instant) = (app.clock.now(), later(&app, 10));
        let body = json!({ "effective_from": told(instant), "config": edit });
        let planned = plan(&admin, game, &body).await;
        assert_eq!(
            (&planned["state"], &planned["planned"]["by"]),
            (&json!("PLANNED"), &json!("operator")),
            "{game}"
        );
        let shown = load(&anyone, &odds).await;
        assert_eq!(shown["odds_id"], before["odds_id"], "{game}");
        let next = &shown["next"][0];
        assert_eq!(next["effective_from"], told(instant));
        assert_eq!(next["announced_at"], told(saved));
        assert_eq!(next["odds_id"], planned["odds_id"]);
        assert_eq!(next["content_hash"], planned["content_hash"]);
        // Whoever knows its id sees it by itself.
        let by_id = load(&anyone, &format!("{odds}?odds_id={}", planned["odds_id"])).await;
        assert_eq!(by_id["content"], next["content"]);
        let csv = anyone.get(&format!("{odds}.csv")).await.expect_status(200);
        assert!(csv.text.contains(&Kst(instant).to_string()), "{game}");

        app.clock.set(instant);
        let player = app.player(&format!("player-{game}"), 1).await;
        for asset in [Asset::RouletteCoin, Asset::DiceToken, Asset::LotteryTicket] {
            app.give(player.identity(), asset, 1).await;
        }
        let play = match game {
            "dice" => "/api/dice/play",
            "lottery" => "/api/lottery/play",
            _ => "/api/roulette/play",
        };
        let played = player.play(play).await.expect_status(200).body;
        assert_eq!(played["receipt"]["odds_id"], planned["odds_id"], "{game}");
        let shown = load(&anyone, &odds).await;
        assert_eq!(shown["in_force_since"], told(instant), "{game}");
        assert_eq!(shown["next"], json!([]));
        let history = load(&anyone, &format!("{odds}/history")).await;
        let seen = changes(&history);
        let expected = [
            ("ANNOUNCED", told(saved)),
            ("TAKEN_OVER", told(instant)),
            ("IN_FORCE", told(instant)),
        ];
        assert_eq!(seen[seen.len() - 3..], expected, "{game}");

        let plans = load(&admin, &format!("{}/plans", path(game))).await;
        assert_eq!(plans["items"][0]["state"], "TAKEN_OVER");
        assert_eq!(plans["items"][0]["withdrawn"], Value::Null);
        let versions = load(&admin, &format!("{}/versions", path(game))).await;
        let version = &versions["items"][0];
        assert_eq!(version["plan_id"], planned["id"], "{game}");
        assert_eq!(version["since"], told(instant));
        assert_eq!(version["is_current"], true);
    }
}

#[tokio::test]
async fn what_is_announced_is_told_also_before_anything_is_in_force() {
    let app = TestApp::start().await;
    let (admin, anyone) = (app.admin("operator").await, app.anonymous());
    for (game, edit) in games() {
        let (odds, off) = (format!("/api/odds/{game}"), json!({ "is_active": false }));
        admin.put(&path(game), &off).await.expect_status(200);
        let code = format!("INVALID_{}_CONFIG", game.to_ascii_uppercase());
        anyone.get(&odds).await.expect_error(400, &code);
        let body = json!({ "effective_from": told(later(&app, 10)), "config": edit });
        let planned = plan(&admin, game, &body).await;
        let shown = load(&anyone, &odds).await;
        for nothing in ["odds_id", "content", "content_hash", "in_force_since"] {
            assert_eq!(shown[nothing], json!(null), "{game} {nothing}");
        }
        assert_eq!(shown["entries"], json!([]));
        let next = &shown["next"][0];
        assert_eq!(next["odds_id"], planned["odds_id"], "{game}");
        let csv = anyone.get(&format!("{odds}.csv")).await.expect_status(200);
        let entries = next["entries"].as_array().unwrap().len();
        assert_eq!(csv.text.lines().count(), 1 + entries, "{game}");
        app.clock.advance(TimeDelta::minutes(10));
        let shown = load(&anyone, &odds).await;
        assert_eq!(shown["odds_id"], planned["odds_id"], "{game}");
    }
}

#[tokio::test]
async fn a_plan_is_withdrawn_once_and_the_history_keeps_both() {
    let app = TestApp::start().await;
    let (admin, anyone) = (app.admin("operator").await, app.anonymous());
    for (game, edit) in games() {
        let odds = format!("/api/odds/{game}");
        let before = load(&anyone, &odds).await;
        let (saved, instant) = (app.clock.now(), later(&app, 10));
        let body = json!({ "effective_from": told(instant), "config": edit });
        let planned = plan(&admin, game, &body).await;
        let withdraw = format!("{}/plans/{}/withdraw", path(game), planned["id"]);
        app.clock.set(later(&app, 5));
        let gone = app.clock.now();
        let withdrawn = admin.post(&withdraw, &json!({})).await.expect_status(200);
        let withdrawn = withdrawn.body;
        assert_eq!(
            (&withdrawn["state"], &withdrawn["ended_at"]),
            (&json!("WITHDRAWN"), &told(gone)),
            "{game}"
        );
        assert_eq!(withdrawn["withdrawn"]["by"], "operator");
        let again = admin.post(&withdraw, &json!({})).await;
        again.expect_error(409, "PLAN_ENDED");
        for unknown in ["999", "x", "-1"] {
            let path = format!("{}/plans/{unknown}/withdraw", path(game));
            let refused = admin.post(&path, &json!({})).await;
            refused.expect_error(404, "PLAN_NOT_FOUND");
        }
        app.clock.set(instant);
        assert_eq!(load(&anyone, &odds).await["odds_id"], before["odds_id"]);
        let history = load(&anyone, &format!("{odds}/history")).await;
        let seen = changes(&history);
        let expected = [("ANNOUNCED", told(saved)), ("WITHDRAWN", told(gone))];
        assert_eq!(seen[seen.len() - 2..], expected, "{game}");
    }
    let logged = format!("{AUDIT} WHERE action LIKE '%_PLAN_WITHDRAW' AND actor = 'operator'");
    assert_eq!(app.test.count(&logged).await, 3);
}

#[tokio::test]
async fn what_cannot_be_announced_is_told_field_by_field() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.test.count(AUDIT).await;
    let plans = format!("{}/plans", path("lottery"));
    let soon = told(later(&app, 10));
    for (body, field) in [
        (json!({}), "effective_from"),
        (json!({ "effective_from": "tomorrow" }), "effective_from"),
        (
            json!({ "effective_from": told(app.clock.now()) }),
            "effective_from",
        ),
        (json!({ "effective_from": soon, "effect": 1 }), "effect"),
        (
            json!({ "effective_from": soon, "config": {}, "from_version": 0 }),
            "config",
        ),
        (
            json!({ "effective_from": soon, "config": { "is_active": false } }),
            "config.is_active",
        ),
        (
            json!({ "effective_from": soon, "config": { "prize": [] } }),
            "config.prize",
        ),
        (
            json!({ "effective_from": soon, "config": { "prizes": [
                { "label": "배민 2만", "stock": 500 }, { "label": "다음 기회에" },
            ] } }),
            "config.prizes.0.stock",
        ),
    ] {
        let refused = admin.post(&plans, &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let details = refused.body["error"]["details"].as_object().unwrap();
        assert_eq!(details.keys().collect::<Vec<_>>(), [field], "{body}");
    }
    let negative = json!({ "effective_from": soon, "config": { "prizes": [
        { "label": "다음 기회에", "weight": -1 },
    ] } });
    let refused = admin.post(&plans, &negative).await;
    refused.expect_error(400, "INVALID_LOTTERY_WEIGHT");
    let unknown = json!({ "effective_from": soon, "from_version": 999_999 });
    let refused = admin.post(&plans, &unknown).await;
    refused.expect_error(404, "CONFIG_VERSION_NOT_FOUND");
    let stale = json!({ "effective_from": soon, "config": { "version": "0000000000000000" } });
    let refused = admin.post(&plans, &stale).await;
    refused.expect_error(409, "VERSION_CONFLICT");
    let nowhere = json!({ "effective_from": soon });
    let refused = admin
        .post("/admin/api/lottery-config/9/plans", &nowhere)
        .await;
    refused.expect_error(404, "LOTTERY_CONFIG_NOT_FOUND");
    assert_eq!(app.test.count(AUDIT).await, before);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM odds_plan").await, 0);
}

#[tokio::test]
async fn a_version_is_announced_and_what_is_announced_is_not_deleted() {
    let app = TestApp::start().await;
    let (admin, anyone) = (app.admin("operator").await, app.anonymous());
    let first = load(&anyone, "/api/odds/roulette").await;
    let [(_, edit), ..] = games();
    admin.put(&path("roulette"), &edit).await.expect_status(200);
    let body = json!({ "effective_from": told(later(&app, 10)), "from_version": 0 });
    let planned = plan(&admin, "roulette", &body).await;
    assert_eq!(planned["odds_id"], first["odds_id"]);
    let refused = admin.delete(&path("roulette")).await;
    refused.expect_error(409, "CONFIG_IN_USE");
}

#[tokio::test]
async fn a_client_that_knows_the_odds_is_sent_nothing_until_they_change() {
    let app = TestApp::start().await;
    let (admin, anyone) = (app.admin("operator").await, app.anonymous());
    let paths =
        ["", ".csv", "/history", "/observed"].map(|rest| format!("/api/odds/lottery{rest}"));
    let mut tags = Vec::new();
    for path in &paths {
        let answer = anyone.get(path).await.expect_status(200);
        let tag = answer.headers[header::ETAG].clone();
        let known = anyone
            .request(Method::GET, path)
            .header(header::IF_NONE_MATCH, &tag);
        let known = anyone.send(known).await.expect_status(304);
        assert_eq!(known.headers[header::ETAG], tag, "{path}");
        tags.push(tag);
    }
    let [.., (_, edit)] = games();
    let body = json!({ "effective_from": told(later(&app, 10)), "config": edit });
    plan(&admin, "lottery", &body).await;
    app.app.keep_odds(app.clock.now()).await.unwrap();
    for (path, tag) in paths.iter().zip(&tags) {
        let known = anyone
            .request(Method::GET, path)
            .header(header::IF_NONE_MATCH, tag);
        let answer = anyone.send(known).await.expect_status(200);
        assert_ne!(answer.headers[header::ETAG], tag, "{path}");
    }
}
