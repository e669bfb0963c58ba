//! Many requests at once, over HTTP.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::join_all;
use serde_json::json;
use xmas_activity::{ActivityObserver, Event};
use xmas_kernel::db::DbError;
use xmas_players::LockedPlayer;
use xmas_test_support::{Answer, AppBuilder, TestApp};
use xmas_time::{DateTime, Utc};

/// How many answers there were of each kind: "OK", or the error's code.
fn tally(answers: &[Answer]) -> HashMap<String, usize> {
    let mut tally = HashMap::new();
    for answer in answers {
        let kind = if answer.status == 200 {
            "OK"
        } else {
            answer.code()
        };
        *tally.entry(kind.to_owned()).or_default() += 1;
    }
    tally
}

fn tallied<const N: usize>(kinds: [(&str, usize); N]) -> HashMap<String, usize> {
    kinds.map(|(kind, count)| (kind.to_owned(), count)).into()
}

/// Every wallet is the sum of its ledger, and every spend has its play and the other way round.
async fn assert_books_balance(app: &TestApp) {
    let wallets = app
        .test
        .count("SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet")
        .await;
    let ledger = app
        .test
        .count("SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger")
        .await;
    assert_eq!(wallets, ledger);
    let wrong = "SELECT COUNT(*) FROM user_game_wallet w WHERE balance <> (SELECT SUM(delta) \
                 FROM wallet_ledger l WHERE l.user_id = w.user_id AND l.asset = w.asset)";
    assert_eq!(app.test.count(wrong).await, 0);
    let plays = app.test.count("SELECT COUNT(*) FROM feature_log").await;
    let spends = "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'PLAY' AND delta < 0";
    assert_eq!(app.test.count(spends).await, plays);
    for kind in ["PLAY", "RESULT"] {
        let events = format!("SELECT COUNT(*) FROM user_event_log WHERE event_type = '{kind}'");
        assert_eq!(app.test.count(&events).await, plays);
    }
}

#[tokio::test]
async fn two_hundred_stamps_at_once_are_one() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let body = json!({ "source_feature_type": "ROULETTE" });
    let stamps = (0..200).map(|_| player.post("/api/season-pass/stamp", &body));
    let answers = join_all(stamps).await;
    assert_eq!(
        tally(&answers),
        tallied([("OK", 1), ("ALREADY_STAMPED_TODAY", 199)])
    );
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 400))
    );
    assert_eq!(
        app.test
            .count("SELECT COUNT(*) FROM season_pass_stamp_log")
            .await,
        1
    );
    assert_eq!(
        app.test
            .count("SELECT current_xp FROM season_pass_progress")
            .await,
        20
    );
    assert_eq!(
        app.test.count("SELECT SUM(delta) FROM wallet_ledger").await,
        1
    );
    assert_books_balance(&app).await;
}

#[tokio::test]
async fn a_hundred_spins_at_once_with_ten_coins_are_ten_plays() {
    let app = TestApp::start().await;
    let player = app.player("santa", 10).await;
    // No prize and no level may bring a further coin.
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE slot_index > 0")
        .await;
    app.test
        .execute("UPDATE season_pass_level SET auto_claim = 0")
        .await;
    let answers = join_all((0..100).map(|_| player.play("/api/roulette/play"))).await;
    assert_eq!(
        tally(&answers),
        tallied([("OK", 10), ("NOT_ENOUGH_TOKENS", 90)])
    );
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 10);
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        0
    );
    assert_books_balance(&app).await;
}

#[tokio::test]
async fn a_hundred_spins_at_once_with_real_prizes_keep_the_books() {
    let app = TestApp::start().await;
    // The bonus stamp of many wins would hide behind the sum of XP below.
    app.test
        .execute("UPDATE season_pass_config SET internal_win_threshold = 1000000")
        .await;
    let (player, other) = (
        app.player("santa", 60).await,
        app.player("rudolf", 60).await,
    );
    let spins = (0..100).map(|number| {
        let player = if number % 2 == 0 { &player } else { &other };
        player.play("/api/roulette/play")
    });
    let answers = join_all(spins).await;
    assert_eq!(tally(&answers), tallied([("OK", 100)]));
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM feature_log").await,
        100
    );
    assert_eq!(
        app.test
            .count("SELECT SUM(current_xp) FROM season_pass_progress")
            .await,
        500
    );
    assert_books_balance(&app).await;
}

#[tokio::test]
async fn a_hundred_claims_of_one_level_are_one_payment() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let user = player.identity().user_id;
    app.test
        .execute(&format!(
            "INSERT INTO season_pass_progress VALUES ({user}, 1, 700, 7, 7, 0, NULL, 0, \
             '2025-12-26 00:00:00.000000')"
        ))
        .await;
    app.test
        .execute("UPDATE season_pass_level SET is_manual = 0")
        .await;
    let body = json!({ "level": 7 });
    let answers = join_all((0..100).map(|_| player.post("/api/season-pass/claim", &body))).await;
    assert_eq!(
        tally(&answers),
        tallied([("OK", 1), ("REWARD_ALREADY_CLAIMED", 99)])
    );
    let coins = "SELECT SUM(delta) FROM wallet_ledger WHERE asset = 'CC_COIN'";
    assert_eq!(app.test.count(coins).await, 2);
    assert_books_balance(&app).await;
}

#[tokio::test]
async fn fifty_spins_with_one_key_are_one_play_and_fifty_equal_answers() {
    let app = TestApp::start().await;
    let player = app.player("santa", 10).await;
    let answers = join_all((0..50).map(|_| player.play_keyed("/api/roulette/play", "one"))).await;
    assert_eq!(tally(&answers), tallied([("OK", 50)]));
    assert!(answers.iter().all(|answer| answer.text == answers[0].text));
    assert_eq!(
        answers
            .iter()
            .filter(|answer| !answer.is_replayed())
            .count(),
        1
    );
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 1);
    assert_books_balance(&app).await;
}

#[tokio::test]
async fn a_block_in_the_middle_of_a_spin_loop_stops_it_cleanly() {
    let app = TestApp::start().await;
    let player = app.player("santa", 100).await;
    let spins = async { join_all((0..60).map(|_| player.play("/api/roulette/play"))).await };
    let identity = player.identity();
    let (answers, ()) = futures_util::future::join(spins, app.test.block(&identity)).await;
    let tally = tally(&answers);
    let plays = app.test.count("SELECT COUNT(*) FROM feature_log").await;
    assert_eq!(
        tally.get("OK").copied().unwrap_or(0),
        usize::try_from(plays).unwrap()
    );
    assert_eq!(tally.values().sum::<usize>(), 60);
    assert!(
        tally
            .keys()
            .all(|kind| kind == "OK" || kind == "USER_BLOCKED"),
        "{tally:?}"
    );
    assert_books_balance(&app).await;
}

struct Failing;

#[async_trait::async_trait]
impl ActivityObserver for Failing {
    async fn observe_in_tx(
        &self,
        _: &sea_orm::DatabaseTransaction,
        _: &LockedPlayer,
        event: &Event,
        _: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        match event.kind {
            xmas_activity::EventKind::Play => Err(DbError::Corrupt("a broken observer".to_owned())),
            _ => Ok(Vec::new()),
        }
    }
}

#[tokio::test]
async fn a_play_whose_last_participant_fails_leaves_nothing_and_tells_nothing() {
    let app = AppBuilder::default()
        .observer(Arc::new(Failing))
        .start()
        .await;
    let player = app.player("santa", 10).await;
    let before = app.test.count("SELECT COUNT(*) FROM user_event_log").await;
    let failed = player
        .play_keyed("/api/roulette/play", "k")
        .await
        .expect_error(500, "DB_ERROR");
    assert!(!failed.text.contains("observer"), "{}", failed.text);
    for table in [
        "feature_log",
        "reward_log",
        "season_pass_progress",
        "idempotency_key",
    ] {
        assert_eq!(
            app.test
                .count(&format!("SELECT COUNT(*) FROM {table}"))
                .await,
            0,
            "{table}"
        );
    }
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM user_event_log").await,
        before
    );
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        10
    );
    assert_books_balance(&app).await;
}
