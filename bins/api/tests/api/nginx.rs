//! nginx with the configuration that is shipped (`nginx/`), in front of the application and of things that stand in
//! its place.

mod https;
mod upstream;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};
use serde_json::json;
use tempfile::TempDir;
use xmas_kernel::ErrorCode;
use xmas_test_support::{Nginx, RedisServer, Site, TestDb, free_port};
use xmas_texts::Language;

use self::{
    https::{Answer, Https, Request, ask_plainly, exchange},
    upstream::{Does, Upstream},
};
use super::command_line::{Serving, run, text, xmas_api};

/// A browser's page that is not of this site.
const ORIGIN: &str = "https://cc-jm.com";
/// What every answer over HTTPS says.
const HSTS: &str = "max-age=31536000";
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// nginx in front of such processes, and a client.
fn in_front_of(upstreams: &[&Upstream]) -> Option<(Nginx, Https)> {
    let api = upstreams.iter().map(|upstream| upstream.port()).collect();
    start(Site {
        api,
        ..Site::default()
    })
}

fn start(site: Site) -> Option<(Nginx, Https)> {
    let nginx = Nginx::start(&site)?;
    let client = client(&nginx);
    Some((nginx, client))
}

fn client(nginx: &Nginx) -> Https {
    Https::new(nginx.https(), &nginx.certificate())
}

fn get(path: &str) -> Request {
    Request::new("GET", path)
}

fn post(path: &str) -> Request {
    Request::new("POST", path)
}

/// Whether a browser may send this, which it asks first.
fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("Origin", ORIGIN)
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "authorization,idempotency-key",
        )
}

/// That nginx answered as the API does: the contract's body, and each header once.
#[track_caller]
fn assert_of_the_contract(answer: &Answer, code: ErrorCode, retry_after: Option<&str>) {
    assert_eq!(answer.status, code.http_status(), "{}", answer.text());
    let id = answer.header("x-request-id").expect("a request id");
    let body = json!({
        "error": { "code": code.as_str(), "message": code.message(Language::English), "request_id": id },
        "detail": code.as_str(),
    });
    assert_eq!(answer.json(), body);
    assert_eq!(answer.header("retry-after"), retry_after);
    for (name, value) in [
        ("content-type", "application/json"),
        ("strict-transport-security", HSTS),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", API_POLICY),
        ("server", "nginx"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

/// That a page of any origin may read it, as it may the API's own errors.
#[track_caller]
fn assert_readable_elsewhere(answer: &Answer) {
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(exposed, Some("x-request-id, retry-after"));
}

#[test]
fn there_is_no_way_in_but_tls_1_2_and_1_3() {
    let upstream = Upstream::start(Does::Answers);
    let Some((nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    let https = format!("https://localhost:{}", nginx.https());
    // Both ports send a request without TLS to https://, with its method, its path and what it asks.
    for path in ["/", "/api/wallet?a=b%20c", "/admin/api/users/", "/readyz"] {
        for method in ["GET", "POST"] {
            for port in [nginx.http(), nginx.https()] {
                let answer = ask_plainly(port, &Request::new(method, path));
                assert_eq!(answer.status, 308, "{path}");
                let there = format!("{https}{path}");
                assert_eq!(answer.header("location"), Some(there.as_str()));
            }
        }
    }
    assert_eq!(upstream.asked().len(), 0);

    // Answers to ACME challenges are there for whoever asks without TLS, and nothing else of that folder.
    let challenges = nginx.acme().join(".well-known/acme-challenge");
    fs::create_dir_all(&challenges).unwrap();
    fs::write(challenges.join("token"), "the answer").unwrap();
    fs::write(nginx.acme().join("other"), "not this").unwrap();
    let ask = |path: &str| ask_plainly(nginx.http(), &get(path));
    let answer = ask("/.well-known/acme-challenge/token").expect_status(200);
    assert_eq!(answer.text(), "the answer");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    ask("/.well-known/acme-challenge/none").expect_status(404);
    ask("/.well-known/acme-challenge/../../other").expect_status(308);
    ask("/-/up").expect_status(204);

    let negotiated = |protocols: &[&str], versions: &[_]| {
        Https::negotiated(nginx.https(), &nginx.certificate(), protocols, versions)
    };
    let (protocol, version) = negotiated(&["h2", "http/1.1"], &[&TLS13, &TLS12]);
    assert_eq!(protocol.as_deref(), Some("h2"));
    assert_eq!(version, Some(ProtocolVersion::TLSv1_3));
    let (protocol, version) = negotiated(&["http/1.1"], &[&TLS12]);
    assert_eq!(protocol.as_deref(), Some("http/1.1"));
    assert_eq!(version, Some(ProtocolVersion::TLSv1_2));
    // An alert (21), two bytes long and fatal: "protocol version" (70).
    let refused = exchange(nginx.https(), &hello_of_tls_1_1());
    assert_eq!(refused.first(), Some(&21), "{refused:?}");
    assert_eq!(refused[3..], [0, 2, 2, 70], "{refused:?}");

    let answer = client.get("/health").expect_status(200);
    assert_eq!(answer.header("strict-transport-security"), Some(HSTS));
    assert_eq!(upstream.asked().len(), 1);
}

/// The first message of a client that knows TLS 1.1 and nothing newer.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session to continue; ECDHE-ECDSA, ECDHE-RSA and RSA with AES-128 and SHA; no compression.
    hello.extend([0, 0, 6, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[test]
fn what_is_for_the_inside_cannot_be_reached_however_the_path_is_written() {
    let upstream = Upstream::start(Does::Answers);
    let Some((_nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    for path in [
        "/metrics",
        "/metrics/",
        "/metrics?a=b",
        "//metrics",
        "/%6detrics",
        "/readyz",
        "/readyz/x",
        "/readyz#/../api/wallet",
        "/livez",
        "/api/../readyz",
        "/api/%2e%2e/readyz",
        "/api/..%2freadyz",
        "/x/..//metrics",
        "https://localhost/readyz",
    ] {
        let answer = client.ask(&get(path).header("Origin", ORIGIN));
        assert_of_the_contract(&answer, ErrorCode::NotFound, None);
        assert_readable_elsewhere(&answer);
    }
    // The places inside of nginx itself.
    for path in [
        "/-/player/once",
        "/-/player/again",
        "/-/admin/once",
        "/-/admin/upload",
        "/-/to-https",
        "/-/headers-too-large",
        "/-/maintenance.html",
        "/-/../-/player/once",
        "/-/",
        "/-/up",
    ] {
        client.get(path).expect_status(404);
    }
    assert_eq!(upstream.asked().len(), 0);
    // Paths are passed on as they were written.
    for path in [
        "/api/ui-config/a%2Fb%20c?x=%41",
        "/admin/api/users/",
        "/api/docs/",
    ] {
        client.get(path).expect_status(200);
        let asked = upstream.asked();
        let line = asked[0].head.lines().next();
        assert_eq!(line, Some(format!("GET {path} HTTP/1.1").as_str()));
    }
}

#[test]
fn the_api_hears_who_asks_from_nginx_and_from_nobody_else() {
    let upstream = Upstream::start(Does::Answers);
    let Some((nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    for path in [
        "/api/wallet",
        "/admin/api/users/",
        "/api/auth/token",
        "/health",
        "/api/docs/",
    ] {
        let request = get(path)
            .header("X-Forwarded-For", "203.0.113.1")
            .header("X-Forwarded-For", "203.0.113.2, 203.0.113.3")
            .header("X-Request-ID", "order-17_a.b")
            .header("Authorization", "Bearer abc")
            .header("Idempotency-Key", "k");
        client.ask(&request).expect_status(200);
        let asked = &upstream.asked()[0];
        assert_eq!(asked.header("x-forwarded-for"), ["127.0.0.1"], "{path}");
        assert_eq!(asked.header("x-request-id"), ["order-17_a.b"], "{path}");
        assert_eq!(asked.header("host"), ["localhost"], "{path}");
        assert_eq!(asked.header("authorization"), ["Bearer abc"], "{path}");
        assert_eq!(asked.header("idempotency-key"), ["k"], "{path}");
        // The connection is kept, which HTTP/1.1 means when nothing is said.
        assert_eq!(asked.header("connection"), [""; 0], "{path}");
    }
    for odd in ["has space", "a\"b", &"x".repeat(65)] {
        client.ask(&get("/api/wallet").header("X-Request-ID", odd));
        let asked = &upstream.asked()[0];
        let ids = asked.header("x-request-id");
        assert_eq!(ids.len(), 1);
        assert_eq!(ids[0].len(), 32, "{odd}: {ids:?}");
        assert_ne!(ids[0], odd);
    }

    // The log names the request, and not what was looked for.
    let request = get("/admin/api/users/?search=rudolf").header("X-Request-ID", "find-me");
    client.ask(&request.header("Authorization", "Bearer s3cret"));
    let line = logged(&nginx, "find-me");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["path"], "/admin/api/users/");
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["status"], 200);
    assert_eq!(line["upstream"], format!("127.0.0.1:{}", upstream.port()));
    let log = nginx.log();
    assert!(!log.contains("rudolf") && !log.contains("s3cret"), "{log}");
}

/// The line of a request, which is written after its answer.
fn logged(nginx: &Nginx, id: &str) -> String {
    for _ in 0..500 {
        if let Some(line) = nginx.log().lines().find(|line| line.contains(id)) {
            return line.to_owned();
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not logged: {id}");
}

#[test]
fn behind_another_proxy_the_client_is_whom_that_one_heard_from() {
    let upstream = Upstream::start(Does::Answers);
    let site = Site {
        api: vec![upstream.port()],
        has_outer_proxy: true,
        ..Site::default()
    };
    let Some((_nginx, mut client)) = start(site) else {
        return;
    };
    let login = |forwarded: &str| get("/api/auth/x").header("X-Forwarded-For", forwarded);
    for (forwarded, heard) in [
        ("203.0.113.7", "203.0.113.7"),
        // What stands before it is hearsay.
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("nonsense", "127.0.0.1"),
    ] {
        client.ask(&login(forwarded)).expect_status(200);
        let asked = &upstream.asked()[0];
        assert_eq!(asked.header("x-forwarded-for"), [heard]);
    }

    // Two minutes' worth of attempts to log in pass at once, and few more. An IPv6 network (/64) is one client.
    let mut passed = |address: &dyn Fn(u32) -> String, most: u32| {
        (0..most).find_map(|number| {
            let answer = client.ask(&login(&address(number)).header("Origin", ORIGIN));
            (answer.status != 200).then_some((number, answer))
        })
    };
    let (accepted, refusal) = passed(&|_| "203.0.113.9".to_owned(), 5_000).expect("a limit");
    assert!((601..1_800).contains(&accepted), "{accepted}");
    assert_of_the_contract(&refusal, ErrorCode::TooManyRequests, Some("1"));
    assert_readable_elsewhere(&refusal);
    let (accepted, _) = passed(&|last| format!("2001:db8:1:1::{last:x}"), 5_000).expect("a limit");
    assert!((601..1_800).contains(&accepted), "{accepted}");
    assert!(passed(&|last| format!("2001:db8:2:{last:x}::1"), 900).is_none());
    assert!(passed(&|last| format!("198.51.{}.{}", last / 200, last % 200), 900).is_none());
}

#[test]
fn nginx_refuses_no_size_that_the_api_takes_and_says_it_in_the_api_s_words() {
    let upstream = Upstream::start(Does::Answers);
    let Some((_nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    let json_bytes = xmas_http::middleware::limits::MAX_BODY_BYTES;
    let csv_bytes = xmas_http::middleware::limits::MAX_CSV_BYTES;
    for (path, most) in [
        ("/api/dice/play", json_bytes),
        ("/api/auth/token", json_bytes),
        ("/admin/api/users/import", csv_bytes),
    ] {
        for chunked in [false, true] {
            let request = |size: usize| match chunked {
                false => post(path).body(vec![b'x'; size]),
                true => post(path).chunked(&vec![b'x'; size]),
            };
            client.ask(&request(most)).expect_status(200);
            let received: Vec<_> = upstream.asked().iter().map(|asked| asked.body).collect();
            // Tables come as they were sent, others whole.
            assert_eq!(received, [most], "{path}");
            let answer = client.ask(&request(most + 1).header("Origin", ORIGIN));
            assert_of_the_contract(&answer, ErrorCode::BodyTooLarge, None);
            assert_readable_elsewhere(&answer);
            assert!(upstream.asked().iter().all(|asked| asked.body <= most));
        }
    }
    // All headers together: the API says itself that 16 KiB are enough.
    let long = |size: usize| get("/api/wallet").header("X-Long", &"x".repeat(size));
    client.ask(&long(16_000)).expect_status(200);
    client
        .ask(&long(15_000).header("X-More", &"y".repeat(15_000)))
        .expect_status(200);
    assert_eq!(upstream.asked().len(), 2);
    for request in [
        long(17_000),
        get(&format!("/api/wallet?{}", "x".repeat(17_000))),
    ] {
        let answer = client.ask(&request);
        assert_of_the_contract(&answer, ErrorCode::HeadersTooLarge, None);
    }
    assert_eq!(upstream.asked().len(), 0);
}

#[test]
fn a_request_that_may_have_happened_is_repeated_only_if_that_does_nothing_twice() {
    if Nginx::program().is_none() {
        return;
    }
    let not_ready = ErrorCode::NotReady;
    // What nobody knows the end of is no 503, which promises that nothing happened.
    let unknown = ErrorCode::Internal;
    for (method, path, key, sent, code) in [
        ("GET", "/api/wallet", None, 2, not_ready),
        ("GET", "/admin/api/users/", None, 2, not_ready),
        ("GET", "/health", None, 2, not_ready),
        ("POST", "/api/dice/play", Some("k"), 2, not_ready),
        (
            "POST",
            "/admin/api/game-tokens/grant",
            Some("k"),
            2,
            not_ready,
        ),
        ("PUT", "/admin/api/users/1", None, 2, not_ready),
        ("DELETE", "/admin/api/users/1", None, 2, not_ready),
        ("POST", "/api/dice/play", None, 1, unknown),
        ("POST", "/api/dice/play", Some(""), 1, unknown),
        ("PATCH", "/api/dice/play", None, 1, unknown),
        ("POST", "/admin/api/game-tokens/grant", None, 1, unknown),
        ("POST", "/api/auth/refresh", None, 1, unknown),
        // It takes no key.
        ("POST", "/api/auth/refresh", Some("k"), 1, not_ready),
    ] {
        let case = format!("{method} {path} {key:?}");
        let dead = [
            Upstream::start(Does::HangsUp),
            Upstream::start(Does::HangsUp),
        ];
        let Some((_nginx, mut client)) = in_front_of(&[&dead[0], &dead[1]]) else {
            return;
        };
        let mut request = Request::new(method, path).header("Origin", ORIGIN);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if method != "GET" {
            request = request.json(&json!({ "a": 1 }));
        }
        let answer = client.ask(&request);
        let asked: Vec<_> = dead.iter().flat_map(Upstream::asked).collect();
        assert_eq!(asked.len(), sent, "{case}");
        let retry_after = (code == not_ready).then_some("1");
        assert_of_the_contract(&answer, code, retry_after);
        assert_readable_elsewhere(&answer);

        // With another process that lives, whatever may be repeated succeeds.
        let alive = Upstream::start(Does::Answers);
        let Some((_nginx, mut client)) = in_front_of(&[&dead[0], &alive]) else {
            return;
        };
        let statuses = [client.ask(&request).status, client.ask(&request).status];
        let failed = statuses.iter().filter(|status| **status != 200).count();
        // Whichever is asked first, the dead one is asked once or twice.
        let on_dead = dead[0].asked();
        assert!(
            (1..=2).contains(&on_dead.len()),
            "{case}: {}",
            on_dead.len()
        );
        assert_eq!(failed, if sent == 2 { 0 } else { on_dead.len() }, "{case}");
        let received = on_dead
            .iter()
            .chain(&alive.asked())
            .filter(|it| it.body > 0)
            .count();
        assert_eq!(
            received > 0,
            method != "GET",
            "{case}: the body comes along"
        );
    }
}

#[test]
fn a_process_that_is_gone_is_noticed_by_nobody_and_one_that_is_busy_is_left_alone() {
    let alive = Upstream::start(Does::Answers);
    let site = Site {
        api: vec![free_port(), alive.port()],
        ..Site::default()
    };
    let Some((_nginx, mut client)) = start(site) else {
        return;
    };
    // Where nobody listens nothing was sent, so that anything may be sent elsewhere.
    for _ in 0..10 {
        client.ask(&post("/api/dice/play")).expect_status(200);
        client
            .ask(&post("/admin/api/users/import").body("x".repeat(200_000)))
            .expect_status(200);
    }
    assert_eq!(alive.asked().len(), 20);

    let busy = Does::Says("503 Service Unavailable\r\nRetry-After: 7");
    let busy = [Upstream::start(busy), Upstream::start(busy)];
    let Some((_nginx, mut client)) = in_front_of(&[&busy[0], &busy[1]]) else {
        return;
    };
    for request in [
        get("/api/wallet"),
        post("/api/dice/play").header("Idempotency-Key", "k"),
        get("/admin/api/users/"),
    ] {
        let answer = client.ask(&request).expect_status(503);
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.text(), "ok");
        let asked: usize = busy.iter().map(|it| it.asked().len()).sum();
        assert_eq!(asked, 1);
    }
}

#[test]
fn a_process_that_falls_silent_is_waited_for_longer_than_any_request_takes() {
    let silent = Upstream::start(Does::FallsSilent);
    let Some((nginx, _)) = in_front_of(&[&silent]) else {
        return;
    };
    let requests = [
        (get("/api/wallet"), ErrorCode::Overloaded, Some("1")),
        (post("/api/dice/play"), ErrorCode::Internal, None),
    ];
    thread::scope(|scope| {
        for (request, code, retry_after) in requests {
            let mut client = client(&nginx);
            scope.spawn(move || {
                let started = Instant::now();
                let answer = client.ask(&request.header("Origin", ORIGIN));
                // REQUEST_SECONDS, after which the API says so itself.
                assert!(started.elapsed() > Duration::from_secs(10));
                assert_of_the_contract(&answer, code, retry_after);
                assert_readable_elsewhere(&answer);
            });
        }
    });
    assert_eq!(silent.asked().len(), 2);
}

#[test]
fn a_table_is_refused_before_it_has_come() {
    let upstream = Upstream::start(Does::RefusesUnread);
    let Some((_nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    // So nobody fills the disk with tables without a token.
    let table = post("/admin/api/users/import").body_that_stops("external_id\n", 1_000_000);
    client.ask(&table).expect_status(401);
}

#[test]
fn long_answers_are_packed_unless_there_are_tokens_in_them() {
    let upstream = Upstream::start(Does::AnswersAtLength);
    let Some((_nginx, mut client)) = in_front_of(&[&upstream]) else {
        return;
    };
    for (path, packed) in [
        ("/api/wallet", Some("gzip")),
        ("/admin/api/users/", Some("gzip")),
        ("/api/auth/token", None),
    ] {
        let answer = client.ask(&get(path).header("Accept-Encoding", "gzip"));
        assert_eq!(answer.header("content-encoding"), packed, "{path}");
        let plain = client.get(path).expect_status(200);
        assert_eq!(plain.header("content-encoding"), None);
        assert!(plain.text().starts_with("\"long long"), "{path}");
    }
}

#[test]
fn without_any_process_browsers_are_still_told_why() {
    let site = Site {
        api: vec![free_port(), free_port()],
        ..Site::default()
    };
    let Some((_nginx, mut client)) = start(site) else {
        return;
    };
    for request in [
        get("/api/wallet"),
        // It was sent to nobody.
        post("/api/dice/play"),
        // Nor is a body read for nobody, so that nothing else can come on this connection.
        post("/admin/api/users/import")
            .header("Connection", "close")
            .body("x".repeat(200_000)),
        get("/health"),
        get("/api/docs/"),
    ] {
        let answer = client.ask(&request.header("Origin", ORIGIN));
        assert_of_the_contract(&answer, ErrorCode::NotReady, Some("1"));
        assert_readable_elsewhere(&answer);
        assert_eq!(answer.header("access-control-allow-methods"), None);
    }
    // Who is of the same origin asks without one, and is told nothing about others.
    let answer = client.get("/api/wallet");
    assert_of_the_contract(&answer, ErrorCode::NotReady, Some("1"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    for path in ["/api/dice/play", "/admin/api/users/", "/api/auth/token"] {
        assert_preflight(&client.ask(&preflight(path)));
    }
    // A page that says something, though nothing serves the web client, whose name leads nowhere.
    for path in ["/", "/ranking"] {
        let answer = client.get(path).expect_status(503);
        assert_page(&answer);
        assert!(
            answer.text().contains("이벤트 페이지가"),
            "{}",
            answer.text()
        );
        assert_eq!(answer.header("retry-after"), Some("10"));
    }
}

/// A yes of nginx itself, which is forgotten at once.
#[track_caller]
fn assert_preflight(answer: &Answer) {
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_readable_elsewhere(answer);
    let methods = answer.header("access-control-allow-methods");
    assert_eq!(methods, Some("GET, POST, PUT, PATCH, DELETE"));
    let headers = answer.header("access-control-allow-headers").unwrap();
    for header in [
        "authorization",
        "content-type",
        "idempotency-key",
        "x-request-id",
        "x-reason",
        "if-match",
        "traceparent",
    ] {
        assert!(headers.contains(header), "{headers}");
    }
    assert_eq!(answer.header("access-control-max-age"), Some("0"));
}

/// A page of nginx itself.
#[track_caller]
fn assert_page(answer: &Answer) {
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("strict-transport-security", HSTS),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", policy),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert!(answer.header("x-request-id").is_some());
    let page = answer.text();
    for inline in ["<script", "<style", "style="] {
        assert!(!page.contains(inline), "{inline}: {page}");
    }
    assert!(
        page.contains("lang=\"ko\"") && page.contains("lang=\"en\""),
        "{page}"
    );
}

#[test]
fn maintenance_closes_what_players_reach_and_leaves_the_way_of_operators_open() {
    let upstream = Upstream::start(Does::Answers);
    let client_files = web_client();
    let Some(files) = Nginx::serving(client_files.path()) else {
        return;
    };
    let site = Site {
        api: vec![upstream.port()],
        frontend: Some(files.https()),
        ..Site::default()
    };
    let Some((nginx, mut client)) = start(site) else {
        return;
    };
    client.get("/api/wallet").expect_status(200);
    fs::write(nginx.maintenance_flag(), "").unwrap();
    upstream.asked();
    for request in [
        get("/api/wallet"),
        post("/api/dice/play").header("Idempotency-Key", "k"),
    ] {
        let answer = client.ask(&request.header("Origin", ORIGIN));
        assert_of_the_contract(&answer, ErrorCode::NotReady, Some("60"));
        assert_readable_elsewhere(&answer);
    }
    assert_preflight(&client.ask(&preflight("/api/dice/play")));
    for request in [
        get("/"),
        get("/ranking"),
        get("/assets/index-DiwrgTda.js"),
        post("/"),
    ] {
        let answer = client.ask(&request).expect_status(503);
        assert_page(&answer);
        assert_eq!(answer.header("retry-after"), Some("60"));
        let page = answer.text();
        assert!(page.contains("점검 중입니다"), "{page}");
        assert!(page.contains("Under maintenance"), "{page}");
    }
    let style = client.get("/-/page.css").expect_status(200);
    assert_eq!(style.header("content-type"), Some("text/css"));
    assert_eq!(upstream.asked().len(), 0);
    for request in [
        get("/health"),
        get("/api/docs/"),
        get("/admin/api/users/"),
        post("/admin/api/game-tokens/grant").header("Idempotency-Key", "k"),
        post("/api/auth/token"),
        preflight("/admin/api/users/"),
    ] {
        client.ask(&request).expect_status(200);
        assert_eq!(upstream.asked().len(), 1, "{request:?}");
    }
    fs::remove_file(nginx.maintenance_flag()).unwrap();
    client.get("/api/wallet").expect_status(200);
    client.get("/").expect_status(200);
}

/// What a build of the web client leaves, with a style that a script makes, as the existing one does for its snow.
fn web_client() -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let shell = "<!doctype html><html lang=\"ko\"><head><meta charset=\"utf-8\"><title>client</title>\
        <link rel=\"icon\" href=\"data:,\">\
        <script type=\"module\" crossorigin src=\"/assets/index-DiwrgTda.js\"></script>\
        <link rel=\"stylesheet\" crossorigin href=\"/assets/index-B1x_abcd.css\"></head>\
        <body><div id=\"root\"></div></body></html>";
    write("index.html", shell);
    let script = "const snow = document.createElement('style');\n\
        snow.textContent = '#root { animation: fall 9s; } @keyframes fall { to { top: 9px; } }';\n\
        document.head.append(snow);\n\
        const root = document.getElementById('root');\n\
        root.dataset.snow = getComputedStyle(root).animationName;\n\
        const told = await fetch('/health');\n\
        root.textContent = (await told.json()).status;\n";
    write(
        "assets/index-DiwrgTda.js",
        &format!("{script}{}", "// long\n".repeat(200)),
    );
    write("assets/index-B1x_abcd.css", "#root { color: green; }");
    write("assets/main.3f2a9c1b.chunk.js", "");
    write("assets/background-christmas.png", "");
    write("assets/logo-1024x768.png", "");
    write("favicon.ico", "");
    write("app.webmanifest", "{}");
    write(".git/config", "a secret");
    // What must not run.
    let inline = "<!doctype html><title>inline</title><link rel=\"icon\" href=\"data:,\">\
        <p id=\"p\">as it was</p><script>document.getElementById('p').textContent = 'ran';</script>";
    write("inline.html", inline);
    folder
}

#[test]
fn files_of_the_web_client_are_kept_for_as_long_as_they_may_be() {
    let upstream = Upstream::start(Does::Answers);
    let client_files = web_client();
    let Some(files) = Nginx::serving(client_files.path()) else {
        return;
    };
    let site = Site {
        api: vec![upstream.port()],
        frontend: Some(files.https()),
        ..Site::default()
    };
    let Some((_nginx, mut client)) = start(site) else {
        return;
    };
    let for_ever = "public, max-age=31536000, immutable";
    for (path, status, kept, kind) in [
        ("/", 200, "no-cache", "text/html; charset=utf-8"),
        ("/index.html", 200, "no-cache", "text/html; charset=utf-8"),
        // Paths of the client itself lead to its shell.
        (
            "/season-pass/levels",
            200,
            "no-cache",
            "text/html; charset=utf-8",
        ),
        ("/assets/index-DiwrgTda.js", 200, for_ever, "javascript"),
        ("/assets/index-B1x_abcd.css", 200, for_ever, "text/css"),
        (
            "/assets/main.3f2a9c1b.chunk.js",
            200,
            for_ever,
            "javascript",
        ),
        // Names that only look alike would be stale for a year.
        (
            "/assets/background-christmas.png",
            200,
            "no-cache",
            "image/png",
        ),
        ("/assets/logo-1024x768.png", 200, "no-cache", "image/png"),
        ("/favicon.ico", 200, "no-cache", "image/"),
        (
            "/app.webmanifest",
            200,
            "no-cache",
            "application/manifest+json",
        ),
        // The shell is no script, and the next build may bring what is missing.
        ("/assets/index-DiwrgTdb.js", 404, "no-store", "text/html"),
        ("/.git/config", 404, "no-store", "text/html"),
        ("/nothing.js", 404, "no-store", "text/html"),
    ] {
        let answer = client.get(path).expect_status(status);
        assert_eq!(answer.header("cache-control"), Some(kept), "{path}");
        let found = answer.header("content-type").unwrap();
        assert!(found.contains(kind), "{path}: {found}");
        let policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
            img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; \
            base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
        for (name, value) in [
            ("strict-transport-security", HSTS),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            (
                "permissions-policy",
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
            ("cross-origin-opener-policy", "same-origin"),
            ("content-security-policy", policy),
            ("server", "nginx"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {name}");
        }
        assert!(answer.header("x-request-id").is_some(), "{path}");
        if status == 200 {
            let tag = answer.header("etag").unwrap();
            let again = client
                .ask(&get(path).header("If-None-Match", tag))
                .expect_status(304);
            assert_eq!(again.header("cache-control"), Some(kept), "{path}");
        }
    }
    client.ask(&post("/")).expect_status(405);
    let packed = get("/assets/index-DiwrgTda.js").header("Accept-Encoding", "gzip");
    let packed = client.ask(&packed).expect_status(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("vary"), Some("Accept-Encoding"));
    assert!(packed.body.starts_with(&[0x1f, 0x8b]));
    assert_eq!(upstream.asked().len(), 0);
}

/// Two processes of the application on one database and one Redis server, behind nginx.
struct Deployment {
    nginx: Nginx,
    api: Vec<Serving>,
    ports: Vec<u16>,
    metrics: Vec<u16>,
    variables: Vec<(&'static str, String)>,
    test: TestDb,
    _redis: Option<RedisServer>,
    folder: TempDir,
}

impl Deployment {
    async fn start() -> Option<Self> {
        Nginx::program()?;
        let folder = TempDir::new().unwrap();
        let test = TestDb::new().await;
        let redis = RedisServer::start();
        let mut variables = vec![
            ("DATABASE_URL", test.url().to_owned()),
            ("TRUSTED_PROXIES", "127.0.0.1".to_owned()),
            ("CORS_ORIGINS", "https://play.example".to_owned()),
            ("PLAYER_WRITES_PER_MINUTE", "0".to_owned()),
            ("PLAYER_READS_PER_MINUTE", "0".to_owned()),
        ];
        variables.extend(redis.iter().map(|redis| ("REDIS_URL", redis.url())));
        let mut seed = xmas_api(folder.path());
        seed.envs(variables.iter().map(|(name, value)| (name, value)));
        let seeded = run(seed.args(["seed", "demo"]));
        assert!(seeded.status.success(), "{}", text(&seeded.stderr));
        // Its result is what metrics show first.
        let mut audit = xmas_api(folder.path());
        audit.envs(variables.iter().map(|(name, value)| (name, value)));
        assert!(run(audit.arg("audit")).status.success());
        let ports = vec![free_port(), free_port()];
        let site = Site {
            api: ports.clone(),
            ..Site::default()
        };
        let mut deployment = Self {
            nginx: Nginx::start(&site)?,
            api: Vec::new(),
            ports,
            metrics: vec![free_port(), free_port()],
            variables,
            test,
            _redis: redis,
            folder,
        };
        deployment.api = (0..2).map(|number| deployment.serve(number)).collect();
        Some(deployment)
    }

    fn serve(&self, number: usize) -> Serving {
        let address = format!("127.0.0.1:{}", self.ports[number]);
        let metrics = format!("127.0.0.1:{}", self.metrics[number]);
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let own = [
            ("BIND_ADDR", address.as_str()),
            ("METRICS_ADDR", metrics.as_str()),
        ];
        let variables: Vec<_> = variables.chain(own).collect();
        Serving::start(self.folder.path(), &variables)
    }

    fn client(&self) -> Https {
        client(&self.nginx)
    }

    fn login(&self, id: &str, password: &str) -> String {
        let credentials = json!({ "external_id": id, "password": password });
        let session = self
            .client()
            .ask(&post("/api/auth/token").json(&credentials));
        let session = session.expect_status(200).json();
        session["access_token"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_s_answers_pass_as_they_are_with_no_header_twice() {
    let Some(deployment) = Deployment::start().await else {
        return;
    };
    let mut client = deployment.client();
    let player = deployment.login("demo-01", "demo-pass");
    let admin = deployment.login("demo-admin", "demo-admin-pass");
    let of_api = |answer: &Answer| {
        for (name, value) in [
            ("strict-transport-security", HSTS),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", API_POLICY),
            ("cache-control", "no-store"),
            ("server", "nginx"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        assert!(answer.header("x-request-id").is_some());
    };
    // Fine answers and errors of the API itself, for a page of another origin.
    for (request, status, code) in [
        (get("/health"), 200, None),
        (get("/api/season-pass/status").token(&player), 200, None),
        (get("/admin/api/users/").token(&admin), 200, None),
        (get("/api/wallet"), 401, Some("AUTH_REQUIRED")),
        (
            get("/admin/api/users/").token(&player),
            403,
            Some("FORBIDDEN_SCOPE"),
        ),
        (get("/api/nothing"), 404, Some("NOT_FOUND")),
        (
            Request::new("DELETE", "/api/roulette/play"),
            405,
            Some("METHOD_NOT_ALLOWED"),
        ),
        (get("/api/today-feature"), 410, Some("FEATURE_RETIRED")),
        (
            post("/api/season-pass/claim")
                .token(&player)
                .json(&json!({})),
            422,
            Some("VALIDATION_ERROR"),
        ),
        (
            get("/api/wallet")
                .header("X-Long", &"x".repeat(15_000))
                .header("X-More", &"y".repeat(5_000)),
            431,
            Some("HEADERS_TOO_LARGE"),
        ),
    ] {
        let request = request.header("X-Request-ID", "order-17");
        for origin in [ORIGIN, "https://play.example", "https://evil.example"] {
            let answer = client.ask(&request.clone().header("Origin", origin));
            let answer = answer.expect_status(status);
            of_api(&answer);
            assert_eq!(answer.header("x-request-id"), Some("order-17"));
            let allowed = (!origin.contains("evil")).then_some(origin);
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
            let exposed = answer
                .header("access-control-expose-headers")
                .unwrap_or_default();
            assert!(
                allowed.is_none() || exposed.contains("retry-after"),
                "{exposed}"
            );
            if let Some(code) = code {
                let body = answer.json();
                assert_eq!(body["error"]["code"], code);
                assert_eq!(body["error"]["request_id"], "order-17");
            }
        }
    }
    // A preflight is the API's to answer.
    let answer = client
        .ask(&preflight("/api/roulette/play"))
        .expect_status(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(answer.header("access-control-max-age"), Some("3600"));

    // The same request with its key twice, on whichever process: one play.
    let play = post("/api/roulette/play")
        .token(&player)
        .header("Idempotency-Key", "a-play");
    let first = client.ask(&play).expect_status(200);
    let second = client.ask(&play).expect_status(200);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.body, second.body);

    // A table larger than any JSON, with a token and without.
    let codes: String = (0..5_000)
        .map(|number| format!("TEST-CODE-{number:06}\n"))
        .collect();
    let table = post("/admin/api/coupons/1/codes?dry_run=true")
        .header("Content-Type", "text/csv")
        .body(format!("code\n{codes}"));
    let answer = client.ask(&table.clone().token(&admin)).expect_status(200);
    assert_eq!(answer.json()["added"], 5_000);
    client.ask(&table).expect_status(401);

    let request = get("/api/season-pass/status").token(&player);
    let answer = client.ask(&request.header("Accept-Encoding", "gzip"));
    assert_eq!(answer.header("content-encoding"), Some("gzip"));

    // The documentation, with the policy that the API gives it.
    let answer = client.get("/api/docs/").expect_status(200);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.header("strict-transport-security"), Some(HSTS));
    assert_eq!(
        client
            .get("/api/docs")
            .expect_status(307)
            .header("location"),
        Some("/api/docs/")
    );
    // Both processes had their share.
    let log = deployment.nginx.log();
    for port in &deployment.ports {
        assert!(
            log.contains(&format!("\"upstream\":\"127.0.0.1:{port}\"")),
            "{log}"
        );
    }
}

/// What the clients of a test have seen.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    answered: AtomicUsize,
    played: AtomicUsize,
}

impl Seen {
    /// Until so many more requests were answered.
    fn wait_for(&self, more: usize) {
        let enough = self.answered.load(Ordering::Relaxed) + more;
        let started = Instant::now();
        while self.answered.load(Ordering::Relaxed) < enough {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "nothing is answered"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// After each answer, so that eight clients of one address send less than the 1,000 requests a second that nginx allows it.
const PACE: Duration = Duration::from_millis(10);

/// Asks again and again until the test is over; what went wrong. Half of the clients only look, the others send what
/// changes something, each time with a key of its own.
fn keeps_asking(number: usize, token: &str, mut client: Https, seen: &Seen) -> Vec<String> {
    let mut problems = Vec::new();
    // Two processes may keep each other from the one file that SQLite is, for too long.
    let may_be_busy = TestDb::server().is_none();
    for round in 0_usize.. {
        if seen.is_over.load(Ordering::Relaxed) {
            break;
        }
        let game = ["roulette", "dice", "lottery"][round % 3];
        let request = match number % 4 {
            0 => get("/api/season-pass/status"),
            1 => get(&format!("/api/{game}/status")),
            2 => post("/api/activity/record").json(&json!({
                "event_id": format!("00000000-0000-4000-8000-{number:04}{round:08}"),
                "event_type": "PLAY_DURATION",
                "value": 3,
            })),
            _ => post(&format!("/api/{game}/play")),
        };
        let request = match number % 4 {
            0 | 1 => request,
            _ => request.header("Idempotency-Key", &format!("{number}-{round}")),
        };
        let request = request.token(token);
        match client.send(&request) {
            Ok(answer) if answer.status == 200 => {
                let is_play = number % 4 == 3;
                seen.played
                    .fetch_add(usize::from(is_play), Ordering::Relaxed);
            }
            // The tokens of a player may all be played.
            Ok(answer) if number % 4 == 3 && answer.status == 400 => {}
            Ok(answer) if may_be_busy && answer.text().contains("LOCK_NOT_ACQUIRED") => {}
            Ok(answer) => problems.push(format!("{request:?}: {answer:?}")),
            Err(error) => problems.push(format!("{request:?}: {error}")),
        }
        seen.answered.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PACE);
    }
    problems
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_under_load_fails_no_get_and_no_keyed_post() {
    let Some(mut deployment) = Deployment::start().await else {
        return;
    };
    let plays = "SELECT COUNT(*) FROM feature_log";
    let before = deployment.test.count(plays).await;
    let seen = Arc::new(Seen::default());
    let clients = (0..8).map(|number| {
        let token = deployment.login(&format!("demo-{:02}", number + 2), "demo-pass");
        let (client, seen) = (deployment.client(), seen.clone());
        thread::spawn(move || keeps_asking(number, &token, client, &seen))
    });
    let clients: Vec<_> = clients.collect();
    for number in [0, 1] {
        seen.wait_for(100);
        deployment.api[number].kill();
        seen.wait_for(100);
        let back = deployment.serve(number);
        deployment.api[number] = back;
        // Until nginx asks it again, which it does after a second or two.
        let port = deployment.ports[number];
        let from = deployment.nginx.log().len();
        let is_asked = format!("\"upstream\":\"127.0.0.1:{port}\"");
        while !deployment.nginx.log()[from..].contains(&is_asked) {
            seen.wait_for(10);
        }
        // As when it is stopped in order, which costs not even a second try.
        if number == 1 {
            deployment.api[0].terminate();
            assert!(deployment.api[0].wait().success());
            seen.wait_for(50);
        }
    }
    seen.is_over.store(true, Ordering::Relaxed);
    let problems: Vec<String> = clients
        .into_iter()
        .flat_map(|client| client.join().unwrap())
        .collect();
    assert!(problems.is_empty(), "{}: {problems:#?}", problems.len());
    // The kills were felt: some requests were sent twice.
    let log = deployment.nginx.log();
    let twice = log
        .lines()
        .filter(|line| line.contains("\"upstream\":\"127.0.0.1:") && line.contains(", 127.0.0.1:"));
    assert!(
        twice.count() > 0,
        "nothing was in progress when a process was killed"
    );
    // Every play that was answered is there, and no other: none was made twice.
    let kept = deployment.test.count(plays).await - before;
    let played = seen.played.load(Ordering::Relaxed);
    assert!(played > 20, "{played}");
    assert_eq!(kept, i64::try_from(played).unwrap());
}

/// The lines of `scripts/qa-check` that this deployment is right in: it is no production, and holds the demo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_qa_check_passes_and_names_the_line_that_is_broken() {
    let Some(deployment) = Deployment::start().await else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/qa-check");
    let lines = text(&run(Command::new(&script).arg("--list")).stdout);
    let lines = lines.lines().filter_map(|line| line.split(' ').next());
    let of_production = ["production", "demo-accounts", "event-clock"];
    let lines: Vec<_> = lines.filter(|line| !of_production.contains(line)).collect();
    assert!(lines.len() > 25, "{lines:?}");
    let urls = |ports: &[u16], path: &str| {
        let urls = ports
            .iter()
            .map(|port| format!("http://127.0.0.1:{port}{path}"));
        urls.collect::<Vec<_>>().join(",")
    };
    let nginx = &deployment.nginx;
    let check = || {
        let mut check = Command::new(&script);
        check
            .arg(format!("https://localhost:{}", nginx.https()))
            .args(["--only", &lines.join(",")])
            .args(["--http-url", &format!("http://localhost:{}", nginx.http())])
            .arg("--ca-file")
            .arg(nginx.certificate())
            .env("QA_ADMIN", "demo-admin")
            .env("QA_ADMIN_PASSWORD", "demo-admin-pass")
            .env("QA_PLAYER", "demo-20")
            .env("QA_PLAYER_PASSWORD", "demo-pass")
            .env("QA_INSIDE_URLS", urls(&deployment.ports, ""))
            .env("QA_METRICS_URLS", urls(&deployment.metrics, "/metrics"));
        run(&mut check)
    };
    let passed = check();
    let said = text(&passed.stdout);
    assert!(passed.status.success(), "{said}{}", text(&passed.stderr));
    assert!(!said.contains("FAIL"), "{said}");

    // Somebody still calls what is retired.
    let retired = deployment.client().ask(&get("/api/today-feature"));
    retired.expect_status(410);
    let failed = check();
    assert_eq!(failed.status.code(), Some(1));
    let said = text(&failed.stdout);
    let failures: Vec<_> = said
        .lines()
        .filter(|line| line.starts_with("FAIL"))
        .collect();
    assert!(
        matches!(failures[..], [line] if line.contains("today-feature-callers")),
        "{said}"
    );
}

/// With the browser in `CHROMIUM`, which `scripts/test --long` has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_breaks_its_policy_in_a_real_browser() {
    let chromium = std::env::var_os("CHROMIUM").filter(|program| !program.is_empty());
    let Some(chromium) = chromium.map(PathBuf::from) else {
        eprintln!("not tested: CHROMIUM does not name a browser, as in scripts/test --long");
        return;
    };
    let Some(deployment) = Deployment::start().await else {
        return;
    };
    let client_files = web_client();
    let Some(files) = Nginx::serving(client_files.path()) else {
        return;
    };
    let site = Site {
        api: deployment.ports.clone(),
        frontend: Some(files.https()),
        ..Site::default()
    };
    let Some((nginx, _)) = start(site) else {
        return;
    };
    let look_at = |path: &str| {
        let profile = TempDir::new().unwrap();
        dump(
            &chromium,
            profile.path(),
            &format!("https://localhost:{}{path}", nginx.https()),
        )
    };
    // A style that a script makes works, and so does asking the API.
    let (page, complaints) = look_at("/");
    assert_eq!(complaints, "", "{page}");
    assert!(
        page.contains("data-snow=\"fall\"") && page.contains(">ok</div>"),
        "{page}"
    );
    // A script within a page does not, and the browser says why; so silence above means something.
    let (page, complaints) = look_at("/inline.html");
    assert!(page.contains("as it was"), "{page}");
    assert!(
        complaints.contains("Content Security Policy"),
        "{complaints}"
    );

    let (page, complaints) = look_at("/api/docs/");
    assert_eq!(complaints, "", "{page}");
    assert!(
        page.contains("/api/season-pass/status"),
        "the documentation is drawn: {page}"
    );
    fs::write(nginx.maintenance_flag(), "").unwrap();
    let (page, complaints) = look_at("/");
    assert!(page.contains("점검 중입니다"), "{page}");
    // The status of the page itself is a message too.
    assert!(
        !complaints.contains("Content Security Policy"),
        "{complaints}"
    );
}

/// A page as it is after its scripts have run, and what the browser complained of.
fn dump(chromium: &Path, profile: &Path, url: &str) -> (String, String) {
    let mut command = Command::new(chromium);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        // The certificate is the test's own.
        .args([
            "--ignore-certificate-errors",
            "--enable-logging=stderr",
            "--v=0",
        ])
        .args([
            "--virtual-time-budget=20000",
            "--timeout=60000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url);
    let output = run(&mut command);
    let complaints = text(&output.stderr);
    let complaints = complaints.lines().filter(|line| line.contains(":CONSOLE"));
    (
        text(&output.stdout),
        complaints.collect::<Vec<_>>().join("\n"),
    )
}
