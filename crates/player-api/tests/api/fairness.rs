use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use xmas_test_support::TestApp;

#[tokio::test]
async fn the_commitment_is_public_before_the_day_and_the_seed_ten_minutes_after_it() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let page = async || client.get("/api/fairness/2025-12-26").await;
    let today = page().await.expect_status(200).body;
    assert_eq!(
        (&today["revealed"], &today["seed"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(today["committed_at"], "2025-12-25T09:00:00.000000+09:00");
    assert_eq!(today["reveals_at"], "2025-12-27T00:10:00.000000+09:00");
    // Nine in the morning; the day ends in fifteen hours.
    let wait = TimeDelta::hours(15) + TimeDelta::minutes(10);
    app.clock.advance(wait - TimeDelta::microseconds(1));
    assert_eq!(page().await.body["seed"], json!(null));
    app.clock.advance(TimeDelta::microseconds(1));
    let after = page().await.body;
    assert_eq!(after["revealed"], true);
    let seed = hex::decode(after["seed"].as_str().unwrap()).unwrap();
    assert_eq!(seed.len(), 32);
    assert_eq!(today["commitment"], hex::encode(Sha256::digest(seed)));
    assert_eq!(after["commitment"], today["commitment"]);
}

#[tokio::test]
async fn a_day_of_which_nothing_is_known_is_not_found() {
    let app = TestApp::start().await;
    for day in [
        "2025-12-24",
        "2026-01-15",
        "2025-13-01",
        "today",
        "2025-12-26x",
    ] {
        let path = format!("/api/fairness/{day}");
        let unknown = app.anonymous().get(&path).await;
        unknown.expect_error(404, "DAY_NOT_FOUND");
    }
}

/// Whatever a client can ask for before the day is over, the seed is not in it.
#[tokio::test]
async fn no_answer_before_the_reveal_holds_the_seed() {
    let app = TestApp::start().await;
    let player = app.player("santa", 5).await;
    let play = player.play("/api/roulette/play").await.body;
    let draw = format!("/api/me/plays/{}/draw", play["receipt"]["play_id"]);
    let mut texts = vec![play.to_string()];
    for path in [
        "/api/fairness/2025-12-26",
        "/api/odds/roulette",
        "/api/me/history",
        "/api/roulette/status",
        "/api/season-pass/status",
        "/api/wallet",
        &draw,
    ] {
        texts.push(player.get(path).await.text);
    }
    player
        .get(&draw)
        .await
        .expect_error(400, "SEED_NOT_REVEALED");
    app.clock.advance(TimeDelta::hours(16));
    let seed = app.anonymous().get("/api/fairness/2025-12-26").await.body["seed"].clone();
    let seed = seed.as_str().unwrap();
    assert_eq!(seed.len(), 64);
    for text in texts {
        assert!(!text.contains(seed), "{text}");
    }
}
