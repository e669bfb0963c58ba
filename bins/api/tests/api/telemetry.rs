//! What is sent to those who look at single requests: all that they need, nothing of anybody, and at nobody's cost.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::{Span, span::SpanKind},
};
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use crate::command_line::{Serving, run, text, xmas_api};

const NAME: &str = "demo-02";
const PASSWORD: &str = "demo-pass";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Something that takes what is sent, and answers 200.
struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

#[derive(Clone, Debug)]
struct Received {
    /// The request line and the headers.
    head: String,
    body: Vec<u8>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let taken = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, taken) = (stream.unwrap(), taken.clone());
                std::thread::spawn(move || take_all(stream, &taken));
            }
        });
        Self { address, received }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn dsn(&self) -> String {
        format!("http://public@{}/42", self.address)
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until there are so many.
    async fn wait_for(&self, number: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let received = self.received();
            if received.len() >= number {
                return received;
            }
            assert!(Instant::now() < deadline, "only {} came", received.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Takes requests from a connection until it is closed.
fn take_all(stream: TcpStream, taken: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        let mut lengths = head.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse().unwrap())
        });
        let mut body = vec![0; lengths.next().unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        taken.lock().unwrap().push(Received { head, body });
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if reader.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}

/// A seeded database, and a server on it.
async fn serving(folder: &Path, more: &[(&str, &str)], log: Stdio) -> (TestDb, Serving) {
    let test = TestDb::new().await;
    let url = test.url().to_owned();
    let mut variables = vec![("DATABASE_URL", url.as_str()), ("DRAIN_SECONDS", "0")];
    let mut seed = xmas_api(folder);
    let seeded = run(seed.envs(variables.iter().copied()).args(["seed", "demo"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    variables.extend(more);
    let server = Serving::start_logging(folder, &variables, log);
    (test, server)
}

/// From now on every play fails.
async fn lose_plays(test: &TestDb) {
    test.execute("DROP TABLE feature_redraw; DROP TABLE feature_log")
        .await;
}

/// Sends a request, and returns the status of its answer.
async fn ask(request: reqwest::RequestBuilder) -> u16 {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    answer.bytes().await.unwrap();
    status
}

/// Everything that was sent as spans.
fn spans(received: &[Received]) -> Vec<Span> {
    let decoded = decoded(received).into_iter();
    let resources = decoded.flat_map(|request| request.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn decoded(received: &[Received]) -> Vec<ExportTraceServiceRequest> {
    for Received { head, .. } in received {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        let head = head.to_lowercase();
        assert!(
            head.contains("content-type: application/x-protobuf"),
            "{head}"
        );
    }
    let bodies = received.iter().map(|received| received.body.as_slice());
    let decoded = bodies.map(ExportTraceServiceRequest::decode);
    decoded.collect::<Result<_, _>>().unwrap()
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |value: &Any| match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let pairs = attributes.iter().map(|KeyValue { key, value, .. }| {
        let value = value.as_ref().unwrap().value.as_ref();
        (key.as_str(), text(value.unwrap()))
    });
    pairs.collect()
}

fn assert_nobody_is_in(received: &[Received], secrets: &[&str]) {
    for Received { head, body } in received {
        let sent = head.clone() + &String::from_utf8_lossy(body);
        for secret in secrets {
            assert!(!sent.contains(secret), "{secret} is in {sent}");
        }
    }
}

#[tokio::test]
async fn a_request_is_one_tree_with_its_statements_and_joins_the_trace_of_its_client() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start();
    let url = receiver.url();
    let on = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str())];
    let (_test, mut server) = serving(folder.path(), &on, Stdio::null()).await;
    let token = server.login(NAME, PASSWORD).await;
    let http = reqwest::Client::new();
    let at = |path: &str| format!("{}{path}", server.base());
    let play = || http.post(at("/api/dice/play")).bearer_auth(&token);
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let joined = play()
        .header("traceparent", &traceparent)
        .header("tracestate", "vendor=opaque")
        .header("x-request-id", "the-one");
    assert_eq!(ask(joined).await, 200);
    let invalid = [
        "nonsense".to_owned(),
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("ff-{TRACE}-{PARENT}-01"),
    ];
    for traceparent in &invalid {
        let request = http.get(at("/api/wallet")).bearer_auth(&token);
        assert_eq!(ask(request.header("traceparent", traceparent)).await, 200);
    }
    let query = http.get(at("/api/ranking/today?who=in-the-query"));
    assert_ne!(ask(query.bearer_auth(&token)).await, 200);
    assert_eq!(ask(http.get(at("/in-the-path"))).await, 404);
    server.terminate();
    assert!(server.wait().success());

    let received = receiver.received();
    let spans = spans(&received);
    let (tree, others): (Vec<_>, Vec<_>) = spans
        .into_iter()
        .partition(|span| hex(&span.trace_id) == TRACE);
    let by_id: BTreeMap<_, _> = tree.iter().map(|span| (&span.span_id, span)).collect();
    let roots: Vec<_> = tree
        .iter()
        .filter(|span| hex(&span.parent_span_id) == PARENT)
        .collect();
    let [root] = roots[..] else {
        panic!("one root: {roots:?}");
    };
    assert_eq!(root.name, "POST /api/dice/play");
    assert_eq!(root.kind(), SpanKind::Server);
    assert_eq!(root.trace_state, "vendor=opaque");
    let of_root = BTreeMap::from([
        ("http.request.method", "POST".to_owned()),
        ("http.response.status_code", "200".to_owned()),
        ("http.route", "/api/dice/play".to_owned()),
        ("xmas.request_id", "the-one".to_owned()),
    ]);
    assert_eq!(attributes(&root.attributes), of_root);
    let mut operations = Vec::new();
    for span in tree.iter().filter(|span| span.span_id != root.span_id) {
        let mut above = span;
        while above.span_id != root.span_id {
            let parent = by_id.get(&above.parent_span_id);
            above = parent.expect("its ancestors lead to the request");
        }
        assert_eq!(span.kind(), SpanKind::Client);
        assert!(root.start_time_unix_nano <= span.start_time_unix_nano);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert!(span.end_time_unix_nano <= root.end_time_unix_nano);
        let known = attributes(&span.attributes);
        let system = match TestDb::server() {
            None => "sqlite",
            Some(_) => "mysql",
        };
        assert_eq!(known["db.system.name"], system);
        assert_eq!(known["db.operation.name"], span.name);
        assert!(known["db.query.text"].starts_with(&span.name));
        operations.push(known["db.operation.name"].clone());
    }
    for operation in ["BEGIN", "SELECT", "INSERT", "UPDATE", "COMMIT"] {
        assert!(
            operations.iter().any(|one| one == operation),
            "{operations:?}"
        );
    }

    // Invalid ones are as good as none: each request is the root of a trace of its own.
    let of = |name: &str| -> Vec<&Span> {
        let named = others.iter().filter(|span| span.name == name);
        named.collect()
    };
    let own = of("GET /api/wallet");
    assert_eq!(own.len(), invalid.len());
    for span in &own {
        assert_eq!(hex(&span.parent_span_id), "", "it has no parent");
    }
    let traces = others.iter().map(|span| &span.trace_id);
    let traces: std::collections::BTreeSet<_> = traces.collect();
    // And the login, the ranking and the path that is not there.
    assert_eq!(traces.len(), invalid.len() + 3);
    let unmatched = attributes(&of("GET")[0].attributes);
    assert!(!unmatched.contains_key("http.route"));

    for request in decoded(&received) {
        for resource in request.resource_spans {
            let resource = resource.resource.unwrap();
            let known = attributes(&resource.attributes);
            assert_eq!(known["service.name"], "xmas-api");
            assert_eq!(known["service.version"], env!("CARGO_PKG_VERSION"));
            assert_eq!(known["service.instance.id"].len(), 36);
            assert!(!known["vcs.ref.head.revision"].is_empty());
            assert_eq!(known["deployment.environment.name"], "development");
        }
    }
    let secrets = [NAME, PASSWORD, &token, "in-the-query", "in-the-path"];
    assert_nobody_is_in(&received, &secrets);
}

#[tokio::test]
async fn a_ratio_decides_for_those_who_leave_it_open() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start();
    let url = receiver.url();
    let on = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("TRACE_RATIO", "0"),
    ];
    let (_test, mut server) = serving(folder.path(), &on, Stdio::null()).await;
    let http = reqwest::Client::new();
    let ready = || http.get(format!("{}/readyz", server.base()));
    let with = |flags: &str| {
        let traceparent = format!("00-{TRACE}-{PARENT}-{flags}");
        ready().header("traceparent", traceparent)
    };
    for request in [ready(), with("00"), with("01"), ready(), with("00")] {
        assert_eq!(ask(request).await, 200);
    }
    server.terminate();
    assert!(server.wait().success());
    let spans = spans(&receiver.received());
    let requests = spans.iter().filter(|span| span.kind() == SpanKind::Server);
    assert_eq!(requests.count(), 1, "the one that its client traces");
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE));
}

#[tokio::test]
async fn receivers_that_are_away_or_never_answer_cost_no_request_and_no_stop() {
    // Connections are accepted by the system, and nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [&silent, &away].map(|listener| listener.local_addr().unwrap());
    drop(away);
    for address in addresses {
        let folder = TempDir::new().unwrap();
        let (url, dsn) = (
            format!("http://{address}"),
            format!("http://public@{address}/42"),
        );
        let on = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
            ("SENTRY_DSN", dsn.as_str()),
            // So that many batches fail within the test.
            ("OTEL_BSP_SCHEDULE_DELAY", "10"),
            ("PLAYER_READS_PER_MINUTE", "0"),
        ];
        let log = folder.path().join("log");
        let to_log = Stdio::from(File::create(&log).unwrap());
        let (test, mut server) = serving(folder.path(), &on, to_log).await;
        let token = server.login(NAME, PASSWORD).await;
        let http = reqwest::Client::new();
        let get = |path: &str| {
            let request = http.get(format!("{}{path}", server.base()));
            request.bearer_auth(&token)
        };
        let complaint = "traces do not reach OTEL_EXPORTER_OTLP_ENDPOINT";
        let logged = || std::fs::read_to_string(&log).unwrap();
        let started = Instant::now();
        // More spans than the queue holds, while nothing is taken from it.
        let mut answered = 0;
        while answered < 1_000 || !logged().contains(complaint) {
            assert_eq!(ask(get("/api/wallet")).await, 200);
            answered += 1;
            let took = started.elapsed();
            assert!(took < Duration::from_secs(60), "{answered} in {took:?}");
        }
        // A report is on its way as well.
        lose_plays(&test).await;
        let play = http.post(format!("{}/api/dice/play", server.base()));
        assert_eq!(ask(play.bearer_auth(&token)).await, 500);
        let stopped = Instant::now();
        server.terminate();
        assert!(server.wait().success());
        let took = stopped.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(logged().matches(complaint).count(), 1, "{}", logged());
    }
}

#[tokio::test]
async fn a_failure_is_reported_once_with_its_request_and_without_its_player() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start();
    let dsn = receiver.dsn();
    let (test, mut server) = serving(folder.path(), &[("SENTRY_DSN", &dsn)], Stdio::null()).await;
    let token = server.login(NAME, PASSWORD).await;
    let http = reqwest::Client::new();
    let url = format!("{}/api/dice/play", server.base());
    let play = |id: &str| {
        let request = http.post(&url).bearer_auth(&token);
        request.header("x-request-id", id.to_owned())
    };
    assert_eq!(ask(play("fine")).await, 200);
    lose_plays(&test).await;
    for id in ["first", "second", "third"] {
        assert_eq!(ask(play(id)).await, 500);
    }
    receiver.wait_for(1).await;
    // Another route is another failure; a server that stops has not failed.
    let other = http.post(url.replace("dice", "lottery"));
    assert_eq!(ask(other.bearer_auth(&token)).await, 500);
    receiver.wait_for(2).await;
    test.execute("DELETE FROM seaql_migrations WHERE version LIKE '%games'")
        .await;
    let not_ready = http.get(format!("{}/readyz", server.base()));
    assert_eq!(ask(not_ready).await, 503);
    server.terminate();
    assert!(server.wait().success());

    let received = receiver.received();
    assert_eq!(received.len(), 2);
    let head = &received[0].head;
    assert!(
        head.starts_with("POST /api/42/envelope/ HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("sentry_key=public"), "{head}");
    let envelope = text(&received[0].body);
    let parts: Vec<Value> = envelope
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(parts[1]["type"], "event");
    let report = &parts[2];
    assert_eq!(
        report["exception"]["values"][0]["type"],
        "DB_SCHEMA_MISMATCH"
    );
    assert_eq!(report["transaction"], "POST /api/dice/play");
    assert_eq!(report["tags"]["request_id"], "first");
    assert_eq!(report["environment"], "development");
    let release = report["release"].as_str().unwrap();
    assert!(release.starts_with(concat!("xmas-api@", env!("CARGO_PKG_VERSION"), "+")));
    // An error is what it is unless it says otherwise.
    for absent in [
        "level",
        "server_name",
        "user",
        "request",
        "breadcrumbs",
        "contexts",
    ] {
        assert!(report.get(absent).is_none(), "{absent}: {report}");
    }
    assert_nobody_is_in(&received, &[NAME, PASSWORD, &token, "feature_log"]);
}

/// What sends has a thread of its own.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn with_nothing_configured_there_is_nobody_who_could_send() {
    let senders = |server: &Serving| {
        let tasks = format!("/proc/{}/task", server.id());
        let tasks = std::fs::read_dir(tasks).unwrap();
        let names = tasks.map(|task| {
            let name = task.unwrap().path().join("comm");
            std::fs::read_to_string(name).unwrap_or_default()
        });
        let is_sender = |name: &String| {
            ["OpenTelemetry", "sentry"]
                .iter()
                .any(|by| name.starts_with(by))
        };
        names.filter(is_sender).count()
    };
    let folder = TempDir::new().unwrap();
    let server = Serving::start(folder.path(), &[]);
    server.login(NAME, PASSWORD).await;
    assert_eq!(senders(&server), 0);
    drop(server);
    let receiver = Receiver::start();
    let (url, dsn) = (receiver.url(), receiver.dsn());
    let on = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("SENTRY_DSN", dsn.as_str()),
    ];
    let server = Serving::start(folder.path(), &on);
    assert_eq!(senders(&server), 2);
}

#[test]
fn a_dsn_is_a_secret_and_a_wrong_one_is_refused() {
    let folder = TempDir::new().unwrap();
    let with = |name: &str, value: &str, arguments: &[&str]| {
        run(xmas_api(folder.path()).env(name, value).args(arguments))
    };
    for arguments in [&["check"][..], &["serve"]] {
        for wrong in ["https://do-not-print-me@/42", "do-not-print-me"] {
            let refused = with("SENTRY_DSN", wrong, arguments);
            assert_eq!(refused.status.code(), Some(2), "{arguments:?} {wrong}");
            let told = text(&refused.stderr);
            assert!(told.contains("SENTRY_DSN must be a DSN"), "{told}");
            assert!(!told.contains("do-not-print-me"), "{told}");
        }
        let refused = with(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://u:do-not-print-me@host",
            arguments,
        );
        assert_eq!(refused.status.code(), Some(2));
        assert!(!text(&refused.stderr).contains("do-not-print-me"));
    }
    let file = folder.path().join("dsn");
    std::fs::write(&file, "https://do-not-print-me@sentry.example/42\n").unwrap();
    let known = with("SENTRY_DSN_FILE", file.to_str().unwrap(), &["check"]);
    let told = text(&known.stdout);
    assert!(told.contains("SENTRY_DSN=[redacted, 41 bytes]\n"), "{told}");
    assert!(!told.contains("do-not-print-me"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
