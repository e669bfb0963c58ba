use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use xmas_kernel::Asset;
use xmas_test_support::TestApp;
use xmas_time::{Clock, Kst};

#[tokio::test]
async fn the_odds_of_a_game_are_public() {
    let app = TestApp::start().await;
    let odds = app.anonymous().get("/api/odds/lottery").await;
    insta::assert_json_snapshot!(odds.expect_status(200).body);
    for feature in ["ROULETTE", "dice"] {
        let path = format!("/api/odds/{feature}");
        let odds = app.anonymous().get(&path).await.expect_status(200).body;
        let probabilities = odds["entries"].as_array().unwrap().iter();
        let sum: f64 = probabilities
            .map(|entry| entry["probability"].as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{feature}: {sum}");
        let content = odds["content"].as_str().unwrap();
        assert_eq!(odds["content_hash"], hex::encode(Sha256::digest(content)));
    }
}

#[tokio::test]
async fn what_has_run_out_is_shown_and_does_not_come_up() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE label = '배민 2만'")
        .await;
    let odds = app.anonymous().get("/api/odds/lottery").await.body;
    let entries = odds["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &odds["total_weight"]), (5, &json!(980)));
    let coupon = &entries[4];
    assert_eq!(coupon["label"], "배민 2만");
    assert_eq!(
        (&coupon["stock"], &coupon["probability"]),
        (&json!(0), &json!(0.0))
    );
    assert!(!odds["content"].as_str().unwrap().contains("배민 2만"));
}

#[tokio::test]
async fn a_table_that_a_receipt_names_stays_what_it_was() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let before = client.get("/api/odds/roulette").await.body;
    let id = before["odds_id"].as_i64().unwrap();
    let past = client
        .get(&format!("/api/odds/roulette?odds_id={id}"))
        .await;
    assert_eq!(past.expect_status(200).body["content"], before["content"]);
    for path in [
        format!("/api/odds/dice?odds_id={id}"),
        "/api/odds/roulette?odds_id=999999".to_owned(),
        "/api/odds/season_pass".to_owned(),
        "/api/odds/poker".to_owned(),
        "/api/odds/%EB%A3%B0%EB%A0%9B".to_owned(),
    ] {
        client.get(&path).await.expect_error(404, "ODDS_NOT_FOUND");
    }
    for id in ["one", "-1", "0", "9000000000000001"] {
        let refused = client
            .get(&format!("/api/odds/roulette?odds_id={id}"))
            .await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
        assert!(refused["error"]["details"]["odds_id"].is_array(), "{id}");
    }
}

#[tokio::test]
async fn a_broken_game_has_no_odds() {
    let app = TestApp::start().await;
    let count = "SELECT COUNT(*) FROM odds_table";
    let before = app.test.count(count).await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0")
        .await;
    app.anonymous()
        .get("/api/odds/roulette")
        .await
        .expect_error(400, "INVALID_ROULETTE_CONFIG");
    assert_eq!(app.test.count(count).await, before);
}

#[tokio::test]
async fn a_lottery_of_which_nothing_is_left_shows_its_odds_and_cannot_be_played() {
    let app = TestApp::start().await;
    app.test
        .execute(
            "UPDATE lottery_prize SET stock = 0, stock_at_edit = 5, stock_supplied = 5 \
             WHERE label IN ('배민 2만', '3,000 포인트')",
        )
        .await;
    app.test
        .execute("UPDATE lottery_prize SET is_active = 0 WHERE stock IS NULL")
        .await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::LotteryTicket, 1).await;
    let refused = player.play("/api/lottery/play").await;
    refused.expect_error(400, "INVALID_LOTTERY_CONFIG");
    let odds = app.anonymous().get("/api/odds/lottery").await;
    let odds = odds.expect_status(200).body;
    assert_eq!(
        (&odds["is_sold_out"], &odds["in_force_since"]),
        (&json!(true), &json!(null))
    );
    let entries = odds["entries"].as_array().unwrap().iter();
    let shown: Vec<_> = entries
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap().to_owned();
            let stock = (entry["stock"].as_i64(), entry["stock_total"].as_i64());
            (text("percent"), text("full_percent"), stock)
        })
        .collect();
    let gone = (Some(0), Some(5));
    // 100 and 20 of 120.
    let expected = [("0%", "83.3333%", gone), ("0%", "16.6667%", gone)];
    let expected = expected.map(|(now, full, stock)| (now.to_owned(), full.to_owned(), stock));
    assert_eq!(shown, expected);
    let csv = app.anonymous().get("/api/odds/lottery.csv").await;
    assert_eq!(csv.expect_status(200).text.lines().count(), 3);
}

#[tokio::test]
async fn what_runs_out_changes_the_odds_of_the_others_and_the_history_says_when() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let before = client.get("/api/odds/lottery").await.body;
    app.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE label = '배민 2만'")
        .await;
    app.clock.advance(TimeDelta::minutes(2));
    let ran_out = json!(Kst(app.clock.now()).to_string());
    let after = client.get("/api/odds/lottery").await.body;
    assert_ne!(after["odds_id"], before["odds_id"]);
    assert_eq!(after["in_force_since"], ran_out);
    // 400 of 980 in lowest terms, and what it is while everything is there.
    let first = &after["entries"][0];
    assert_eq!(first["percent_exact"], "2000/49");
    assert_eq!(first["percent"], "40.8163%");
    assert_eq!(first["full_percent_exact"], "40");
    let history = client.get("/api/odds/lottery/history").await;
    let history = history.expect_status(200).body;
    let [seeded, change] = &history["items"].as_array().unwrap()[..] else {
        panic!("{history}")
    };
    assert_eq!(
        (&change["change"], &change["at"], &change["odds_id"]),
        (&json!("IN_FORCE"), &ran_out, &after["odds_id"])
    );
    assert_eq!(change["content_hash"], after["content_hash"]);
    assert_eq!(seeded["odds_id"], before["odds_id"]);
    assert_eq!(seeded["at"], before["in_force_since"]);
    assert_eq!(history["at_start"], json!(null));
    // Of a day to come nothing is known.
    let path = "/api/odds/lottery/history?day=2025-12-27";
    assert_eq!(client.get(path).await.body["at_start"], json!(null));
    app.clock.advance(TimeDelta::days(1));
    let day_after = client.get("/api/odds/lottery/history?day=2025-12-27").await;
    assert_eq!(day_after.body["at_start"], *change);
    assert_eq!(day_after.body["items"], json!([]));
}

#[tokio::test]
async fn a_history_is_read_page_by_page_and_of_days_and_games_that_there_are() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for stock in 0..5 {
        let sql = format!("UPDATE lottery_prize SET weight = {stock} WHERE label = '배민 2만'");
        app.test.execute(&sql).await;
        app.clock.advance(TimeDelta::minutes(2));
        client.get("/api/odds/lottery").await.expect_status(200);
    }
    let whole = client.get("/api/odds/lottery/history").await.body;
    assert_eq!(
        (
            whole["items"].as_array().unwrap().len(),
            &whole["next_cursor"]
        ),
        (6, &json!(null))
    );
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = format!("/api/odds/lottery/history?limit=2{cursor}");
        let page = client.get(&page).await.expect_status(200).body;
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(paged), whole["items"]);
    for path in [
        "/api/odds/poker/history",
        "/api/odds/ranking/observed",
        "/api/odds/x.csv",
    ] {
        client.get(path).await.expect_error(404, "ODDS_NOT_FOUND");
    }
    for (query, field) in [
        ("day=yesterday", "day"),
        ("day=", "day"),
        ("day=2025-02-30", "day"),
        ("cursor=x", "cursor"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
    ] {
        let refused = client
            .get(&format!("/api/odds/lottery/history?{query}"))
            .await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR").body;
        assert!(refused["error"]["details"][field].is_array(), "{query}");
    }
}

#[tokio::test]
async fn everybody_sees_how_often_each_result_came_up_as_it_was_counted_within_the_hour() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let observed = async || {
        let observed = client.get("/api/odds/dice/observed").await;
        observed.expect_status(200).body
    };
    let before = observed().await;
    assert_eq!(before["updated_at"], json!(null));
    assert_eq!(before["items"][0]["draws"], 0);
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::DiceToken, 9).await;
    let count = async || app.app.keep_odds(app.clock.now()).await.unwrap();
    let told = || json!(Kst(app.clock.now()).to_string());
    for _ in 0..6 {
        player.play("/api/dice/play").await.expect_status(200);
    }
    let logged = async |entry: i64| {
        let sql = format!("SELECT COUNT(*) FROM feature_log WHERE entry_id = {entry}");
        app.test.count(&sql).await
    };
    count().await;
    let first = observed().await;
    assert_eq!(first["updated_at"], told());
    let table = &first["items"][0];
    assert_eq!(
        (&table["draws"], &table["in_force"]),
        (&json!(6), &json!(true))
    );
    for (entry, id) in table["entries"].as_array().unwrap().iter().zip(1..) {
        assert_eq!(entry["observed"], logged(id).await, "{entry}");
    }
    assert!((0.0..=1.0).contains(&table["p_value"].as_f64().unwrap()));
    assert_eq!(table["entries"][0]["percent"], "44.3673%");
    // Within the hour nothing is counted again, however often it is asked.
    player.play("/api/dice/play").await.expect_status(200);
    let at = told();
    app.clock.advance(TimeDelta::minutes(59));
    count().await;
    assert_eq!(
        (
            &observed().await["updated_at"],
            observed().await["items"][0]["draws"].as_i64()
        ),
        (&at, Some(6))
    );
    app.clock.advance(TimeDelta::minutes(1));
    count().await;
    let second = observed().await;
    assert_eq!(
        (&second["updated_at"], &second["items"][0]["draws"]),
        (&told(), &json!(7))
    );
    let unknown = client.get("/api/odds/dice/observed?odds_id=1").await;
    unknown.expect_error(404, "ODDS_NOT_FOUND");
    // It says the same as the report that operators have at any time.
    let admin = app.admin("operator").await;
    let report = admin.get("/admin/api/odds/dice").await.body;
    assert_eq!(report["items"][0]["p_value"], second["items"][0]["p_value"]);
    assert_eq!(
        report["items"][0]["chi_squared"],
        second["items"][0]["chi_squared"]
    );
}

#[tokio::test]
async fn a_table_for_spreadsheets_has_each_cell_in_its_column() {
    let app = TestApp::start().await;
    let odds = app.anonymous().get("/api/odds/lottery").await.body;
    let csv = app.anonymous().get("/api/odds/lottery.csv").await;
    let csv = csv.expect_status(200);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let text = csv.text.strip_prefix('\u{feff}').unwrap();
    let mut lines = text.split_terminator("\r\n").map(|line| line.split(','));
    let columns: Vec<&str> = lines.next().unwrap().collect();
    let last: Vec<&str> = lines.last().unwrap().collect();
    let hash = odds["content_hash"].as_str().unwrap();
    let since = odds["in_force_since"].as_str().unwrap();
    let expected = [
        ("feature_type", "LOTTERY"),
        ("odds_id", "3"),
        ("content_hash", hash),
        ("in_force_since", since),
        ("effective_from", ""),
        ("entry_id", "5"),
        ("label", "배민 2만"),
        ("reward_type", "COUPON"),
        ("reward_amount", "1"),
        ("weight", "20"),
        ("total_weight", "1000"),
        ("percent", "2%"),
        ("percent_exact", "2%"),
        ("full_percent", "2%"),
        ("full_percent_exact", "2%"),
        ("stock", "20"),
        ("stock_total", "20"),
    ];
    let seen: Vec<_> = columns.into_iter().zip(last).collect();
    assert_eq!(seen, expected);
}
