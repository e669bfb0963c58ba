//! Other sites, in the browsers of those who play, against what production is set to.

use reqwest::Method;
use xmas_test_support::{AppBuilder, TestApp};

use super::{operations, rows};

const OWN: [&str; 3] = [
    "https://cc-jm.com",
    "https://www.cc-jm.com",
    "https://play.example",
];
/// Origins that look like one of [`OWN`], or like nothing.
const OTHERS: [&str; 22] = [
    "null",
    "",
    "*",
    "https://evil.example",
    "https://cc-jm.com.evil.example",
    "https://evilcc-jm.com",
    "https://evil-cc-jm.com",
    "https://cc-jm.co",
    "https://cc-jm.comm",
    "https://sub.cc-jm.com",
    "https://www.www.cc-jm.com",
    "https://ccxjm.com",
    "http://cc-jm.com",
    "https://cc-jm.com:8443",
    "https://cc-jm.com/",
    "https://cc-jm.com@evil.example",
    "https://cc-jm.com, https://evil.example",
    "https://play.example.evil.example",
    "HTTPS://CC-JM.COM",
    "http://localhost:3000",
    "http://127.0.0.1:5173",
    "file://",
];

async fn production() -> TestApp {
    AppBuilder::default()
        .set("APP_ENV", "production")
        .set("CORS_ORIGINS", "https://play.example")
        .start()
        .await
}

#[tokio::test]
async fn no_other_site_reads_an_answer() {
    let app = production().await;
    let player = app.player("santa", 0).await;
    for path in ["/api/wallet", "/admin/api/users/", "/nowhere", "/health"] {
        for origin in OTHERS {
            let request = player.request(Method::GET, path).header("origin", origin);
            let answer = player.send(request).await;
            for name in [
                "access-control-allow-origin",
                "access-control-allow-credentials",
            ] {
                assert!(
                    !answer.headers.contains_key(name),
                    "{path} {origin:?} {name}"
                );
            }
        }
        for origin in OWN {
            let request = player.request(Method::GET, path).header("origin", origin);
            let answer = player.send(request).await;
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            // A cache must not give one site's answer to another.
            let varies = answer.headers["vary"]
                .to_str()
                .unwrap()
                .to_ascii_lowercase();
            assert!(varies.contains("origin"), "{varies}");
            // Nothing here is known by a cookie, so that no browser is asked to send one.
            let credentials = "access-control-allow-credentials";
            assert!(!answer.headers.contains_key(credentials));
        }
    }
}

#[tokio::test]
async fn no_other_site_may_ask_for_any_operation() {
    let app = production().await;
    let client = app.anonymous();
    let mut asked = 0;
    for operation in operations() {
        let path = crate::openapi::filled(&operation.template);
        let preflight = |origin: &str, method: &str, headers: &str| {
            client
                .request(Method::OPTIONS, &path)
                .header("origin", origin)
                .header("access-control-request-method", method)
                .header("access-control-request-headers", headers)
        };
        let method = operation.method.as_str();
        for origin in OTHERS {
            let answer = client
                .send(preflight(origin, method, "authorization"))
                .await;
            assert!(
                !answer.headers.contains_key("access-control-allow-origin"),
                "{} for {origin:?}",
                operation.name()
            );
            asked += 1;
        }
        for origin in OWN {
            let answer = client
                .send(preflight(origin, method, "authorization"))
                .await;
            let answer = answer.expect_status(200);
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            assert!(
                !answer
                    .headers
                    .contains_key("access-control-allow-credentials")
            );
        }
        // Even one's own sites may not ask with what no client of ours sends.
        for (method, headers) in [
            ("TRACE", "authorization"),
            ("CONNECT", "authorization"),
            ("PROPFIND", "authorization"),
            (method, "x-original-url"),
            (method, "cookie"),
            (method, "x-forwarded-for"),
        ] {
            let answer = client.send(preflight(OWN[0], method, headers)).await;
            assert_ne!(answer.status, 200, "{method} {headers}");
        }
    }
    assert!(asked > 2_000, "{asked}");
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let app = production().await;
    app.player("santa", 0).await;
    let before = rows(&app).await;
    let client = app.anonymous();
    // What browsers send without asking first: these types, and no header of ours.
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        for operation in operations() {
            if operation.method != Method::POST {
                continue;
            }
            let body = r#"{"external_id":"santa","password":"test-password"}"#;
            let path = crate::openapi::filled(&operation.template);
            let request = client
                .request(Method::POST, &path)
                .header("origin", "https://evil.example")
                .header("content-type", content_type)
                .header("cookie", "session=1")
                .body(body);
            let answer = client.send(request).await;
            let refused = [401, 415];
            assert!(
                refused.contains(&answer.status),
                "{}: {}",
                operation.name(),
                answer.text
            );
        }
    }
    assert_eq!(rows(&app).await, before);
}
