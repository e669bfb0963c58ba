mod batch;
mod exports;
mod lists;
mod order;
mod payout;
mod revert;

use xmas_test_support::TestApp;

/// No invariant of the database is violated.
async fn assert_clean(app: &TestApp) {
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

/// So many players without a password, named `p-0000` and so on.
async fn many_players(app: &TestApp, count: usize) {
    for number in 0..count {
        app.test.player(&format!("p-{number:04}")).await;
    }
}
