//! Connections that are held for nothing.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use xmas_test_support::{AppBuilder, TestApp};

use crate::metrics::{assert_rejected, value};

const ALIVE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
/// After which a test gives up.
const LONG: Duration = Duration::from_secs(30);

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.address()).await.unwrap()
}

/// Asks something on a connection; whether it is answered.
async fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(ALIVE).await.is_err() {
        return false;
    }
    let mut answer = vec![0; 4_096];
    let read = tokio::time::timeout(LONG, stream.read(&mut answer)).await;
    let read = read.expect("an answer or an end").unwrap_or(0);
    answer[..read].starts_with(b"HTTP/1.1 200 ")
}

/// Writes `part` again and again until nobody reads it any more.
async fn dribble(stream: &mut TcpStream, part: &[u8]) -> Duration {
    let started = Instant::now();
    while stream.write_all(part).await.is_ok() {
        assert!(started.elapsed() < LONG, "still connected");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    started.elapsed()
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_ends_whichever_of_a_connection_it_is() {
    let app = AppBuilder::default().set("HEAD_SECONDS", "1").start().await;
    for requests in [0, 1, 3] {
        let mut stream = connect(&app).await;
        for _ in 0..requests {
            assert!(is_answered(&mut stream).await);
        }
        let lasted = dribble(&mut stream, b"G").await;
        assert!(lasted < LONG / 2, "{requests}: {lasted:?}");
    }
    // Whoever asks again and again is not interrupted.
    let mut stream = connect(&app).await;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(9) {
        assert!(is_answered(&mut stream).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn whoever_does_not_read_is_not_waited_for() {
    let app = AppBuilder::default()
        .set("HEAD_SECONDS", "1")
        .set("ANSWER_SECONDS", "1")
        .start()
        .await;
    let mut stream = connect(&app).await;
    // More than the system keeps for both sides.
    let large = b"GET /api/docs/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    let asks = async {
        while stream.write_all(large).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(LONG, asks).await;
    ended.expect("the server hangs up");
}

#[tokio::test]
async fn an_address_has_only_so_many_connections_but_a_trusted_proxy_has_all() {
    let limited = || AppBuilder::default().set("MAX_CONNECTIONS_PER_ADDRESS", "3");
    let app = limited().start().await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&app).await;
        assert!(is_answered(&mut stream).await);
        open.push(stream);
    }
    let mut further = connect(&app).await;
    assert!(!is_answered(&mut further).await);
    assert_rejected(&app, "connections");
    let open_now = value(&app.counted(), "xmas_http_connections");
    assert_eq!(open_now, 3.0);
    for stream in &mut open {
        assert!(is_answered(stream).await);
    }
    open.pop();
    let started = Instant::now();
    while !is_answered(&mut connect(&app).await).await {
        assert!(started.elapsed() < LONG, "the place does not come back");
    }

    let app = limited()
        .set("TRUSTED_PROXIES", "::ffff:127.0.0.1")
        .start()
        .await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream = connect(&app).await;
        assert!(is_answered(&mut stream).await);
        open.push(stream);
    }
}
