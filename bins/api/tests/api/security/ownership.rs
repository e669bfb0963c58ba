//! Ids of others. No operation of players takes the id of a player, and the ids of things that they take find one's own only.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp, document};

use super::operations;

/// What players may send, by its name: how it could mean something of somebody else, and why it does not.
const SENT: [(&str, &str); 19] = [
    ("current_password", "one's own, whose token it is"),
    ("cursor", "a place in one's own history; tested below"),
    ("day", "of the event, the same for everybody"),
    ("event_id", "counts for whoever sends it; tested below"),
    ("event_type", "a word of a list"),
    ("everywhere", "of one's own sessions; tested below"),
    ("external_id", "with its password, to log in"),
    ("feature", "a word of a list"),
    ("idempotency-key", "one's own; tested below"),
    ("key", "of texts that everybody sees"),
    ("kind", "a word of a list"),
    ("level", "of the season, the same for everybody"),
    ("limit", "a number of rows"),
    ("meta_json", "kept, and read by nobody but operators"),
    ("new_password", "one's own, whose token it is"),
    ("odds_id", "of a public table"),
    ("password", "proves who one is"),
    ("play_id", "of one's own play; tested below"),
    ("refresh_token", "is the secret itself"),
];
/// The same, for what is no name of anything.
const AMOUNTS: [&str; 4] = ["source_feature_type", "top", "value", "xp_bonus"];

/// The names of everything that a schema takes.
fn names(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        names(document, &document["components"]["schemas"][name], found);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name.clone());
        names(document, field, found);
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            names(document, one, found);
        }
    }
    if schema["items"].is_object() {
        names(document, &schema["items"], found);
    }
}

#[test]
fn no_operation_of_players_takes_the_id_of_a_player() {
    let document = document();
    let mut sent = BTreeSet::new();
    for operation in operations().iter().filter(|it| !it.is_admin()) {
        let parameters = operation.is["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            sent.insert(parameter["name"].as_str().unwrap().to_owned());
        }
        let contents = operation.is["requestBody"]["content"].as_object();
        for media in contents.into_iter().flatten().map(|(_, media)| media) {
            names(&document, &media["schema"], &mut sent);
        }
    }
    let known = SENT.iter().map(|(name, _)| *name).chain(AMOUNTS);
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(sent, known, "say of each new name why it means nobody else");
}

/// Somebody who has something of everything.
async fn wealthy(app: &TestApp, name: &str) -> Client {
    let player = app.player(name, 3).await;
    for asset in [Asset::DiceToken, Asset::LotteryTicket, Asset::Point] {
        app.give(player.identity(), asset, 3).await;
    }
    for game in ["roulette", "dice", "lottery"] {
        let played = player.play(&format!("/api/{game}/play")).await;
        played.expect_status(200);
    }
    let source = json!({ "source_feature_type": "ROULETTE" });
    let stamped = player.post("/api/season-pass/stamp", &source).await;
    stamped.expect_status(200);
    player
}

/// All that a player sees of their own.
async fn seen_by(player: &Client) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/api/wallet",
        "/api/me/history?limit=200",
        "/api/season-pass/status",
        "/api/season-pass/internal-wins",
    ] {
        seen.push(player.get(path).await.expect_status(200).body);
    }
    seen
}

async fn history(player: &Client, query: &str) -> Vec<Value> {
    let page = player.get(&format!("/api/me/history?{query}")).await;
    let page = page.expect_status(200).body;
    page["items"].as_array().unwrap().clone()
}

/// The ids of somebody's receipts with their kinds.
fn ids(items: &[Value]) -> BTreeSet<String> {
    let id = |item: &Value| format!("{} {}", item["kind"], item["id"]);
    items.iter().map(id).collect()
}

#[tokio::test]
async fn with_every_id_of_another_player_nothing_of_theirs_is_seen_or_changed() {
    let app = TestApp::start().await;
    let victim = wealthy(&app, "the-victims-name").await;
    let other = wealthy(&app, "rudolf").await;
    let before = seen_by(&victim).await;
    let theirs = history(&victim, "limit=200").await;
    let play = theirs.iter().find(|item| item["kind"] == "PLAY").unwrap();
    let user_id = victim.identity().user_id;
    let mut asked = 0;
    // Where an id stands in a path, the document says so.
    for operation in operations().iter().filter(|it| !it.is_admin()) {
        // Whoever logs out or changes the password is looked at below.
        if operation.template.starts_with("/api/auth/") {
            continue;
        }
        for id in [play["id"].to_string(), user_id.to_string()] {
            let path = operation.template.replace("{play_id}", &id);
            let path = crate::openapi::filled(&path);
            // What nobody asks for is refused or ignored, and never obeyed.
            for path in [path.clone(), format!("{path}?user_id={id}")] {
                let answer = other.send(operation.request_to(&other, &path)).await;
                assert!(
                    !answer.text.contains("the-victims-name"),
                    "{}: {}",
                    operation.name(),
                    answer.text
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "{asked}");
    assert_eq!(seen_by(&victim).await, before);
}

#[tokio::test]
async fn somebody_else_s_play_is_as_if_it_were_not_there() {
    let app = TestApp::start().await;
    let victim = wealthy(&app, "santa").await;
    let other = wealthy(&app, "rudolf").await;
    let takes_play = |it: &super::Operation| it.template.contains("{play_id}");
    let operations = operations();
    let operations: Vec<_> = operations.iter().filter(|it| takes_play(it)).collect();
    assert_eq!(operations.len(), 1);
    let plays = history(&victim, "kind=play").await;
    assert_eq!(plays.len(), 3);
    for (operation, play) in operations
        .iter()
        .flat_map(|it| plays.iter().map(move |play| (it, play)))
    {
        let answer = async |id: &str| {
            let path = operation.template.replace("{play_id}", id);
            let answer = other.send(operation.request_to(&other, &path)).await;
            let mut body = answer.expect_error(404, "PLAY_NOT_FOUND").body;
            body["error"]["request_id"].take();
            body
        };
        assert_eq!(
            answer(&play["id"].to_string()).await,
            answer("999999").await
        );
    }
}

#[tokio::test]
async fn a_cursor_of_another_player_is_a_place_in_one_s_own_history() {
    let app = TestApp::start().await;
    let victim = wealthy(&app, "santa").await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let other = wealthy(&app, "rudolf").await;
    let own = ids(&history(&other, "limit=200").await);
    let theirs = ids(&history(&victim, "limit=200").await);
    assert!(own.is_disjoint(&theirs));
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = victim
            .get(&format!("/api/me/history?limit=1&cursor={cursor}"))
            .await;
        let page = page.expect_status(200).body;
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
        let found = ids(&history(&other, &format!("cursor={cursor}")).await);
        assert!(found.is_subset(&own), "{found:?}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[tokio::test]
async fn an_idempotency_key_of_another_player_replays_nothing() {
    let app = TestApp::start().await;
    let mut operations = operations();
    let takes_key = |it: &super::Operation| {
        let parameters = it.is["parameters"].as_array().into_iter().flatten();
        parameters
            .into_iter()
            .any(|it| it["name"] == "idempotency-key")
    };
    operations.retain(|it| !it.is_admin() && takes_key(it));
    assert_eq!(operations.len(), 6);
    let mut done = 0;
    for (number, operation) in operations.iter().enumerate() {
        let mut answers = Vec::new();
        for name in ["santa", "rudolf"] {
            let player = app.player(&format!("{name}-{number}"), 1).await;
            for asset in [Asset::DiceToken, Asset::LotteryTicket] {
                app.give(player.identity(), asset, 1).await;
            }
            let request = operation
                .request(&player)
                .header("idempotency-key", "the-same");
            let answer = player.send(request).await;
            assert!(!answer.is_replayed(), "{}", operation.name());
            answers.push((player, answer));
        }
        let [(_, first), (second, answer)] = &answers[..] else {
            panic!("two players");
        };
        assert_eq!(
            answer.status,
            first.status,
            "{}: {}",
            operation.name(),
            answer.text
        );
        if answer.status == 200 {
            done += 1;
            let again = operation
                .request(second)
                .header("idempotency-key", "the-same");
            let again = second.send(again).await;
            assert!(again.is_replayed(), "{}: {}", operation.name(), again.text);
            assert_eq!(again.body, answer.body);
        }
    }
    // Nobody has reached the level that the example of a claim names.
    assert_eq!(done, 5);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 6);
}

#[tokio::test]
async fn a_reported_event_is_kept_for_each_who_reports_it() {
    let app = TestApp::start().await;
    let report = json!({ "event_id": uuid::Uuid::new_v4(), "event_type": "ENTER_PAGE" });
    for name in ["santa", "rudolf"] {
        let player = app.player(name, 0).await;
        let answer = player.post("/api/activity/record", &report).await;
        let answer = answer.expect_status(200).body;
        assert_eq!(answer["user_id"], player.identity().user_id.0);
    }
    let kept =
        "SELECT COUNT(DISTINCT user_id) FROM user_event_log WHERE event_type = 'CLIENT_ENTER_PAGE'";
    assert_eq!(app.test.count(kept).await, 2);
}

#[tokio::test]
async fn sessions_of_others_go_on() {
    let app = TestApp::start().await;
    let victim = app.player("santa", 0).await;
    let session = app.login("santa").await.expect_status(200).body;
    let other = app.player("rudolf", 0).await;
    for everywhere in [false, true] {
        let logout = json!({ "everywhere": everywhere });
        let answer = other.post("/api/auth/logout", &logout).await;
        answer.expect_status(204);
    }
    victim.get("/api/wallet").await.expect_status(200);
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    // Somebody else's token beside it does not count.
    let other = app.player("elf", 0).await;
    let refreshed = other.post("/api/auth/refresh", &refresh).await;
    let refreshed = refreshed.expect_status(200).body;
    assert_eq!(refreshed["user"]["external_id"], "santa");
    let change = json!({ "current_password": "test-password", "new_password": "another one" });
    let changed = other.post("/api/auth/password", &change).await;
    changed.expect_status(200);
    app.login("santa").await.expect_status(200);
    let request = other.request(Method::POST, "/api/auth/logout");
    other.send(request).await.expect_error(401, "TOKEN_INVALID");
}
