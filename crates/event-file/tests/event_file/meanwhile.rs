//! Files applied while others play, and by a process that dies.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use xmas_api::wiring::{App, Ports};
use xmas_config::{Config, Secrets, Variables};
use xmas_event_file::{CheckedFile, EventDesk, read};
use xmas_kernel::Asset;
use xmas_test_support::{TestApp, TestDb};
use xmas_time::{Clock, EventDay};

const ONE: &str = include_str!("recorded/xmas-2025.toml");

/// The same event with another wheel, whose plays bring other XP.
fn other() -> String {
    ONE.replace(
        "\"다음 기회에\", weight = 120, reward_type = \"NONE\"",
        "\"다른 표\", weight = 120, reward_type = \"NONE\"",
    )
    .replace(
        "\"1,000 포인트\", weight = 180",
        "\"다른 표 포인트\", weight = 90",
    )
    .replace("xp_per_play = 5", "xp_per_play = 50")
    .replace(
        "level = 10, required_xp = 1600",
        "level = 10, required_xp = 1500",
    )
}

fn file(app: &TestApp, text: &str) -> CheckedFile {
    read(text, EventDay::of(app.clock.now())).unwrap()
}

/// The application on the same database through connections of its own.
fn replica(app: &TestApp, test: &TestDb) -> App {
    let config = Config::from_variables(&Variables::default()).unwrap();
    let secret = "the data key of all tests, 32 bytes or more";
    let secrets = Secrets {
        jwt: secret.parse().unwrap(),
        data_key: secret.parse().unwrap(),
        data_key_previous: None,
    };
    let clock: Arc<dyn Clock> = app.clock.clone();
    App::new(&test.db, &config, &secrets, Ports::with_clock(clock))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_refused_while_an_event_becomes_another_again_and_again() {
    const PLAYERS: usize = 200;
    const PLAYS_BETWEEN: usize = 40;
    let app = TestApp::start().await;
    let mut players = Vec::new();
    for number in 0..PLAYERS {
        let player = app.player(&format!("player-{number}"), 0).await;
        app.give(player.identity(), Asset::RouletteCoin, 20).await;
        players.push(player);
    }
    let files = [file(&app, ONE), file(&app, &other())];
    // Another process: those of whoever plays find out by themselves.
    let elsewhere = app.test.reconnected().await;
    let desk = replica(&app, &elsewhere).event().clone();
    let now = app.clock.now();
    let (played, mut plays) = tokio::sync::mpsc::unbounded_channel::<()>();
    let applying = tokio::spawn(async move {
        let mut applied = 0;
        loop {
            let next = &files[(applied + 1) % 2];
            let plan = desk.apply(None, next, None, now).await.unwrap();
            assert!(!plan.changes.is_empty());
            applied += 1;
            for _ in 0..PLAYS_BETWEEN {
                if plays.recv().await.is_none() {
                    return applied;
                }
            }
        }
    });
    let playing = players.into_iter().map(|player| {
        let played = played.clone();
        tokio::spawn(async move {
            for _ in 0..3 {
                player.play("/api/roulette/play").await.expect_status(200);
                played.send(()).unwrap();
            }
        })
    });
    let playing: Vec<_> = playing.collect();
    drop(played);
    for player in playing {
        player.await.unwrap();
    }
    let applied = applying.await.unwrap();
    assert!(applied >= 3 * PLAYERS / PLAYS_BETWEEN, "{applied}");
    let test = &app.test;
    let plays = "SELECT COUNT(*) FROM feature_log";
    assert_eq!(test.count(plays).await, 600);
    // Both have been played for sure.
    let late = app.player("late", 2).await;
    for text in [ONE, &other()] {
        let file = file(&app, text);
        app.app.event().apply(None, &file, None, now).await.unwrap();
        late.play("/api/roulette/play").await.expect_status(200);
    }
    // Each was drawn from one of the two tables, and brought the XP that the same event says.
    let tables = "SELECT COUNT(DISTINCT odds_id) FROM feature_log";
    assert_eq!(test.count(tables).await, 2);
    let events = "SELECT COUNT(*) FROM (SELECT DISTINCT play.odds_id, xp.amount FROM feature_log play \
         JOIN reward_log xp ON xp.grant_key = CONCAT('play:', play.id, ':xp')) AS seen";
    assert_eq!(test.count(events).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_has_applied_all_of_it_or_nothing() {
    let app = TestApp::start().await;
    let text = other();
    let desk = app.app.event();
    let now = app.clock.now();
    let mut statements = 1;
    let mut cut = 0;
    loop {
        let before = file(&app, ONE);
        desk.apply(None, &before, None, now).await.unwrap();
        let mut test = app.test.reconnected().await;
        let counted = Arc::new(AtomicU64::new(0));
        test.db.observe_statements(move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) + 1 == statements {
                // At once, and not at the next pause, of which there may be none.
                std::panic::resume_unwind(Box::new("killed"));
            }
        });
        let process: EventDesk = replica(&app, &test).event().clone();
        let wanted = file(&app, &text);
        let work = tokio::spawn(async move {
            process.apply(None, &wanted, None, now).await.unwrap();
        });
        let is_cut = work.await.is_err();
        // What it was about to commit is there or not by the time that somebody else has had their turn.
        let exported = {
            let turn = "UPDATE config_lock SET turn = turn + 1 WHERE area = 'UI_CONFIG'";
            app.test.execute(turn).await;
            desk.export(None).await.unwrap().text
        };
        assert!(
            exported == ONE || exported == text,
            "after {statements}: {exported}"
        );
        if !is_cut {
            assert_eq!(exported, text);
            break;
        }
        cut += 1;
        statements += 1;
        assert!(statements < 500);
    }
    assert!(cut > 40, "{cut}");
}
