use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_test_support::{Client, TestApp};

const PATH: &str = "/api/me/history";

/// Makes one segment of the roulette the only one that comes up.
async fn always(app: &TestApp, slot_index: i64) {
    app.test
        .execute(&format!(
            "UPDATE roulette_segment SET weight = 0 WHERE slot_index <> {slot_index}"
        ))
        .await;
}

async fn play(player: &Client) {
    player.play("/api/roulette/play").await.expect_status(200);
}

async fn stamp(player: &Client) {
    let source = json!({ "source_feature_type": "ROULETTE" });
    let stamp = player.post("/api/season-pass/stamp", &source).await;
    stamp.expect_status(200);
}

/// Much in one instant, and something later.
async fn a_day(app: &TestApp, player: &Client) {
    stamp(player).await;
    play(player).await;
    play(player).await;
    app.clock.advance(TimeDelta::minutes(1));
    play(player).await;
}

async fn page(player: &Client, query: &str, cursor: &str) -> (Vec<Value>, Option<String>) {
    let page = player.get(&format!("{PATH}?{query}&cursor={cursor}")).await;
    let page = page.expect_status(200).body;
    let next = page["next_cursor"].as_str().map(str::to_owned);
    assert_eq!(next.is_none(), page["next_cursor"].is_null());
    (page["items"].as_array().unwrap().clone(), next)
}

/// The whole history, page by page.
async fn pages(player: &Client, query: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(from) = cursor {
        let (items, next) = page(player, query, &from).await;
        pages.push(items);
        assert!(pages.len() < 100, "the pages have no end");
        cursor = next;
    }
    pages
}

async fn whole(player: &Client, query: &str) -> Vec<Value> {
    pages(player, query).await.concat()
}

fn names(items: &[Value]) -> BTreeSet<String> {
    let name = |item: &Value| format!("{} {}", item["kind"], item["id"]);
    items.iter().map(name).collect()
}

/// How many receipts the tables hold for a player.
async fn rows_of(app: &TestApp, player: &Client) -> usize {
    let user = player.identity().user_id;
    let mut rows = 0;
    for table in [
        "feature_log WHERE",
        "season_pass_stamp_log WHERE",
        "reward_log WHERE reward_type <> 'NONE' AND",
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} user_id = {user}");
        rows += app.test.count(&sql).await;
    }
    usize::try_from(rows).unwrap()
}

#[tokio::test]
async fn receipts_are_what_the_client_reads() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    always(&app, 1).await;
    stamp(&player).await;
    app.clock.advance(TimeDelta::seconds(1));
    play(&player).await;
    let items = whole(&player, "").await;
    let find = |kind: &str, reward_type: Value| {
        let found = items
            .iter()
            .find(|item| item["kind"] == kind && item["reward_type"] == reward_type);
        found.unwrap_or_else(|| panic!("{kind} {reward_type}: {items:?}"))
    };
    let play = find("PLAY", json!("TICKET_ROULETTE"));
    assert_eq!(items[0], *play, "the newest stands first");
    assert_eq!(play["at"], "2025-12-26T09:00:01.000000+09:00");
    assert_eq!(play["day"], "2025-12-26");
    assert_eq!(play["feature"], "ROULETTE");
    assert_eq!(play["outcome"]["label"], "룰렛 티켓 3장");
    assert_eq!(play["is_win"], true);
    assert_eq!(play["reward_amount"], 3);
    assert_eq!(play["reward_state"], "DELIVERED");
    assert_eq!((&play["nonce"], &play["attempt"]), (&json!(0), &json!(0)));
    assert!(play.as_object().unwrap().contains_key("odds_id"));
    let stamp = find("STAMP", Value::Null);
    assert_eq!(
        *stamp,
        json!({
            "kind": "STAMP",
            "id": stamp["id"],
            "at": "2025-12-26T09:00:00.000000+09:00",
            "day": "2025-12-26",
            "source_feature_type": "ROULETTE",
            "event_type": null,
            "xp": 20,
        })
    );
    // The prize of the play, and what level 1 paid by itself a second before.
    let rewards: Vec<_> = items
        .iter()
        .filter(|item| item["kind"] == "REWARD" && item["reward_type"] == "TICKET_ROULETTE")
        .collect();
    let [prize, level] = rewards[..] else {
        panic!("{rewards:?}")
    };
    assert_eq!(
        (&prize["reward_amount"], &prize["source"]),
        (&json!(3), &json!("PLAY"))
    );
    assert_eq!(prize["play_id"], play["id"]);
    assert_eq!(
        *level,
        json!({
            "kind": "REWARD",
            "id": level["id"],
            "at": "2025-12-26T09:00:00.000000+09:00",
            "day": "2025-12-26",
            "source": "SEASON_LEVEL",
            "play_id": null,
            "label": "룰렛 티켓 1장",
            "reward_type": "TICKET_ROULETTE",
            "reward_amount": 1,
            "state": "DELIVERED",
            "reason": null,
            "delivered_at": "2025-12-26T09:00:00.000000+09:00",
            "coupon_code": null,
        })
    );
    assert_eq!(find("REWARD", json!("XP"))["reward_amount"], 5);
}

#[tokio::test]
async fn nobody_s_history_is_an_empty_list() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let page = player.get(PATH).await.expect_status(200);
    assert_eq!(page.body, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn pages_of_any_size_hold_every_receipt_once_and_in_order() {
    let app = TestApp::start().await;
    let player = app.player("santa", 9).await;
    always(&app, 1).await;
    a_day(&app, &player).await;
    let items = whole(&player, "limit=200").await;
    assert_eq!(items.len(), rows_of(&app, &player).await);
    assert_eq!(names(&items).len(), items.len());
    let times: Vec<&str> = items
        .iter()
        .map(|item| item["at"].as_str().unwrap())
        .collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );
    let kinds: BTreeSet<&str> = items
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["PLAY", "REWARD", "STAMP"]));
    for limit in 1..=items.len() + 1 {
        let pages = pages(&player, &format!("limit={limit}")).await;
        let (last, full) = pages.split_last().unwrap();
        assert!(full.iter().all(|page| page.len() == limit), "{limit}");
        assert!((1..=limit).contains(&last.len()), "{limit}");
        assert_eq!(pages.concat(), items, "{limit}");
    }
}

#[tokio::test]
async fn what_happens_meanwhile_does_not_move_the_pages() {
    let app = TestApp::start().await;
    let player = app.player("santa", 9).await;
    a_day(&app, &player).await;
    let items = whole(&player, "").await;
    let (first, next) = page(&player, "limit=3", "").await;
    app.clock.advance(TimeDelta::seconds(1));
    play(&player).await;
    let mut seen = first;
    let mut cursor = next;
    while let Some(from) = cursor {
        let (items, next) = page(&player, "limit=3", &from).await;
        seen.extend(items);
        cursor = next;
    }
    assert_eq!(seen, items);
}

#[tokio::test]
async fn one_kind_can_be_asked_for() {
    let app = TestApp::start().await;
    let player = app.player("santa", 9).await;
    a_day(&app, &player).await;
    let items = whole(&player, "").await;
    for (kind, spellings) in [
        ("PLAY", ["play", "PLAY", "Play"]),
        ("STAMP", ["stamp", "STAMP", "stAmp"]),
        ("REWARD", ["reward", "REWARD", "Reward"]),
    ] {
        let of_kind: Vec<Value> = items
            .iter()
            .filter(|item| item["kind"] == kind)
            .cloned()
            .collect();
        assert!(!of_kind.is_empty(), "{kind}");
        for spelling in spellings {
            for limit in [1, 2, 200] {
                let query = format!("kind={spelling}&limit={limit}");
                assert_eq!(whole(&player, &query).await, of_kind, "{query}");
            }
        }
    }
    // A cursor of another kind is a place in time like any other.
    let (_, next) = page(&player, "kind=play&limit=1", "").await;
    let (stamps, _) = page(&player, "kind=stamp", &next.unwrap()).await;
    assert_eq!(stamps.len(), 1);
}

#[tokio::test]
async fn a_play_that_brought_nothing_is_one_receipt() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    always(&app, 0).await;
    play(&player).await;
    let items = whole(&player, "").await;
    let kinds: Vec<Value> = items
        .iter()
        .map(|item| json!([item["kind"], item["reward_type"]]))
        .collect();
    assert_eq!(kinds, [json!(["PLAY", "NONE"]), json!(["REWARD", "XP"])]);
    assert_eq!(items[0]["is_win"], false);
}

#[tokio::test]
async fn a_reward_that_waits_says_why_and_shows_no_code() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let user = player.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, label, \
             state, reason, event_day, created_at) VALUES ({user}, 'play:17', 'PLAY', 'COUPON', 1, \
             '배민 2만', 'PENDING_REVIEW', 'NO_COUPON_LEFT', '2025-12-26', \
             '2025-12-26 00:00:00.123456')"
        ))
        .await;
    let items = whole(&player, "").await;
    assert_eq!(
        items,
        [json!({
            "kind": "REWARD",
            "id": items[0]["id"],
            "at": "2025-12-26T09:00:00.123456+09:00",
            "day": "2025-12-26",
            "source": "PLAY",
            "play_id": 17,
            "label": "배민 2만",
            "reward_type": "COUPON",
            "reward_amount": 1,
            "state": "PENDING_REVIEW",
            "reason": "NO_COUPON_LEFT",
            "delivered_at": null,
            "coupon_code": null,
        })]
    );
}

#[tokio::test]
async fn nobody_sees_another_player_s_receipts() {
    let app = TestApp::start().await;
    let (santa, rudolf) = (app.player("santa", 9).await, app.player("rudolf", 9).await);
    // Between each other in time and in id.
    stamp(&santa).await;
    stamp(&rudolf).await;
    for _ in 0..3 {
        play(&rudolf).await;
        play(&santa).await;
    }
    let mut seen = BTreeSet::new();
    for player in [&santa, &rudolf] {
        let singly = whole(player, "limit=1").await;
        assert_eq!(singly.len(), rows_of(&app, player).await);
        for name in names(&singly) {
            assert!(seen.insert(name.clone()), "{name} is told to both");
        }
    }
    // Another player's cursor is a place in time, and shows nothing of theirs.
    let (_, next) = page(&rudolf, "limit=1", "").await;
    let (items, _) = page(&santa, "", &next.unwrap()).await;
    let own = names(&whole(&santa, "").await);
    assert!(names(&items).is_subset(&own));
}

#[tokio::test]
async fn bad_parameters_are_told_by_name() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for (parameter, values) in [
        (
            "cursor",
            &[
                "x",
                "0",
                "%00",
                "17",
                "1766707200000000-play",
                "1766707200000000-play-",
                "1766707200000000-play-x",
                "1766707200000000-PLAY-17",
                "1766707200000000-spin-17",
                "1766707200000000-play-017",
                "%2B1766707200000000-play-17",
                "-1-play-17",
                "253402300800000000-play-17",
                "9223372036854775807-play-17",
                "99999999999999999999-play-17",
                "1766707200000000-play-17'%20OR%201=1",
            ][..],
        ),
        ("kind", &["plays", "xp", "%20play", "1"][..]),
        ("limit", &["0", "201", "-1", "1.5", "all", ""][..]),
    ] {
        for value in values {
            let refused = player.get(&format!("{PATH}?{parameter}={value}")).await;
            let refused = refused.expect_error(422, "VALIDATION_ERROR");
            let problems = &refused.body["error"]["details"][parameter];
            assert!(problems.is_array(), "{value}: {}", refused.text);
        }
    }
    for good in [
        "cursor=0-play-0",
        "cursor=253402300799999999-reward-9223372036854775807",
        "cursor=&kind=&limit=200",
    ] {
        let page = player.get(&format!("{PATH}?{good}")).await;
        page.expect_status(200);
    }
}

#[tokio::test]
async fn only_a_player_who_may_act_sees_it() {
    let app = TestApp::start().await;
    for query in ["", "?cursor=x"] {
        let anonymous = app.anonymous().get(&format!("{PATH}{query}")).await;
        anonymous.expect_error(401, "AUTH_REQUIRED");
    }
    let admin = app.admin("root").await;
    admin.get(PATH).await.expect_error(403, "FORBIDDEN_SCOPE");
    let player = app.player("santa", 0).await;
    app.test.block(&player.identity()).await;
    player.get(PATH).await.expect_error(403, "USER_BLOCKED");
}
