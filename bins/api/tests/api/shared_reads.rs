//! What replicas read from a cache that they share, and what they do not.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_cache::fake::FakeCache;
use xmas_kernel::UserId;
use xmas_test_support::{AppBuilder, Client, TestApp};

const RANKING: &str = "/api/ranking/today";
const DASHBOARD: &str = "/admin/api/dashboard/metrics";

/// Two replicas on one database, with a cache in which nothing runs out.
async fn replicas() -> (TestApp, TestApp, Arc<FakeCache>) {
    let cache = Arc::new(FakeCache::default());
    let builder = || AppBuilder::default().cache(cache.clone());
    let one = builder().start().await;
    let other = builder().start_on(one.test.reconnected().await).await;
    (one, other, cache)
}

async fn read(client: &Client, path: &str) -> Value {
    client.get(path).await.expect_status(200).body
}

async fn enter(app: &TestApp, place: i64, player: UserId, name: &str) {
    for row in [
        format!(
            "INSERT INTO ranking_daily (event_day, place, user_id, display_name, score) \
             VALUES ('2025-12-26', {place}, {player}, '{name}', 5)"
        ),
        format!(
            "INSERT INTO external_ranking_data (user_id, deposit_amount, play_count, memo, \
             created_at, updated_at) VALUES ({player}, {}, 1, '단골', \
             '2025-12-26 00:00:00.000000', '2025-12-26 00:00:00.000000')",
            1_000 - place
        ),
    ] {
        app.test.execute(&row).await;
    }
}

#[tokio::test]
async fn boards_are_shared_but_neither_names_nor_one_s_own_place() {
    let (one, other, cache) = replicas().await;
    let santa = one.test.player("santa-01").await.user_id;
    let rudolf = one.player("rudolf-77", 0).await;
    let late = one.player("late", 0).await;
    enter(&one, 1, santa, "임꺽정").await;
    enter(&one, 2, rudolf.identity().user_id, "").await;
    let first = read(&rudolf, RANKING).await;
    assert_eq!(first["entries"][0]["display_name"], "임꺽정");
    let boards = cache.values("read:ranking:2025-12-26");
    assert_eq!(boards.len(), 1);
    for name in ["sa***", "santa", "산타", "단골"] {
        assert!(!boards[0].1.contains(name), "{}", boards[0].1);
    }

    let there = other.with_token(Some(rudolf.token()));
    let update = "UPDATE ranking_daily SET score = 6";
    one.test.execute(update).await;
    let before = other.statements();
    let again = read(&there, RANKING).await;
    let shared = other.statements() - before;
    assert_eq!(again["external_entries"], first["external_entries"]);
    for entry in again["entries"].as_array().unwrap() {
        assert_eq!(entry["score"], 5);
    }
    assert_eq!(again["my_entry"]["rank"], 2);
    // Without the copy each board is one statement more.
    cache.lose(true);
    let third = AppBuilder::default().cache(cache.clone());
    let third = third.start_on(one.test.reconnected().await).await;
    let before = third.statements();
    read(&third.with_token(Some(rudolf.token())), RANKING).await;
    assert_eq!(third.statements() - before, shared + 2);
    cache.lose(false);

    // Who is on no copy is looked for.
    enter(&one, 3, late.identity().user_id, "").await;
    let there = other.with_token(Some(late.token()));
    let mine = read(&there, RANKING).await;
    assert_eq!(mine["entries"].as_array().unwrap().len(), 2);
    assert_eq!(mine["my_entry"]["rank"], 3);
    assert_eq!(mine["my_external_entry"]["rank"], 3);

    // Whoever is forgotten is so at once, whatever a copy says.
    one.test.execute("UPDATE ranking_daily SET score = 7").await;
    let admin = one.admin("operator").await;
    let path = format!("/admin/api/users/{santa}/anonymise");
    admin.post(&path, &json!({})).await.expect_status(200);
    let kept = &cache.values("read:ranking:2025-12-26")[0].1;
    assert!(kept.contains("임꺽정"), "{kept}");
    // The replica that was asked reads past the copy.
    for (app, is_anew) in [(&other, false), (&one, true)] {
        let board = read(&app.with_token(Some(rudolf.token())), RANKING).await;
        assert_eq!(board["entries"][0]["score"] == 7, is_anew, "{board}");
        for list in ["entries", "external_entries"] {
            let text = board[list].to_string();
            for name in ["임꺽정", "sa***"] {
                assert!(!text.contains(name), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_operator_s_own_edit_is_seen_at_once_and_then_by_all() {
    let (one, other, cache) = replicas().await;
    let player = one.player("santa", 0).await;
    let admin = one.admin("operator").await;
    let there = other.with_token(Some(player.token()));
    let external = "/admin/api/external-ranking/";
    let deposits = |amount: i64| {
        let id = player.identity().user_id;
        json!([{ "user_id": id, "deposit_amount": amount, "play_count": 1 }])
    };
    for score in 1..=3 {
        let row = json!({ "items": [{ "rank": 1, "display_name": "손님", "score": score }] });
        let saved = admin.put("/admin/api/ranking/2025-12-26", &row).await;
        saved.expect_status(200);
        assert_eq!(read(&player, RANKING).await["entries"][0]["score"], score);
        let saved = admin.post(external, &deposits(score)).await;
        assert!([200, 201].contains(&saved.status), "{}", saved.text);
        let boards = read(&player, RANKING).await;
        assert_eq!(boards["external_entries"][0]["deposit_amount"], score);
        // Another replica that has no copy of its own reads what was put there.
        let third = AppBuilder::default().cache(cache.clone());
        let third = third.start_on(one.test.reconnected().await).await;
        let before = third.statements();
        assert_eq!(
            read(&third.with_token(Some(player.token())), RANKING).await,
            boards
        );
        assert!(third.statements() > before);
        read(&there, RANKING).await;
    }
}

#[tokio::test]
async fn a_copy_that_has_outlived_itself_is_not_shown() {
    let (one, other, _) = replicas().await;
    let player = one.player("santa-01", 0).await;
    enter(&one, 1, player.identity().user_id, "").await;
    read(&player, RANKING).await;
    one.test.execute("UPDATE ranking_daily SET score = 6").await;
    // The cache has not forgotten it, as one that was frozen would not have.
    other.clock.advance(TimeDelta::milliseconds(1_001));
    let there = other.with_token(Some(player.token()));
    assert_eq!(read(&there, RANKING).await["entries"][0]["score"], 6);
}

#[tokio::test]
async fn the_dashboard_is_counted_by_one_replica() {
    let (one, other, cache) = replicas().await;
    let admin = one.admin("operator").await;
    let player = one.player("santa", 1).await;
    let first = read(&admin, DASHBOARD).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let there = other.with_token(Some(admin.token()));
    assert_eq!(read(&there, DASHBOARD).await, first);
    // Another range is another report.
    let path = format!("{DASHBOARD}?range_hours=2");
    assert_eq!(read(&there, &path).await["total_plays"]["value"], 1);
    let reports = cache.values("read:dashboard:");
    let keys: Vec<&str> = reports.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["read:dashboard:2", "read:dashboard:24"]);
}

#[tokio::test]
async fn nothing_else_is_read_from_it() {
    let (one, _, cache) = replicas().await;
    let player = one.player("santa", 3).await;
    player.play("/api/roulette/play").await.expect_status(200);
    for game in ["roulette", "dice", "lottery"] {
        read(&player, &format!("/api/{game}/status")).await;
        read(&player, &format!("/api/odds/{game}")).await;
    }
    for path in [
        "/api/season-pass/status",
        "/api/wallet",
        "/api/me/history",
        "/api/season-pass/internal-wins",
        RANKING,
    ] {
        read(&player, path).await;
    }
    let kept = cache.values("");
    let keys: Vec<&str> = kept.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["read:ranking:2025-12-26"]);
}
