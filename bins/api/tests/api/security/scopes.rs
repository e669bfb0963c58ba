//! Who may do what, by the document: every operation with every kind of token.

use serde_json::json;
use xmas_test_support::TestApp;

use super::{operations, operations_that_need_a_token, rows};
use crate::bad_input::raw;

/// What anybody may ask without saying who they are. Whoever adds an operation to it has thought about that.
const OPEN: [&str; 12] = [
    "GET /api/fairness/{day}",
    "GET /api/odds/{feature}",
    "GET /api/odds/{feature}.csv",
    "GET /api/odds/{feature}/history",
    "GET /api/odds/{feature}/observed",
    "GET /api/today-feature",
    "GET /api/ui-config/{key}",
    "GET /api/ui-copy/ticket0",
    "GET /health",
    "GET /readyz",
    "POST /api/auth/refresh",
    "POST /api/auth/token",
];

#[test]
fn every_other_operation_asks_for_a_token() {
    let operations = operations();
    let open = operations.iter().filter(|it| !it.needs_token());
    let mut open: Vec<String> = open.map(super::Operation::name).collect();
    open.sort();
    assert_eq!(open, OPEN);
}

#[tokio::test]
async fn no_token_goes_further_than_its_scope() {
    let app = TestApp::start().await;
    let (player, admin) = (app.player("santa", 5).await, app.admin("operator").await);
    let session = app.login("santa").await.body;
    let refresh = app.with_token(session["refresh_token"].as_str());
    let mut leaving = [app.admin("first").await, app.admin("second").await].into_iter();
    let before = rows(&app).await;
    let (mut of_admins, mut of_players) = (0, 0);
    for operation in operations_that_need_a_token() {
        let name = operation.name();
        let nobody = app.anonymous();
        let answer = nobody.send(operation.request(&nobody)).await;
        answer.expect_error(401, "AUTH_REQUIRED");
        let answer = refresh.send(operation.request(&refresh)).await;
        answer.expect_error(401, "TOKEN_INVALID");
        if operation.is_admin() {
            let answer = player.send(operation.request(&player)).await;
            answer.expect_error(403, "FORBIDDEN_SCOPE");
            of_admins += 1;
        } else if operation.answers(403, "FORBIDDEN_SCOPE") {
            let answer = admin.send(operation.request(&admin)).await;
            answer.expect_error(403, "FORBIDDEN_SCOPE");
            of_players += 1;
        } else {
            let admin = leaving.next().expect("as many as there are");
            let answer = admin.send(operation.request(&admin)).await;
            assert!(
                ![401, 403].contains(&answer.status),
                "{name}: {}",
                answer.text
            );
        }
    }
    assert!(of_admins > 70, "{of_admins}");
    assert!(of_players > 12, "{of_players}");
    // Logging out and changing one's own password are for both.
    assert!(leaving.next().is_none());
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn no_spelling_of_a_path_goes_around_the_guard() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let before = rows(&app).await;
    let overrides = "x-original-url: /admin/api/users/\r\nx-rewrite-url: /admin/api/users/\r\n\
                     x-http-method-override: GET\r\nx-forwarded-prefix: /admin\r\n";
    let send = async |path: &str, token: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n{overrides}\r\n"
        );
        raw(&app, request.as_bytes()).await
    };
    for path in [
        "/admin/api/users/",
        "/admin/api/users",
        "//admin/api/users/",
        "/admin//api/users/",
        "/admin/api/./users/",
        "/api/../admin/api/users/",
        "/api/%2e%2e/admin/api/users/",
        "/api/wallet/..;/../../admin/api/users/",
        "/admin%2fapi%2fusers%2f",
        "/%61dmin/api/users/",
        "/admin/api/users/;x=/api/wallet",
        "/admin/api/users/%00",
        "/ADMIN/api/users/",
        "/admin/api/users/?/api/wallet",
        "/admin/api/users/#/api/wallet",
        "http://x/admin/api/users/",
    ] {
        let answer = send(path, player.token()).await;
        let refused = ["400", "403", "404"].map(|status| format!("HTTP/1.1 {status} "));
        assert!(
            refused.iter().any(|start| answer.starts_with(start)),
            "{path}: {answer}"
        );
        assert!(!answer.contains("external_id\":"), "{path}: {answer}");
    }
    // They are only names: what the path says counts.
    let answer = send("/api/wallet", player.token()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn nobody_is_made_an_admin_by_a_field() {
    let app = TestApp::start().await;
    let (player, admin) = (app.player("santa", 0).await, app.admin("operator").await);
    for field in ["role", "scope", "is_admin", "status", "token_epoch"] {
        let mut new = json!({ "external_id": "rudolf", "password": "long enough" });
        new[field] = json!("ADMIN");
        let answer = admin.post("/admin/api/users/", &new).await;
        answer.expect_error(422, "VALIDATION_ERROR");
        let mut login = json!({ "external_id": "santa", "password": "test-password" });
        login[field] = json!("ADMIN");
        let answer = app.anonymous().post("/api/auth/token", &login).await;
        answer.expect_error(422, "VALIDATION_ERROR");
        let mut change =
            json!({ "current_password": "test-password", "new_password": "another one" });
        change[field] = json!("ADMIN");
        let answer = player.post("/api/auth/password", &change).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
    let admins = "SELECT COUNT(*) FROM `user` WHERE role = 'ADMIN'";
    assert_eq!(app.test.count(admins).await, 1);
}
