//! What browsers need: CORS on every answer, and headers that keep them careful.

use reqwest::Method;
use serde_json::json;
use xmas_test_support::{Answer, AppBuilder, TestApp};

const ORIGIN: &str = "https://cc-jm.com";

#[track_caller]
fn assert_cors(answer: &Answer) {
    assert_eq!(
        answer.headers["access-control-allow-origin"], ORIGIN,
        "{}",
        answer.text
    );
    let exposed = answer.headers["access-control-expose-headers"]
        .to_str()
        .unwrap();
    for header in [
        "x-request-id",
        "retry-after",
        "etag",
        "idempotency-replayed",
        "x-total-count",
    ] {
        assert!(exposed.contains(header), "{exposed}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_cors_headers_errors_too() {
    let app = AppBuilder::default()
        .set("PLAYER_WRITES_PER_MINUTE", "3")
        .start()
        .await;
    let player = app.player("santa", 1).await;
    let send = async |method: Method, path: &str, body: Option<String>| {
        let request = player.request(method, path).header("origin", ORIGIN);
        let request = match body {
            Some(body) => request.body(body),
            None => request,
        };
        let answer = player.send(request).await;
        assert_cors(&answer);
        answer
    };
    send(Method::GET, "/api/roulette/status", None)
        .await
        .expect_status(200);
    send(Method::GET, "/nowhere", None)
        .await
        .expect_error(404, "NOT_FOUND");
    send(Method::DELETE, "/api/roulette/play", None)
        .await
        .expect_error(405, "METHOD_NOT_ALLOWED");
    let big = Some("x".repeat(1 << 20));
    send(Method::POST, "/api/roulette/play", big)
        .await
        .expect_error(413, "BODY_TOO_LARGE");
    let text = Some("{}".to_owned());
    let unsupported = send(Method::POST, "/api/season-pass/claim", text).await;
    unsupported.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let request = player
        .request(Method::POST, "/api/season-pass/claim")
        .header("origin", ORIGIN);
    let invalid = player.send(request.json(&json!({}))).await;
    assert_cors(&invalid);
    invalid.expect_error(422, "VALIDATION_ERROR");
    app.readiness.drain();
    send(Method::GET, "/readyz", None)
        .await
        .expect_error(503, "NOT_READY");
    app.test
        .execute("DROP TABLE feature_redraw; DROP TABLE feature_log")
        .await;
    let broken = send(Method::POST, "/api/roulette/play", None).await;
    broken.expect_error(500, "DB_SCHEMA_MISMATCH");
    let throttled = send(Method::POST, "/api/roulette/play", None).await;
    throttled.expect_error(429, "TOO_MANY_REQUESTS");
}

#[tokio::test]
async fn a_preflight_needs_no_token_on_any_path() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    for path in [
        "/api/roulette/play",
        "/api/auth/token",
        "/admin/api/users/",
        "/nowhere",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = client
                .request(Method::OPTIONS, path)
                .header("origin", ORIGIN)
                .header("access-control-request-method", method)
                .header(
                    "access-control-request-headers",
                    "authorization, content-type, idempotency-key, x-request-id, x-reason, if-match, traceparent",
                );
            let answer = client.send(request).await.expect_status(200);
            assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN);
            let allowed = answer.headers["access-control-allow-methods"]
                .to_str()
                .unwrap();
            assert!(allowed.contains(method), "{allowed}");
        }
    }
}

#[tokio::test]
async fn only_known_origins_are_allowed() {
    let app = AppBuilder::default()
        .set("CORS_ORIGINS", "https://play.example")
        .start()
        .await;
    let client = app.anonymous();
    let allowed = async |origin: &str| {
        let request = client
            .request(Method::GET, "/health")
            .header("origin", origin);
        let answer = client.send(request).await.expect_status(200);
        answer.headers.contains_key("access-control-allow-origin")
    };
    for origin in [
        "https://play.example",
        ORIGIN,
        "https://www.cc-jm.com",
        "http://localhost:3000",
        "http://localhost:4173",
        "http://127.0.0.1:5173",
    ] {
        assert!(allowed(origin).await, "{origin}");
    }
    for origin in [
        "https://evil.example",
        "http://cc-jm.com",
        "https://cc-jm.com.evil.example",
        "null",
    ] {
        assert!(!allowed(origin).await, "{origin}");
    }
    let production = AppBuilder::default()
        .set("APP_ENV", "production")
        .start()
        .await;
    let client = production.anonymous();
    let request = client
        .request(Method::GET, "/health")
        .header("origin", "http://localhost:3000");
    let answer = client.send(request).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn answers_are_not_sniffed_framed_or_cached() {
    let app = TestApp::start().await;
    for path in ["/health", "/nowhere", "/api/season-pass/status"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(
            answer.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("'none'")
        );
    }
}

#[tokio::test]
async fn a_sane_request_id_is_taken_over_and_another_is_replaced() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let id = async |given: &str| {
        let request = client
            .request(Method::GET, "/nowhere")
            .header("x-request-id", given);
        let answer = client.send(request).await.expect_error(404, "NOT_FOUND");
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("order-17_a.b").await, "order-17_a.b");
    for odd in ["", "has space", "a\"b", &"x".repeat(65)] {
        assert_ne!(id(odd).await, odd);
    }
}
