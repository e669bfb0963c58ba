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
            if let Some(ok) = responses.get("200") {
                let schema = &ok["content"]["application/json"]["schema"]["$ref"];
                let name = schema.as_str().unwrap().rsplit('/').next().unwrap();
                let schema = &document["components"]["schemas"][name];
                assert!(schema["example"].is_object(), "{method} {path}: {name}");
            }
            if operation.get("security").is_some() {
                assert!(responses.contains_key("401"), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_documented_path_answers_and_asks_for_a_token_if_it_says_so() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path
                .replace("{feature}", "roulette")
                .replace("{day}", "2025-12-26")
                .replace("{play_id}", "1");
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
