use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

const REWARDS: &str = "/admin/api/rewards/";

/// A player for whom so many jackpots of 10,000 points wait.
async fn winner(app: &TestApp, external_id: &str, jackpots: u32) -> Client {
    app.test
        .execute("UPDATE roulette_segment SET weight = CASE WHEN is_jackpot = 1 THEN 1 ELSE 0 END")
        .await;
    let player = app.player(external_id, jackpots).await;
    for _ in 0..jackpots {
        player.play("/api/roulette/play").await.expect_status(200);
    }
    player
}

async fn queue(admin: &Client, query: &str) -> Value {
    let page = admin.get(&format!("{REWARDS}{query}")).await;
    page.expect_status(200).body
}

fn ids(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

async fn points(app: &TestApp) -> i64 {
    let sum = "SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet WHERE asset = 'POINT'";
    app.test.count(sum).await
}

#[tokio::test]
async fn a_reward_that_waits_is_found_approved_and_paid_once() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = winner(&app, "santa", 1).await;
    let page = queue(&admin, "").await;
    let item = &page["items"][0];
    for (field, expected) in [
        ("user_id", json!(player.identity().user_id.0)),
        ("external_id", json!("santa")),
        ("nickname", json!("산타")),
        ("status", json!("ACTIVE")),
        ("source", json!("PLAY")),
        ("reward_type", json!("POINT")),
        ("reward_amount", json!(10_000)),
        ("reward_item", json!(null)),
        ("state", json!("PENDING_REVIEW")),
        ("reason", json!("REVIEW_POINTS")),
        ("reviewed_at", json!(null)),
        ("reviewed_by", json!(null)),
    ] {
        assert_eq!(item[field], expected, "{field}");
    }
    let id = &item["id"];
    // Whoever is blocked meanwhile gets it all the same, and the answer says so.
    app.test.block(&player.identity()).await;
    let path = format!("{REWARDS}{id}/approve");
    let request = admin.request("POST".parse().unwrap(), &path);
    let request = request.header("x-reason", "%ED%99%95%EC%9D%B8");
    let approved = admin.send(request).await.expect_status(200).body;
    assert_eq!(
        (&approved["id"], &approved["state"]),
        (id, &json!("DELIVERED"))
    );
    assert_eq!(approved["status"], "BLOCKED");
    assert_eq!(approved["reviewed_by"], "operator");
    assert_eq!(approved["reviewed_at"], "2025-12-26T09:00:00.000000+09:00");
    for path in [path.as_str(), &format!("{path}/")] {
        let again = admin.play(path).await;
        again.expect_error(409, "REWARD_NOT_PENDING");
    }
    let late = json!({ "reason": "너무 늦음" });
    let late = admin.post(&format!("{REWARDS}{id}/reject"), &late).await;
    late.expect_error(409, "REWARD_NOT_PENDING");
    assert_eq!(points(&app).await, 10_000);
    assert_eq!(ids(&queue(&admin, "").await), Vec::<i64>::new());
    let delivered = queue(&admin, "?state=delivered&external_id=santa").await;
    let mut delivered = delivered["items"].as_array().unwrap().iter();
    assert!(delivered.any(|item| *item == approved));
    let told = format!(
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'REWARD_APPROVE' \
         AND resource = 'reward:{id}' AND reason = '확인' AND actor = 'operator' \
         AND before_json LIKE '%PENDING_REVIEW%' AND after_json LIKE '%DELIVERED%'"
    );
    assert_eq!(app.test.count(&told).await, 1);
    let all = "SELECT COUNT(*) FROM admin_audit_log";
    assert_eq!(app.test.count(all).await, 1);
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

#[tokio::test]
async fn a_rejection_has_a_reason_that_the_player_sees() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let player = winner(&app, "santa", 1).await;
    let id = ids(&queue(&admin, "").await)[0];
    let path = format!("{REWARDS}{id}/reject");
    for bad in [
        json!({}),
        json!({ "reason": " " }),
        json!({ "reason": "x".repeat(192) }),
        json!({ "reason": "a\nb" }),
        json!({ "reason": 1 }),
        json!({ "reason": "x", "approve": true }),
    ] {
        let answer = admin.post(&path, &bad).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
    let rejected = admin.post(&path, &json!({ "reason": " 중복 계정 " })).await;
    let rejected = rejected.expect_status(200).body;
    assert_eq!(
        (&rejected["state"], &rejected["reason"]),
        (&json!("REJECTED"), &json!("중복 계정"))
    );
    let again = admin.play(&format!("{REWARDS}{id}/approve")).await;
    again.expect_error(409, "REWARD_NOT_PENDING");
    assert_eq!(points(&app).await, 0);
    let history = player.get("/api/me/history?kind=reward").await.body;
    let shown = history["items"].as_array().unwrap().iter();
    let shown = shown.filter(|item| item["reason"] == "중복 계정");
    assert_eq!(shown.count(), 1);
    for unknown in ["999999", "-1"] {
        let answer = admin.play(&format!("{REWARDS}{unknown}/approve")).await;
        answer.expect_error(404, "REWARD_NOT_FOUND");
    }
    let answer = admin.play(&format!("{REWARDS}x/approve")).await;
    answer.expect_error(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_who_decide_at_once_decide_once() {
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    winner(&app, "santa", 6).await;
    let waiting = ids(&queue(&admins[0], "").await);
    assert_eq!(waiting.len(), 6);
    let clicks = waiting
        .iter()
        .flat_map(|id| (0..6).map(move |click| (*id, click)));
    let clicks = clicks.map(async |(id, click): (i64, usize)| {
        let admin = &admins[click % 2];
        if click < 4 {
            admin.play(&format!("{REWARDS}{id}/approve")).await
        } else {
            let reason = json!({ "reason": "중복 계정" });
            admin.post(&format!("{REWARDS}{id}/reject"), &reason).await
        }
    });
    let answers = join_all(clicks).await;
    let delivered = answers
        .iter()
        .filter(|answer| answer.body["state"] == "DELIVERED");
    let delivered = i64::try_from(delivered.count()).unwrap();
    let decided = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(decided, 6);
    for refused in answers.into_iter().filter(|answer| answer.status != 200) {
        refused.expect_error(409, "REWARD_NOT_PENDING");
    }
    assert_eq!(points(&app).await, delivered * 10_000);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        6
    );
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

#[tokio::test]
async fn a_coupon_without_a_code_waits_until_codes_are_there() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.test
        .execute(
            "UPDATE lottery_prize SET weight = CASE WHEN label LIKE '%배민 2만%' THEN 1 ELSE 0 END",
        )
        .await;
    let player = app.player("santa", 0).await;
    app.give(player.identity(), Asset::LotteryTicket, 1).await;
    player.play("/api/lottery/play").await.expect_status(200);
    let page = queue(&admin, "?source=PLAY").await;
    let item = &page["items"][0];
    assert_eq!(
        (&item["reward_type"], &item["reason"]),
        (&json!("COUPON"), &json!("NO_COUPON_LEFT"))
    );
    let (id, kind) = (&item["id"], &item["reward_item"]);
    let path = format!("{REWARDS}{id}/approve");
    admin.play(&path).await.expect_error(400, "NO_COUPON_LEFT");
    let codes = format!("/admin/api/coupons/{kind}/codes");
    let added = admin.post_csv(&codes, "code\nBM20-7F3A\n").await;
    let expected = json!({ "dry_run": false, "kind": kind, "added": 1, "free": 1, "waiting": 1 });
    assert_eq!(added.expect_status(200).body, expected);
    let approved = admin.play(&path).await.expect_status(200);
    assert!(!approved.text.contains("7F3A"));
    let history = player.get("/api/me/history?kind=reward").await;
    assert!(history.text.contains("BM20-7F3A"));
    let stock = admin.get(&codes).await.expect_status(200);
    let code = &stock.body["items"][0];
    assert_eq!((&code["state"], &code["reward_id"]), (&json!("TAKEN"), id));
    assert_eq!(code["masked"], "BM***");
    let leak = "SELECT COUNT(*) FROM admin_audit_log WHERE before_json LIKE '%7F3A%' \
                OR after_json LIKE '%7F3A%'";
    assert_eq!(app.test.count(leak).await, 0);
}

#[tokio::test]
async fn the_queue_is_filtered_paged_and_two_statements() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    winner(&app, "santa", 3).await;
    winner(&app, "rudolf", 4).await;
    let before = app.statements();
    let all = queue(&admin, "").await;
    // The guard's look at the admin, and the list.
    assert_eq!(app.statements() - before, 2);
    assert_eq!(ids(&all).len(), 7);
    assert!(ids(&all).is_sorted_by(|a, b| a > b));
    let mut paged = Vec::new();
    let mut query = "?limit=3".to_owned();
    loop {
        let page = queue(&admin, &query).await;
        paged.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => query = format!("?limit=3&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, ids(&all));
    assert_eq!(ids(&queue(&admin, "?external_id=santa").await).len(), 3);
    assert_eq!(ids(&queue(&admin, "?external_id=nobody").await).len(), 0);
    assert_eq!(ids(&queue(&admin, "?source=season_level").await).len(), 0);
    let everything = queue(&admin, "?state=ALL&limit=200").await;
    let states = "SELECT COUNT(*) FROM reward_log WHERE reward_type <> 'NONE'";
    assert_eq!(ids(&everything).len() as i64, app.test.count(states).await);
    for bad in [
        "?state=OPEN",
        "?source=GIFT",
        "?limit=0",
        "?limit=201",
        "?cursor=x",
    ] {
        let answer = admin.get(&format!("{REWARDS}{bad}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
}
