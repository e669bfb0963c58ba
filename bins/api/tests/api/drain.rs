//! A stop that nobody notices: what was accepted is answered, and readiness says at once that it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use tempfile::TempDir;
use xmas_test_support::TestDb;

use crate::{
    command_line::{Serving, run, text, xmas_api},
    migrate::until_waiting,
};

/// How a client's last request ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Nobody listened any more, so nothing was sent.
    Refused,
    Lost(String),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_drops_no_request_and_readiness_is_503_at_once() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let variables = [
        ("DATABASE_URL", test.url()),
        ("DRAIN_SECONDS", "3"),
        ("PLAYER_WRITES_PER_MINUTE", "0"),
        ("PLAYER_READS_PER_MINUTE", "0"),
    ];
    let seeded = run(xmas_api(folder.path())
        .envs(variables)
        .args(["seed", "demo"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    let mut server = Serving::start(folder.path(), &variables);
    let token = server.login("demo-02", "demo-pass").await;
    let answered = Arc::new(AtomicU64::new(0));
    let played = Arc::new(AtomicU64::new(0));
    let clients = (0..12).map(|number: u32| {
        let (base, token) = (server.base().to_owned(), token.clone());
        let (answered, played) = (answered.clone(), played.clone());
        tokio::spawn(async move {
            // Each keeps its connection, as a proxy does.
            let http = reqwest::Client::builder().retry(reqwest::retry::never());
            let http = http.build().unwrap();
            loop {
                let plays = number.is_multiple_of(4);
                let request = match plays {
                    true => http.post(format!("{base}/api/dice/play")),
                    false => http.get(format!("{base}/api/season-pass/status")),
                };
                let answer = match request.bearer_auth(&token).send().await {
                    Ok(answer) => answer,
                    Err(error) if error.is_connect() => break End::Refused,
                    Err(error) => break End::Lost(format!("{error:?}")),
                };
                let status = answer.status().as_u16();
                if let Err(error) = answer.bytes().await {
                    break End::Lost(format!("{error:?}"));
                }
                // All tokens may have been played, or the day's plays.
                let is_fine = status == 200 || plays && status == 400;
                assert!(is_fine, "{status}");
                played.fetch_add(u64::from(plays && status == 200), Ordering::Relaxed);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let load = async {
        while answered.load(Ordering::Relaxed) < 100 {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), load).await;
    waited.expect("the server is under load");
    server.terminate();
    let ready = format!("{}/readyz", server.base());
    let mut probes = 0;
    while reqwest::get(&ready).await.unwrap().status() != 503 {
        // The signal may still be on its way to the process.
        probes += 1;
        assert!(probes < 50, "it says that it is ready");
    }
    let during_drain = answered.load(Ordering::Relaxed);
    for end in join_all(clients).await {
        assert_eq!(end.unwrap(), End::Refused);
    }
    let after = answered.load(Ordering::Relaxed);
    assert!(after > during_drain, "it is still serving while it drains");
    assert!(server.wait().success());
    // Every play that was answered is kept, and no other.
    let sql = "SELECT COUNT(*) FROM feature_log l JOIN `user` u ON u.id = l.user_id \
               WHERE u.external_id = 'demo-02' AND l.feature_type = 'DICE'";
    let kept = test.count(sql).await;
    assert_eq!(kept, i64::try_from(played.load(Ordering::Relaxed)).unwrap());
}

#[tokio::test]
async fn a_job_that_waits_for_the_database_holds_no_stop_up() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        // Nothing waits for a table there.
        return;
    }
    let owner = test.as_owner().await;
    let holder = owner.db.begin().await.unwrap();
    // A job begins with its lease, as soon as the server runs.
    let lock = "LOCK TABLES job_lease WRITE";
    holder.execute_unprepared(lock).await.unwrap();
    let variables = [("DATABASE_URL", test.url()), ("DRAIN_SECONDS", "0")];
    let mut server = Serving::start(folder.path(), &variables);
    until_waiting(&test, true).await;
    server.terminate();
    assert!(server.wait().success());
    holder.execute_unprepared("UNLOCK TABLES").await.unwrap();
}
