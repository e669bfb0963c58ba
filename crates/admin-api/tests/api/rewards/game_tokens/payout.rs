use serde_json::json;
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

use super::assert_clean;

const PAYOUT: &str = "/admin/api/game-tokens/payout.csv";

#[tokio::test]
async fn what_is_exported_can_be_debited_as_it_is() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let rich = app.player("=rich", 0).await.identity();
    let poor = app.player("산타, 01", 0).await.identity();
    let blocked = app.player("blocked", 0).await.identity();
    app.player("none", 3).await;
    for (player, points) in [(rich, 5_000), (poor, 40), (blocked, 70)] {
        app.give(player, Asset::Point, points).await;
        app.give(player, Asset::DiceToken, 9).await;
    }
    app.test.block(&blocked).await;
    let export = admin.get(PAYOUT).await.expect_status(200);
    assert_eq!(export.headers["content-type"], "text/csv; charset=utf-8");
    let expected = format!(
        "\u{feff}user_id,external_id,nickname,amount\r\n{},'=rich,산타,5000\r\n{},\"산타, 01\",산타,40\r\n",
        rich.user_id, poor.user_id
    );
    assert_eq!(export.text, expected);
    let path = "/admin/api/game-tokens/debit-bulk?dry_run=false&batch_id=payout-2026-01";
    let paid = admin.post_csv(path, &export.text).await.expect_status(200);
    let done = json!({ "players": 2, "totals": { "POINT": 5_040 } });
    assert_eq!(paid.body["done"], done);
    let none = admin.get(PAYOUT).await.expect_status(200);
    assert_eq!(none.text.lines().count(), 1);
    // Paid twice by mistake, it is debited once.
    let again = admin.post_csv(path, &export.text).await.expect_status(200);
    assert!(again.is_replayed());
    assert_clean(&app).await;
}

#[tokio::test]
async fn a_balance_above_what_one_grant_may_bring_is_paid_out_whole() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let rich = app.player("rich", 0).await.identity();
    for _ in 0..2 {
        app.give(rich, Asset::Point, 1_000_000_000).await;
    }
    let export = admin.get(PAYOUT).await.expect_status(200).text;
    let path = "/admin/api/game-tokens/debit-bulk?dry_run=false&batch_id=payout-1";
    let paid = admin.post_csv(path, &export).await.expect_status(200).body;
    let done = json!({ "players": 1, "totals": { "POINT": 2_000_000_000_i64 } });
    assert_eq!(paid["done"], done);
    let more = format!("user_id,amount\n{},1000000000001\n", rich.user_id);
    let path = "/admin/api/game-tokens/debit-bulk?dry_run=false&batch_id=payout-2";
    let refused = admin.post_csv(path, &more).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    assert_clean(&app).await;
}

#[tokio::test]
async fn balances_may_be_chosen_by_size_and_status() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let active = app.player("active", 0).await.identity();
    let blocked = app.player("blocked", 0).await.identity();
    let gone = app.player("gone", 0).await.identity();
    for (player, points) in [(active, 100), (blocked, 200), (gone, 300)] {
        app.give(player, Asset::Point, points).await;
    }
    app.test.block(&blocked).await;
    app.test
        .execute("UPDATE user SET status = 'INACTIVE' WHERE external_id = 'gone'")
        .await;
    let names = async |query: &str| -> Vec<String> {
        let table = admin.get(&format!("{PAYOUT}{query}")).await;
        let table = table.expect_status(200).text;
        let rows = table.lines().skip(1);
        rows.map(|row| row.split(',').nth(1).unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("").await, ["active"]);
    assert_eq!(names("?status=blocked").await, ["blocked"]);
    assert_eq!(names("?status=INACTIVE").await, ["gone"]);
    assert_eq!(
        names("?status=ALL&min_amount=200").await,
        ["blocked", "gone"]
    );
    assert!(names("?min_amount=101").await.is_empty());
    for bad in [
        "?status=GONE",
        "?min_amount=0",
        "?min_amount=-1",
        "?min_amount=x",
    ] {
        let answer = admin.get(&format!("{PAYOUT}{bad}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn more_rows_than_one_page_are_read_page_by_page() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL \
                  SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL \
                  SELECT 8 UNION ALL SELECT 9)";
    app.test
        .execute(&format!(
            "INSERT INTO user (id, external_id, password_hash, role, status, created_at, updated_at) \
             SELECT 10000 + n, 10000 + n, '!', 'PLAYER', 'ACTIVE', '2025-12-26 00:00:00.000000', \
             '2025-12-26 00:00:00.000000' FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n \
             FROM {digits} a, {digits} b, {digits} c, {digits} e) numbers WHERE n < 2000"
        ))
        .await;
    app.test
        .execute(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
             SELECT id, 'POINT', id, updated_at FROM user WHERE id >= 10000",
        )
        .await;
    let before = app.statements();
    let table = admin.get(PAYOUT).await.expect_status(200).text;
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 2_000);
    assert!(rows[1_000].starts_with("11000,11000,"), "{}", rows[1_000]);
    // The guard, two full pages and the empty one after them.
    assert_eq!(app.statements() - before, 4);
}
