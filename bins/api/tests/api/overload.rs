//! The service says no in time: whoever stalls or asks too much holds nothing that others need.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, select_all};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use xmas_test_support::{Answer, AppBuilder, Client, TestApp};

use crate::metrics::{assert_rejected, value};

const STATUS: &str = "/api/season-pass/status";
const LOGIN: &str = "POST /api/auth/token HTTP/1.1\r\nhost: x\r\n\
                     content-type: application/json\r\ncontent-length: 54\r\n";
const CREDENTIALS: &str = r#"{"external_id":"santa","password":"test-password"}    "#;

/// A login whose body stops in the middle.
async fn stalled(app: &TestApp, headers: &str) -> TcpStream {
    sent(app, &format!("{LOGIN}{headers}\r\n{{\"ext")).await
}

async fn sent(app: &TestApp, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server hangs up.
async fn rest_of(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer));
    // A reset after the answer is an end as well.
    let _ = end.await.expect("the server hangs up");
    String::from_utf8(answer).unwrap()
}

fn percentile_95(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

async fn times(player: &Client, number: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..number {
        let started = Instant::now();
        player.get(STATUS).await.expect_status(200);
        times.push(started.elapsed());
    }
    times
}

/// Stalled bodies change nothing for the others: neither for those who ask, nor for those who log in. There are no more
/// places than they are, so that nobody would get one that they held.
async fn others_go_on_beside(number: usize) {
    let app = AppBuilder::default()
        .set("BODY_SECONDS", "60")
        .set("MAX_REQUESTS", "16")
        .set("MAX_LOGINS", "2")
        .start()
        .await;
    let player = app.player("santa", 0).await;
    let mut holding = Vec::new();
    for _ in 0..number {
        holding.push(stalled(&app, "").await);
    }
    for _ in 0..20 {
        times(&player, 10).await;
        app.login("santa").await.expect_status(200);
        app.anonymous().get("/readyz").await.expect_status(200);
    }
    // Nor did they make room by being turned away.
    let counted = app.counted();
    for reason in ["slow_bodies", "body_too_slow", "requests", "logins"] {
        let series = format!("xmas_http_rejected_total{{reason=\"{reason}\"}}");
        assert_eq!(value(&counted, &series), 0.0, "{reason}");
    }
    drop(holding);
}

#[tokio::test]
async fn sixteen_stalled_bodies_hold_nobody_up() {
    others_go_on_beside(16).await;
}

#[tokio::test]
async fn two_thousand_stalled_bodies_hold_nobody_up() {
    others_go_on_beside(2_000).await;
}

#[tokio::test]
async fn more_stalled_bodies_than_there_are_places_are_turned_away_and_nobody_else() {
    let app = AppBuilder::default()
        .set("BODY_SECONDS", "60")
        .set("MAX_SLOW_BODIES", "3")
        .start()
        .await;
    app.player("santa", 0).await;
    let mut stalling = Vec::new();
    for _ in 0..4 {
        stalling.push(Box::pin(rest_of(stalled(&app, "").await)));
    }
    let (refused, _, holding) = select_all(stalling).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("OVERLOADED"), "{refused}");
    assert_rejected(&app, "slow_bodies");
    // A body that comes at once needs none of these places.
    app.login("santa").await.expect_status(200);
    drop(holding);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408_and_one_in_pieces_is_read() {
    let app = AppBuilder::default().set("BODY_SECONDS", "1").start().await;
    app.player("santa", 0).await;
    let started = Instant::now();
    let answer = rest_of(stalled(&app, "").await).await;
    assert!(started.elapsed() >= Duration::from_secs(1), "{answer}");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"BODY_TOO_SLOW\""), "{answer}");
    assert_rejected(&app, "body_too_slow");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    // One byte at a time does not make the deadline later.
    let mut dripping = stalled(&app, "").await;
    let started = Instant::now();
    let mut answer = [0; 12];
    let (_, end) = loop {
        let dripped =
            tokio::time::timeout(Duration::from_millis(100), dripping.read_exact(&mut answer));
        match dripped.await {
            Ok(read) => break (dripping, read),
            Err(_) => dripping.write_all(b" ").await.unwrap(),
        }
        assert!(started.elapsed() < Duration::from_secs(5), "still dripping");
    };
    end.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");

    let (head, tail) = CREDENTIALS.split_at(20);
    let mut stream = sent(&app, &format!("{LOGIN}connection: close\r\n\r\n")).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(tail.as_bytes()).await.unwrap();
    let answer = rest_of(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn stalled_uploads_leave_places_to_those_who_play() {
    let app = AppBuilder::default()
        .set("MAX_UPLOADS", "1")
        .set("UPLOAD_SECONDS", "2")
        .start()
        .await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 1).await;
    let upload = |token: &str| {
        format!(
            "POST /admin/api/users/import?dry_run=true HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n\
             authorization: Bearer {token}\r\ncontent-length: 100000\r\n\r\nexternal_id\n"
        )
    };
    // Whoever may not upload is told so before the body has come.
    let answer = rest_of(sent(&app, &upload(player.token())).await).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let started = Instant::now();
    let first = sent(&app, &upload(admin.token())).await;
    let second = sent(&app, &upload(admin.token())).await;
    player.play("/api/roulette/play").await.expect_status(200);
    // Either may be the one that got the place.
    let mut answers = [rest_of(first).await, rest_of(second).await];
    answers.sort_unstable();
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert!(answers[0].starts_with("HTTP/1.1 408 "), "{answers:?}");
    assert!(answers[1].starts_with("HTTP/1.1 503 "), "{answers:?}");
    assert_rejected(&app, "uploads");
    let table = "external_id,nickname\nrudolf,Rudolf\n";
    let imported = admin.post_csv("/admin/api/users/import?dry_run=true", table);
    imported.await.expect_status(200);
}

/// Has somebody play, which goes on for as long as the player's row is held, and reads until that is refused.
async fn refused_beside(
    play: impl Fn() -> JoinHandle<Answer>,
    read: impl AsyncFn() -> Answer,
) -> (Answer, JoinHandle<Answer>) {
    let mut playing = play();
    for _ in 0..10_000 {
        // It may have come while a read had the only place.
        if playing.is_finished() {
            assert!([429, 503].contains(&playing.await.unwrap().status));
            playing = play();
        }
        let answer = read().await;
        if answer.status != 200 {
            return (answer, playing);
        }
    }
    panic!("nothing is ever refused");
}

#[tokio::test]
async fn beyond_the_bound_requests_are_turned_away_at_once() {
    let app = AppBuilder::default().set("MAX_REQUESTS", "1").start().await;
    let player = app.player("santa", 1).await;
    // Somebody holds the player's row, or on SQLite the only writer.
    let tx = app.test.db.begin().await.unwrap();
    let locked = xmas_players::lock_in_tx(&tx, &player.identity()).await;
    locked.unwrap();
    let reads = async || player.get("/api/wallet").await;
    let plays = |player: Client| async move { player.play("/api/roulette/play").await };
    let (refused, playing) = refused_beside(|| tokio::spawn(plays(player.clone())), reads).await;
    let refused = refused.expect_error(503, "OVERLOADED");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_rejected(&app, "requests");
    // Whether it lives and is ready does not depend on load.
    player.get("/livez").await.expect_status(200);
    player.get("/readyz").await.expect_status(200);
    drop(tx);
    playing.await.unwrap().expect_status(200);
    player.get("/api/wallet").await.expect_status(200);
}

#[tokio::test]
async fn one_address_does_not_take_the_places_of_others() {
    let app = AppBuilder::default()
        .set("MAX_REQUESTS_PER_ADDRESS", "2")
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("BODY_SECONDS", "60")
        .start()
        .await;
    app.player("santa", 0).await;
    let from = |address: &str| format!("x-forwarded-for: {address}\r\n");
    let mut holding = Vec::new();
    let refused = loop {
        assert!(holding.len() < 100, "nobody is ever refused");
        // All of one network of IPv6 are one client.
        let address = from(&format!("2001:db8::{}", holding.len()));
        let mut stream = stalled(&app, &address).await;
        let mut start = [0; 12];
        let answered =
            tokio::time::timeout(Duration::from_millis(300), stream.read_exact(&mut start));
        if answered.await.is_ok() {
            break start;
        }
        holding.push(stream);
    };
    assert_eq!(&refused, b"HTTP/1.1 429");
    assert_eq!(holding.len(), 2);
    for address in ["2001:db8:0:1::1", "192.0.2.1"] {
        holding.push(stalled(&app, &from(address)).await);
    }
    // Nor does it keep its own from being served, as long as they do not stall.
    for address in ["2001:db8::1", "192.0.2.2"] {
        let client = app.anonymous();
        let request = client.request(Method::POST, "/api/auth/token");
        let request = request
            .header("x-forwarded-for", address)
            .header("content-type", "application/json")
            .body(CREDENTIALS);
        client.send(request).await.expect_status(200);
    }
}

#[tokio::test]
async fn one_address_has_only_so_much_in_progress() {
    let app = AppBuilder::default()
        .set("MAX_REQUESTS_PER_ADDRESS", "1")
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let player = app.player("santa", 1).await;
    let from = |address: &'static str, method: Method, path: &'static str| {
        let player = player.clone();
        async move {
            let request = player.request(method, path);
            let request = request.header("x-forwarded-for", address);
            player.send(request).await
        }
    };
    // Somebody holds the player's row, or on SQLite the only writer.
    let tx = app.test.db.begin().await.unwrap();
    let locked = xmas_players::lock_in_tx(&tx, &player.identity()).await;
    locked.unwrap();
    let reads = async || from("192.0.2.1", Method::GET, "/api/wallet").await;
    let plays = || from("192.0.2.1", Method::POST, "/api/roulette/play");
    let (refused, playing) = refused_beside(|| tokio::spawn(plays()), reads).await;
    let refused = refused.expect_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_rejected(&app, "address");
    let other = from("192.0.2.2", Method::GET, "/api/wallet").await;
    other.expect_status(200);
    drop(tx);
    playing.await.unwrap().expect_status(200);
    let again = from("192.0.2.1", Method::GET, "/api/wallet").await;
    again.expect_status(200);
}

#[tokio::test]
async fn work_on_many_players_has_places_of_its_own() {
    let app = AppBuilder::default()
        .set("MAX_BULK_REQUESTS", "1")
        .set("UPLOAD_SECONDS", "60")
        .start()
        .await;
    let admin = app.admin("operator").await;
    let player = app.player("santa", 1).await;
    let grant = "/admin/api/game-tokens/grant-bulk?token_type=POINT&dry_run=true&batch_id=b";
    let token = admin.token();
    // One whose table does not come, and so is in progress for as long as it likes.
    let head = format!(
        "POST {grant} HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n\
         authorization: Bearer {token}\r\ncontent-length: 100000\r\n\r\nexternal_id,amount\n"
    );
    let mut first = sent(&app, &head).await;
    let table = "external_id,amount\nsanta,1\n";
    let mut attempts = 0;
    let refused = loop {
        // It may have come while another one had the only place.
        if first.try_read(&mut [0; 1_024]).is_ok() {
            first = sent(&app, &head).await;
        }
        let answer = admin.post_csv(grant, table).await;
        if answer.status != 200 {
            break answer;
        }
        attempts += 1;
        assert!(attempts < 1_000, "nothing is ever refused");
    };
    let refused = refused.expect_error(503, "OVERLOADED");
    assert_eq!(refused.headers["retry-after"], "1");
    assert_rejected(&app, "bulk");
    // Neither those who play nor an operator's lists wait for it.
    player.play("/api/roulette/play").await.expect_status(200);
    let list = admin.get("/admin/api/game-tokens/batches").await;
    list.expect_status(200);
    // Whoever hangs up gives the place back.
    drop(first);
    let mut attempts = 0;
    while admin.post_csv(grant, table).await.status != 200 {
        attempts += 1;
        assert!(attempts < 1_000, "the place does not come back");
    }
}

#[tokio::test]
async fn a_storm_of_logins_is_shed_before_anybody_who_plays() {
    let app = AppBuilder::default()
        .set("PASSWORD_CONCURRENCY", "1")
        .set("MAX_LOGINS", "4")
        .set("MAX_REQUESTS", "24")
        .start()
        .await;
    let player = app.player("santa", 20).await;
    let logins = join_all((0..60).map(|_| app.login("santa")));
    let plays = async {
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(player.play("/api/roulette/play").await.status);
        }
        statuses
    };
    let (logins, plays) = tokio::join!(logins, plays);
    assert_eq!(plays, [200; 20], "those who play are served");
    let shed = logins.iter().filter(|login| login.status == 503).count();
    let served = logins.iter().filter(|login| login.status == 200).count();
    assert_eq!(shed + served, 60);
    assert!(shed > 0 && served >= 4, "{shed} shed, {served} served");
    assert_rejected(&app, "logins");
}

#[tokio::test]
async fn a_burst_of_ten_times_the_cap_is_served_or_refused_quickly_and_passes() {
    const CAP: usize = 16;
    let app = AppBuilder::default()
        .set("MAX_REQUESTS", &CAP.to_string())
        .start()
        .await;
    let player = app.player("santa", 0).await;
    // Each with a connection of its own, as ten times as many players would have.
    let all = || join_all((0..CAP * 10).map(|_| timed(&player)));
    all().await;
    // The best of some bursts, since other tests run beside this one.
    let (mut p95, mut turned_away, mut refusals) = (Duration::MAX, 0, Duration::MAX);
    for _ in 0..4 {
        let answers = all().await;
        let (served, refused): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|(answer, _)| answer.status == 200);
        assert!(served.len() >= CAP, "{} served", served.len());
        turned_away += refused.len();
        let mut waited = Vec::new();
        for (answer, time) in refused {
            let answer = answer.expect_error(503, "OVERLOADED");
            assert_eq!(answer.headers["retry-after"], "1");
            waited.push(time);
        }
        if !waited.is_empty() {
            refusals = refusals.min(percentile_95(waited));
        }
        p95 = p95.min(percentile_95(
            served.into_iter().map(|(_, time)| time).collect(),
        ));
        // It has passed as soon as it is over.
        times(&player, 20).await;
    }
    assert!(p95 < Duration::from_millis(500), "p95 is {p95:?}");
    assert!(turned_away > 0, "nobody is turned away");
    assert!(refusals < Duration::from_millis(500), "{refusals:?}");
}

async fn timed(player: &Client) -> (Answer, Duration) {
    let started = Instant::now();
    let answer = player.get(STATUS).await;
    (answer, started.elapsed())
}

#[tokio::test]
async fn a_player_who_reads_or_writes_too_often_waits_and_nobody_else() {
    let app = AppBuilder::default()
        .set("PLAYER_READS_PER_MINUTE", "3")
        .set("PLAYER_WRITES_PER_MINUTE", "2")
        .start()
        .await;
    let (first, second) = (app.player("santa", 9).await, app.player("rudolf", 9).await);
    for player in [&first, &second] {
        for _ in 0..3 {
            player.get(STATUS).await.expect_status(200);
        }
        let refused = player.get(STATUS).await;
        let refused = refused.expect_error(429, "TOO_MANY_REQUESTS");
        let wait: u64 = refused.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        // Reading does not count as playing.
        for _ in 0..2 {
            player.play("/api/roulette/play").await.expect_status(200);
        }
        let refused = player.play("/api/roulette/play").await;
        refused.expect_error(429, "TOO_MANY_REQUESTS");
    }
}
