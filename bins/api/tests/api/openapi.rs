//! The document, and that it tells the truth.

use serde_json::Value;
use xmas_test_support::TestApp;

fn document() -> Value {
    serde_json::to_value(xmas_api::openapi::document()).unwrap()
}

#[test]
fn the_document_in_the_repository_is_up_to_date() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(page).unwrap()).unwrap();
    assert_eq!(committed, document(), "run `just docs`");
}

#[test]
fn every_operation_has_an_example_and_its_errors() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(!responses.is_empty(), "{method} {path}");
            let done = ["200", "201"].into_iter();
            for ok in done.filter_map(|status| responses.get(status)) {
                assert!(has_example(&document, ok), "{method} {path}: {ok}");
            }
            if let Some(body) = operation.get("requestBody") {
                assert!(has_example(&document, body), "{method} {path}: {body}");
            }
            if operation.get("security").is_some() {
                assert!(responses.contains_key("401"), "{method} {path}");
            }
        }
    }
}

/// Whether each form in which something is sent is shown, or its items are.
fn has_example(document: &Value, of: &Value) -> bool {
    let shown = |media: &Value| {
        let schema = &media["schema"];
        let schema = schema["$ref"].as_str().or(schema["items"]["$ref"].as_str());
        let name = schema.and_then(|name| name.rsplit('/').next());
        let shown = name.map(|name| &document["components"]["schemas"][name]["example"]);
        !media["example"].is_null() || shown.is_some_and(|example| !example.is_null())
    };
    let forms = of["content"].as_object().unwrap();
    !forms.is_empty() && forms.values().all(shown)
}

/// A path of the document with something in the place of its parts.
fn filled(path: &str) -> String {
    let part = |(text, inside): (&str, bool)| match (text, inside) {
        ("feature", true) => "roulette".to_owned(),
        ("day" | "date", true) => "2025-12-26".to_owned(),
        (_, true) => "1".to_owned(),
        (text, false) => text.to_owned(),
    };
    path.split(['{', '}'])
        .zip([false, true].into_iter().cycle())
        .map(part)
        .collect()
}

/// Everything under the admin API, from the document, so that a new path cannot be forgotten.
#[tokio::test]
async fn every_admin_path_lets_admins_in_and_nobody_else() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let admin = app.admin("operator").await;
    let old = app.admin("yesterday").await;
    let blocked = app.admin("former").await;
    app.test.block(&blocked.identity()).await;
    let mut operations = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        let is_admin = path.starts_with("/admin/");
        for (method, operation) in item.as_object().unwrap().iter().filter(|_| is_admin) {
            assert!(operation.get("security").is_some(), "{method} {path}");
            operations.push((method.to_uppercase(), filled(path)));
        }
    }
    assert!(operations.len() >= 2, "{operations:?}");
    for (method, path) in &operations {
        let send = async |client: &xmas_test_support::Client| {
            client
                .send(client.request(method.parse().unwrap(), path))
                .await
        };
        send(&app.anonymous())
            .await
            .expect_error(401, "AUTH_REQUIRED");
        send(&app.with_token(Some("nonsense")))
            .await
            .expect_error(401, "TOKEN_INVALID");
        send(&player).await.expect_error(403, "FORBIDDEN_SCOPE");
        send(&blocked).await.expect_error(403, "USER_BLOCKED");
        // Whatever it says, it is not about who asks, with or without a slash at its end.
        for path in [
            path.trim_end_matches('/').to_owned(),
            format!("{}/", path.trim_end_matches('/')),
        ] {
            let answer = admin
                .send(admin.request("PATCH".parse().unwrap(), &path))
                .await;
            answer.expect_error(405, "METHOD_NOT_ALLOWED");
        }
    }
    app.clock.advance(chrono::TimeDelta::hours(9));
    for (method, path) in &operations {
        let request = old.request(method.parse().unwrap(), path);
        old.send(request).await.expect_error(401, "TOKEN_EXPIRED");
    }
}

#[tokio::test]
async fn pages_that_are_not_part_of_this_product_are_not_found_for_anybody() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for path in [
        "segments/",
        "segment-rules",
        "vault/1",
        "surveys/",
        "team-battle",
        "",
        "users/1/x/y",
    ] {
        for client in [&app.anonymous(), &admin] {
            let answer = client.get(&format!("/admin/api/{path}")).await;
            answer.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn every_documented_path_answers_and_asks_for_a_token_if_it_says_so() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = filled(path);
            let request = client.request(method.to_uppercase().parse().unwrap(), &path);
            let answer = client.send(request).await;
            assert!(
                !matches!(answer.status, 404 | 405),
                "{method} {path}: {}",
                answer.text
            );
            assert_eq!(
                answer.status == 401,
                operation.get("security").is_some(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn the_documentation_is_served_from_the_binary() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let page = client.get("/api/docs/").await.expect_status(200);
    assert!(page.text.contains("swagger-ui"));
    assert!(
        !page.text.contains("https://"),
        "nothing is loaded from elsewhere"
    );
    let script = client
        .get("/api/docs/swagger-ui-bundle.js")
        .await
        .expect_status(200);
    assert!(script.text.len() > 100_000);
    assert_eq!(
        client
            .get("/api/docs/openapi.json")
            .await
            .expect_status(200)
            .body,
        document()
    );
}
