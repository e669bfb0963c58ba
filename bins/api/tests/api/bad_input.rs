//! Whatever comes, the answer is an error of the contract: the documented code and shape, never a
//! 500, never HTML.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use xmas_kernel::MAX_NUMBER;
use xmas_test_support::{AppBuilder, TestApp};

use crate::metrics::assert_rejected;

/// Paths with a JSON body that need a player's token.
const BODIES: [&str; 3] = [
    "/api/season-pass/stamp",
    "/api/season-pass/claim",
    "/api/activity/record",
];
/// Every path that needs a player's token, with its method.
const PLAYER_PATHS: [(&str, &str); 15] = [
    ("GET", "/api/season-pass/status"),
    ("POST", "/api/season-pass/stamp"),
    ("POST", "/api/season-pass/claim"),
    ("GET", "/api/season-pass/internal-wins"),
    ("GET", "/api/roulette/status"),
    ("POST", "/api/roulette/play"),
    ("GET", "/api/dice/status"),
    ("POST", "/api/dice/play"),
    ("GET", "/api/lottery/status"),
    ("POST", "/api/lottery/play"),
    ("GET", "/api/ranking/today"),
    ("GET", "/api/wallet"),
    ("GET", "/api/me/history"),
    ("GET", "/api/me/plays/1/draw"),
    ("POST", "/api/activity/record"),
];

#[tokio::test]
async fn malformed_json_is_a_validation_error() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for path in BODIES
        .into_iter()
        .chain(["/api/auth/token", "/api/auth/refresh"])
    {
        for body in [
            "",
            "{",
            "nonsense",
            "{\"level\":7}}",
            "{\"level\":7} x",
            "[]",
            "null",
            "\"\\ud800\"",
            "{\"level\": 99999999999999999999999999}",
            "{\"level\":1,\"level\":2}",
            "\u{0}",
        ] {
            let request = player.request(Method::POST, path).body(body);
            let answer = player
                .send(request.header("content-type", "application/json"))
                .await;
            answer.expect_error(422, "VALIDATION_ERROR");
        }
        let not_utf8 = player
            .request(Method::POST, path)
            .body(vec![b'"', 0xff, b'"']);
        let answer = player
            .send(not_utf8.header("content-type", "application/json"))
            .await;
        answer.expect_error(422, "VALIDATION_ERROR");
        // Deeper than any parser should follow.
        let deep = "[".repeat(30_000);
        let deep = player.request(Method::POST, path).body(deep);
        let answer = player
            .send(deep.header("content-type", "application/json"))
            .await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn only_json_is_read() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let request = player
            .request(Method::POST, "/api/season-pass/claim")
            .body("{\"level\":7}");
        let answer = player
            .send(request.header("content-type", content_type))
            .await;
        answer.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = player
            .request(Method::POST, "/api/season-pass/claim")
            .body("{\"level\":7}");
        let answer = player
            .send(request.header("content-type", content_type))
            .await;
        answer.expect_error(400, "LEVEL_NOT_REACHED");
    }
}

#[tokio::test]
async fn packed_bodies_and_doubled_keys_are_refused() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    for encoding in ["gzip", "br", "wat"] {
        let request = player.request(Method::POST, "/api/season-pass/claim");
        let request = request
            .json(&json!({ "level": 7 }))
            .header("content-encoding", encoding);
        player
            .send(request)
            .await
            .expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let request = player.request(Method::POST, "/api/roulette/play");
    let request = request
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    player
        .send(request)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
}

#[tokio::test]
async fn bodies_end_at_64_kib() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let send = async |path: &str, bytes: usize| {
        let request = player.request(Method::POST, path);
        let request = request.header("content-type", "application/json");
        let level = r#"{ "level": 7 }"#;
        let body = level.to_owned() + &" ".repeat(bytes - level.len());
        player.send(request.body(body)).await
    };
    let path = "/api/season-pass/claim";
    let read = send(path, 64 * 1024).await;
    read.expect_error(400, "LEVEL_NOT_REACHED");
    for bytes in [64 * 1024 + 1, 1 << 20] {
        let refused = send(path, bytes).await;
        refused.expect_error(413, "BODY_TOO_LARGE");
    }
    for path in ["/api/auth/token", "/api/auth/refresh"] {
        let refused = send(path, 1 << 20).await;
        refused.expect_error(413, "BODY_TOO_LARGE");
    }
}

#[tokio::test]
async fn headers_end_at_16_kib() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let with_header = async |bytes: usize| {
        let request = client.request(Method::GET, "/health");
        client
            .send(request.header("x-filler", "x".repeat(bytes)))
            .await
    };
    with_header(15 * 1024).await.expect_status(200);
    with_header(16 * 1024)
        .await
        .expect_error(431, "HEADERS_TOO_LARGE");
    let path = format!("/health?{}", "x".repeat(16 * 1024));
    client
        .get(&path)
        .await
        .expect_error(431, "HEADERS_TOO_LARGE");
}

#[tokio::test]
async fn a_token_is_asked_for_before_anything_else() {
    let app = TestApp::start().await;
    for (method, path) in PLAYER_PATHS {
        let method: Method = method.parse().unwrap();
        let client = app.anonymous();
        let request = client.request(method.clone(), path).body("{");
        client
            .send(request)
            .await
            .expect_error(401, "AUTH_REQUIRED");
        for scheme in ["Basic ZGVtbzpkZW1v", "token abc", "Bearertoken"] {
            let request = client
                .request(method.clone(), path)
                .header("authorization", scheme);
            client
                .send(request)
                .await
                .expect_error(401, "AUTH_REQUIRED");
        }
        for header in [
            "Bearer",
            "Bearer ",
            "Bearer x",
            "bearer a.b.c",
            "Bearer \u{e9}",
        ] {
            let request = client
                .request(method.clone(), path)
                .header("authorization", header.as_bytes());
            client
                .send(request)
                .await
                .expect_error(401, "TOKEN_INVALID");
        }
    }
}

#[tokio::test]
async fn bad_tokens_are_refused_on_every_path() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    let good = player.token();
    let parts: Vec<&str> = good.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let tampered = format!("{}.{}x.{}", parts[0], parts[1], parts[2]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let alg_none = format!("{none}.{}.", parts[1]);
    let alg_none_signed = format!("{none}.{}.{}", parts[1], parts[2]);
    for (method, path) in PLAYER_PATHS {
        for token in [&tampered, &unsigned, &alg_none, &alg_none_signed] {
            let client = app.with_token(Some(token));
            let request = client.request(method.parse().unwrap(), path);
            client
                .send(request)
                .await
                .expect_error(401, "TOKEN_INVALID");
        }
    }
    app.clock.advance(chrono::TimeDelta::minutes(720));
    for (method, path) in PLAYER_PATHS {
        let request = player.request(method.parse().unwrap(), path);
        player
            .send(request)
            .await
            .expect_error(401, "TOKEN_EXPIRED");
    }
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
}

#[tokio::test]
async fn unknown_paths_and_methods_have_the_shape_too() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/season-pass/status/",
        "/api/season-pass//status",
        "/API/roulette/status",
        "/admin/api/segments/",
        "/admin/api/vault/1",
        "/%00",
        "/%ff%fe",
        "/../../etc/passwd",
        "/api/roulette/status%2f",
        "/룰렛",
    ] {
        player.get(path).await.expect_error(404, "NOT_FOUND");
    }
    for (allowed, path) in PLAYER_PATHS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if method != allowed {
                let request = player.request(method.parse().unwrap(), path);
                let answer = player
                    .send(request)
                    .await
                    .expect_error(405, "METHOD_NOT_ALLOWED");
                let allow = answer.headers["allow"].to_str().unwrap();
                assert!(allow.starts_with(allowed), "{allow}");
            }
        }
    }
}

#[tokio::test]
async fn hostile_text_is_just_text() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for text in [
        "'; DROP TABLE `user`; --",
        "\u{0}",
        "\u{202e}gnp",
        "🎄\u{200d}🎅",
        "%s%n{}${jndi:ldap://x}",
        "<script>alert(1)</script>",
    ] {
        let login = json!({ "external_id": text, "password": text });
        let answer = app.anonymous().post("/api/auth/token", &login).await;
        assert!(
            matches!(answer.status, 401 | 422),
            "{text:?}: {}",
            answer.text
        );
        let stamp = json!({ "source_feature_type": text });
        let refused = player.post("/api/season-pass/stamp", &stamp).await;
        refused.expect_error(422, "VALIDATION_ERROR");
        let report = json!({
            "event_id": uuid::Uuid::new_v4(), "event_type": "ENTER_PAGE", "meta_json": { "text": text },
        });
        player
            .post("/api/activity/record", &report)
            .await
            .expect_status(200);
    }
    app.login("santa").await.expect_status(200);
}

#[tokio::test]
async fn numbers_at_the_edges_are_just_numbers() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    for value in [i64::MIN, i64::MAX, MAX_NUMBER, -MAX_NUMBER, 0, -1] {
        let report = json!({
            "event_id": uuid::Uuid::new_v4(), "event_type": "PLAY_DURATION", "value": value,
        });
        // Clients read it again, and only so many digits of it.
        let fits = (-MAX_NUMBER..=MAX_NUMBER).contains(&value);
        player
            .post("/api/activity/record", &report)
            .await
            .expect_status(if fits { 200 } else { 422 });
        let claim = player
            .post("/api/season-pass/claim", &json!({ "level": value }))
            .await;
        claim.expect_error(404, "LEVEL_NOT_FOUND");
    }
    for value in [
        json!(1e308),
        json!(-1.5),
        json!(u64::MAX),
        json!(true),
        json!([1]),
        Value::Null,
    ] {
        let claim = player
            .post("/api/season-pass/claim", &json!({ "level": value }))
            .await;
        claim.expect_error(422, "VALIDATION_ERROR");
    }
}

/// Sends raw bytes and reads what comes back until the server is done.
pub(crate) async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let address = app.url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_not_http_is_answered_without_html_and_harms_nobody() {
    let app = TestApp::start().await;
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /api/auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /api/auth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /api/auth/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    ] {
        let answer = raw(&app, bytes).await;
        assert!(!answer.contains("<"), "{answer}");
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    app.anonymous().get("/health").await.expect_status(200);
}

/// The HTTP library answers by itself what it cannot read, and has no place for a body of ours. The
/// document says so.
#[tokio::test]
async fn what_cannot_be_read_as_a_request_is_answered_bare_and_the_connection_ends() {
    let app = TestApp::start().await;
    let get = |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\n{headers}\r\n");
    let many = |count: usize| "x-filler: 1\r\n".repeat(count);
    for (request, status) in [
        (get("/health", "host: a\r\nhost: b\r\n"), 400),
        (get("/health", ""), 400),
        (get("/health x", "host: a\r\n"), 400),
        (get("/health", &format!("host: a\r\n{}", many(97))), 431),
        (get(&format!("/{}", "x".repeat(66_000)), "host: a\r\n"), 400),
    ] {
        let answer = raw(&app, request.as_bytes()).await;
        let shown = &answer[..answer.len().min(300)];
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown}"
        );
        assert!(answer.contains("connection: close\r\n"), "{shown}");
        assert!(answer.ends_with("\r\n\r\n"), "{shown}");
    }
    let as_many_as_fit = format!("host: a\r\nconnection: close\r\n{}", many(90));
    let answer = raw(&app, get("/health", &as_many_as_fit).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // Whatever gets as far as the router has the shape.
    let longer = get(
        &format!("/{}", "x".repeat(20_000)),
        "host: a\r\nconnection: close\r\n",
    );
    let answer = raw(&app, longer.as_bytes()).await;
    assert!(answer.contains("HEADERS_TOO_LARGE"), "{answer}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended_and_leaves_nothing() {
    let app = AppBuilder::default()
        .set("REQUEST_SECONDS", "1")
        .start()
        .await;
    let player = app.player("santa", 1).await;
    // Somebody holds the player's row, or on SQLite the only writer.
    let tx = app.test.db.begin().await.unwrap();
    let locked = xmas_players::lock_in_tx(&tx, &player.identity())
        .await
        .unwrap();
    player
        .play("/api/roulette/play")
        .await
        .expect_error(503, "OVERLOADED");
    assert_rejected(&app, "too_long");
    drop((locked, tx));
    assert_eq!(app.test.count("SELECT COUNT(*) FROM feature_log").await, 0);
    assert_eq!(
        app.test.count("SELECT balance FROM user_game_wallet").await,
        1
    );
    player.play("/api/roulette/play").await.expect_status(200);
}

/// A connection to MySQL that is given such a year answers nothing any more.
#[tokio::test]
async fn a_day_that_no_database_knows_never_reaches_one() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for day in ["-0001-01-01", "0000-01-01", "0001-01-01", "+10000-01-01"] {
        // More often than there are connections.
        for _ in 0..12 {
            let path = format!("/api/fairness/{day}");
            let unknown = app.anonymous().get(&path).await;
            unknown.expect_error(404, "DAY_NOT_FOUND");
        }
        let board = format!("/admin/api/ranking/{day}");
        let unknown = admin.get(&board).await;
        unknown.expect_error(404, "RANKING_NOT_FOUND");
        let unknown = admin.delete(&board).await;
        unknown.expect_error(404, "RANKING_NOT_FOUND");
        let scheduled = format!("/admin/api/feature-schedule/{day}");
        let dice = json!({ "feature_type": "DICE" });
        let refused = admin.put(&scheduled, &dice).await;
        refused.expect_error(400, "INVALID_FEATURE_SCHEDULE");
        let day = day.replace('+', "%2B");
        for path in [
            format!("/admin/api/feature-schedule/?start_date={day}&end_date=2025-01-01"),
            format!("/admin/api/game-tokens/ledger?from={day}"),
            format!("/admin/api/logs/audit?to={day}T00:00:00Z"),
        ] {
            admin.get(&path).await.expect_error(422, "VALIDATION_ERROR");
        }
    }
    let season = json!({ "name": "x", "start_date": "-0001-01-01", "end_date": "-0001-01-01" });
    let refused = admin.post("/admin/api/seasons/", &season).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    let bridge = json!({ "settle_on": "-0001-01-01" });
    let refused = admin.put("/admin/api/event-bridge/", &bridge).await;
    refused.expect_error(422, "VALIDATION_ERROR");
    // A leap second is the next one.
    let leap = "/admin/api/game-tokens/ledger?from=2016-12-31T23:59:60Z&to=2016-12-31T23:59:60.5Z";
    admin.get(leap).await.expect_status(200);
    // The last day that there is.
    let board = "/admin/api/ranking/9999-12-31";
    let place = json!({ "items": [{ "rank": 1, "display_name": "산타", "score": 1 }] });
    admin.put(board, &place).await.expect_status(200);
    let season = json!({ "name": "x", "start_date": "9999-12-31", "end_date": "9999-12-31",
        "is_active": true, "levels": [{ "level": 1, "required_xp": 1, "reward_type": "POINT",
        "reward_amount": 1, "reward_label": "1 포인트" }] });
    admin
        .post("/admin/api/seasons/", &season)
        .await
        .expect_status(201);
}

/// However a body is made, what is told about it is short, and told soon.
#[tokio::test]
async fn an_answer_is_not_much_longer_than_what_was_sent() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (name, markup) = ("x".repeat(30_000), vec!["<b>"; 4_000]);
    let value = json!({ "value": { name: markup } });
    let deep = admin.put("/admin/api/ui-config/k", &value).await;
    let markup = json!({ "value": { "a": vec!["<b>"; 8_000] } });
    let wide = admin.put("/admin/api/ui-config/k", &markup).await;
    let prizes = json!({ "prizes": vec![json!({}); 20_000] });
    let prizes = admin.put("/admin/api/lottery-config/1", &prizes).await;
    let segments = json!({ "segments": vec![json!({}); 20_000] });
    let segments = admin.put("/admin/api/roulette-config/1", &segments).await;
    let label = json!({ "prizes": [{ "label": "\u{202e}".repeat(20_000), "weight": -1 }] });
    let label = admin.put("/admin/api/lottery-config/1", &label).await;
    let names: Vec<String> = (0..1_000).map(|number| format!("a{number}")).collect();
    let anybody = app.anonymous();
    let parameters = anybody
        .get(&format!("/api/ui-config/x?{}", names.join("&")))
        .await;
    for answer in [deep, wide, prizes, segments, label, parameters] {
        assert!(matches!(answer.status, 400 | 422), "{}", answer.status);
        let length = answer.text.len();
        assert!(length < 64 * 1024, "{} bytes from {}", length, answer.path);
    }
}
