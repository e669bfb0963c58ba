use std::sync::Arc;

use serde_json::json;
use xmas_activity::EventWriter;
use xmas_kernel::{Asset, CouponKindId, entropy::OsEntropy, seal::DataKey};
use xmas_rewards::{CouponCode, RewardDesk, Rewards};
use xmas_test_support::TestApp;
use xmas_time::Clock;

/// Only the prize with this label comes up.
async fn only(app: &TestApp, label: &str) {
    app.test
        .execute(&format!(
            "UPDATE lottery_prize SET weight = CASE WHEN label = '{label}' THEN 1 ELSE 0 END"
        ))
        .await;
}

#[tokio::test]
async fn a_ticket_answers_what_the_client_reads() {
    let app = TestApp::start().await;
    only(&app, "3,000 포인트").await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::LotteryTicket, 2).await;
    let drawn = player.play("/api/lottery/play").await.expect_status(200);
    insta::assert_json_snapshot!(drawn.body);
    let stock = "SELECT stock FROM lottery_prize WHERE label = '3,000 포인트'";
    assert_eq!(app.test.count(stock).await, 499);
}

#[tokio::test]
async fn a_coupon_s_code_is_in_the_answer_in_its_repetition_and_in_the_history() {
    let app = TestApp::start().await;
    only(&app, "배민 2만").await;
    let desk = RewardDesk::new(
        app.test.db.clone(),
        DataKey::new("the data key of all tests, 32 bytes or more"),
        Arc::new(OsEntropy),
        Rewards::new(EventWriter, 10_000),
    );
    let large = app
        .test
        .count("SELECT id FROM coupon_kind WHERE name = '배민 2만'");
    let codes = [CouponCode::try_from("BM20-7F3A").unwrap()];
    let (large, tx) = (
        CouponKindId(large.await),
        app.test.db.begin().await.unwrap(),
    );
    let added = desk.add_codes_in_tx(&tx, large, &codes, app.clock.now());
    added.await.unwrap();
    tx.commit().await.unwrap();
    let (winner, late) = (app.player("santa", 0).await, app.player("rudolf", 0).await);
    for player in [&winner, &late] {
        app.give(player.identity(), Asset::LotteryTicket, 1).await;
    }
    for _ in 0..2 {
        let won = winner.play_keyed("/api/lottery/play", "k").await;
        let receipt = &won.expect_status(200).body["receipt"];
        assert_eq!(receipt["reward_state"], "DELIVERED");
        assert_eq!(receipt["coupon_code"], "BM20-7F3A");
    }
    let history = winner.get("/api/me/history?kind=reward").await.body;
    let coupons: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["reward_type"] == "COUPON")
        .collect();
    assert_eq!(coupons.len(), 1);
    assert_eq!(coupons[0]["coupon_code"], "BM20-7F3A");

    // Nothing is left for the next one, who waits and sees no code.
    let waits = late.play("/api/lottery/play").await.expect_status(200);
    let receipt = &waits.body["receipt"];
    assert_eq!(receipt["reward_state"], "PENDING_REVIEW");
    assert_eq!(receipt["coupon_code"], json!(null));
    let history = late.get("/api/me/history").await.text;
    assert!(!history.contains("BM20-7F3A"));
    assert!(history.contains("NO_COUPON_LEFT"));
}

#[tokio::test]
async fn a_lottery_of_which_nothing_is_left_takes_no_ticket() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE lottery_prize SET is_active = 0 WHERE stock IS NULL")
        .await;
    app.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE stock IS NOT NULL")
        .await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::LotteryTicket, 1).await;
    player
        .play("/api/lottery/play")
        .await
        .expect_error(400, "INVALID_LOTTERY_CONFIG");
    player
        .get("/api/lottery/status")
        .await
        .expect_error(400, "INVALID_LOTTERY_CONFIG");
    let wallet = player.get("/api/wallet").await.body;
    assert_eq!(wallet["balances"]["LOTTERY_TICKET"], 1);
}
