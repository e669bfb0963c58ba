//! `/admin/api/users/*`: accounts.

mod anonymise;
mod anonymise_races;
mod collection;
mod forgotten;
mod import;
mod item;
mod out_of_reach;
mod races;
mod status;
mod timeline;

use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp};

const USERS: &str = "/admin/api/users/";

/// The path of a client's own account.
fn path_of(client: &Client) -> String {
    format!("{USERS}{}", client.identity().user_id)
}

async fn get(admin: &Client, path: &str) -> Value {
    admin.get(path).await.expect_status(200).body
}

/// What the old client sends when a form is saved: whatever it has loaded and can show.
fn form_of(user: &Value) -> Value {
    let fields = ["external_id", "nickname", "level", "season_level", "xp"];
    let mut form = json!({ "status": user["status"], "is_blocked": user["is_blocked"] });
    for field in fields {
        form[field] = user[field].clone();
    }
    form["password"] = json!("");
    form
}

async fn stamp(player: &Client) {
    let source = json!({ "source_feature_type": "ROULETTE" });
    let stamp = player.post("/api/season-pass/stamp", &source).await;
    stamp.expect_status(200);
}

async fn log_in(app: &TestApp, external_id: &str, password: &str) -> Answer {
    let credentials = json!({ "external_id": external_id, "password": password });
    app.anonymous().post("/api/auth/token", &credentials).await
}

async fn audits(app: &TestApp) -> i64 {
    app.test.count("SELECT COUNT(*) FROM admin_audit_log").await
}

/// Every invariant of the database holds.
async fn assert_sound(app: &TestApp) {
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
    let apart = "SELECT COUNT(*) FROM user_profiles p JOIN `user` u ON u.id = p.user_id \
                 WHERE p.is_blocked <> (u.status = 'BLOCKED')";
    assert_eq!(app.test.count(apart).await, 0);
}
