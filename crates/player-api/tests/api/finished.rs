//! Answers that are kept in a shared cache (`xmas_http::finished`).

use std::sync::Arc;

use serde_json::json;
use xmas_activity::EventWriter;
use xmas_cache::fake::FakeCache;
use xmas_kernel::{Asset, CouponKindId, entropy::OsEntropy, seal::DataKey};
use xmas_rewards::{CouponCode, RewardDesk, Rewards};
use xmas_test_support::{AppBuilder, TestApp};
use xmas_time::Clock;

fn answers(cache: &FakeCache) -> usize {
    cache.values("answer:").len()
}

async fn app(cache: &Arc<FakeCache>) -> TestApp {
    AppBuilder::default().cache(cache.clone()).start().await
}

#[tokio::test]
async fn a_finished_answer_is_repeated_byte_for_byte_without_a_statement() {
    let cache = Arc::new(FakeCache::default());
    let app = app(&cache).await;
    let player = app.player("santa", 2).await;
    let stamp = json!({ "source_feature_type": "ROULETTE" });
    let report = json!({ "event_type": "PLAY_DURATION", "value": 30,
        "event_id": "6f1d3a52-9c1b-4b52-8a3e-0f4b5d1c2e3f" });
    for (kept, (path, body, key)) in (1..).zip([
        ("/api/roulette/play", None, "play"),
        ("/api/season-pass/stamp", Some(&stamp), "stamp"),
        ("/api/activity/record", Some(&report), "record"),
    ]) {
        let send = async || match body {
            Some(body) => player.post_keyed(path, body, key).await,
            None => player.play_keyed(path, key).await,
        };
        let first = send().await.expect_status(200);
        assert!(!first.is_replayed());
        assert_eq!(answers(&cache), kept, "{path}");
        let statements = app.statements();
        let again = send().await.expect_status(200);
        assert!(again.is_replayed(), "{path}");
        assert_eq!(app.statements(), statements, "{path}");
        // The database repeats it as well, and the same.
        cache.lose(true);
        let stored = send().await.expect_status(200);
        cache.lose(false);
        assert!(stored.is_replayed() && app.statements() > statements);
        for repeated in [again, stored] {
            assert_eq!(repeated.text, first.text, "{path}");
            let content_type = "content-type";
            assert_eq!(repeated.headers[content_type], first.headers[content_type]);
        }
    }
    let plays = app.test.count("SELECT COUNT(*) FROM feature_log").await;
    assert_eq!(plays, 1);
}

#[tokio::test]
async fn only_the_same_request_of_the_same_player_finds_it() {
    let cache = Arc::new(FakeCache::default());
    let app = app(&cache).await;
    let player = app.player("santa", 3).await;
    let other = app.player("rudolf", 3).await;
    let first = player.play_keyed("/api/roulette/play", "k").await;
    let first = first.expect_status(200);
    // With another request the key is used up, as the database says.
    for path in ["/api/dice/play", "/api/lottery/play"] {
        let reused = player.play_keyed(path, "k").await;
        reused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    }
    let own = other.play_keyed("/api/roulette/play", "k").await;
    let own = own.expect_status(200);
    assert!(!own.is_replayed());
    let play = |answer: &xmas_test_support::Answer| answer.body["receipt"]["play_id"].clone();
    assert_ne!(play(&own), play(&first));
    // Nor does somebody find it whose token is none.
    let nobody = app.anonymous().play_keyed("/api/roulette/play", "k").await;
    nobody.expect_error(401, "AUTH_REQUIRED");

    // Whoever is blocked sees their own answer again, and does nothing more.
    app.test.block(&player.identity()).await;
    let again = player.play_keyed("/api/roulette/play", "k").await;
    assert_eq!(again.expect_status(200).text, first.text);
    for key in ["new", "K"] {
        let refused = player.play_keyed("/api/roulette/play", key).await;
        refused.expect_error(403, "USER_BLOCKED");
    }
    let plays = app.test.count("SELECT COUNT(*) FROM feature_log").await;
    assert_eq!(plays, 2);
}

#[tokio::test]
async fn refusals_and_requests_without_a_key_are_not_kept() {
    let cache = Arc::new(FakeCache::default());
    let app = app(&cache).await;
    let player = app.player("santa", 0).await;
    let refused = player.play_keyed("/api/roulette/play", "k").await;
    refused.expect_error(400, "NOT_ENOUGH_TOKENS");
    assert_eq!(answers(&cache), 0);
    app.give(player.identity(), Asset::RouletteCoin, 1).await;
    let played = player.play_keyed("/api/roulette/play", "k").await;
    assert!(!played.expect_status(200).is_replayed());
    assert_eq!(answers(&cache), 1);
    app.give(player.identity(), Asset::RouletteCoin, 1).await;
    player.play("/api/roulette/play").await.expect_status(200);
    assert_eq!(answers(&cache), 1);
}

#[tokio::test]
async fn no_coupon_is_ever_kept() {
    let cache = Arc::new(FakeCache::default());
    let app = app(&cache).await;
    let kind = "SELECT id FROM coupon_kind WHERE name = '배민 2만'";
    let kind = CouponKindId(app.test.count(kind).await);
    let desk = RewardDesk::new(
        app.test.db.clone(),
        DataKey::new("the data key of all tests, 32 bytes or more"),
        Arc::new(OsEntropy),
        Rewards::new(EventWriter, 10_000),
    );
    let codes = ["BM20-0001", "BM20-0002"].map(|code| CouponCode::try_from(code).unwrap());
    let tx = app.test.db.begin().await.unwrap();
    let added = desk.add_codes_in_tx(&tx, kind, &codes, app.clock.now());
    added.await.unwrap();
    tx.commit().await.unwrap();
    app.test
        .execute("UPDATE lottery_prize SET weight = CASE WHEN label = '배민 2만' THEN 1 ELSE 0 END")
        .await;
    app.test
        .execute(&format!(
            "UPDATE season_pass_level SET reward_type = 'COUPON', reward_amount = 1, is_manual = FALSE, \
             reward_item = {} WHERE level = 7",
            kind.0
        ))
        .await;
    let player = app.player("santa", 0).await;
    let user = player.identity();
    app.give(user, Asset::LotteryTicket, 2).await;
    app.test
        .execute(&format!(
            "INSERT INTO season_pass_progress VALUES ({}, 1, 1600, 0, 0, 0, NULL, 0, \
             '2025-12-26 00:00:00.000000')",
            user.user_id.0
        ))
        .await;
    let level = json!({ "level": 7 });
    let claim = async || {
        let claimed = player.post_keyed("/api/season-pass/claim", &level, "c");
        claimed.await.expect_status(200)
    };
    let draw = async || {
        let drawn = player.play_keyed("/api/lottery/play", "d");
        drawn.await.expect_status(200)
    };
    let (claimed, drawn) = (claim().await, draw().await);
    assert_eq!(claimed.body["coupon_code"], "BM20-0001", "{}", claimed.text);
    assert_eq!(drawn.body["receipt"]["coupon_code"], "BM20-0002");
    for (first, again) in [(claimed, claim().await), (drawn, draw().await)] {
        assert!(again.is_replayed());
        assert_eq!(again.text, first.text);
    }
    // Nor one that waits for a code.
    let waits = player.play_keyed("/api/lottery/play", "e").await;
    let waits = waits.expect_status(200);
    assert_eq!(waits.body["receipt"]["reward_state"], "PENDING_REVIEW");
    assert_eq!(answers(&cache), 0);
    let values = cache.values("");
    assert!(values.iter().all(|(_, value)| !value.contains("BM20")));
}
