//! Plays of several players in one transaction: what one of them asks for, cannot have or does in between is
//! nobody else's business.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sea_orm::DbBackend;
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, yield_now},
    time::timeout,
};
use xmas_activity::{ActivityObserver, Event};
use xmas_games::{GameError, GameService, Play, PlayCommand, roulette::Segment};
use xmas_kernel::{
    UserId,
    db::{DbError, Tx},
    idempotency::Replayable,
};
use xmas_players::{AccessError, Identity, LockedPlayer, lock_by_id_in_tx};
use xmas_rewards::RewardType;
use xmas_time::{DateTime, Utc};

use crate::world::{Real, Setting, at, keyed, play, reward, sure};

type Answered = Result<Replayable<Play<Segment>>, GameError>;

/// Two players who keep everybody else waiting, so that all others go together: as many as play alone at once.
struct Queue {
    first: [Identity; 2],
    playing: Vec<JoinHandle<Answered>>,
    held: Option<Tx>,
}

impl Queue {
    async fn new(real: &Real) -> Self {
        let mut first = Vec::new();
        for name in ["first", "second"] {
            first.push(real.player(name, 10).await);
        }
        let first = [first[0], first[1]];
        // The season, the wheel and the seed are known from now on.
        for player in first {
            real.roulette.play(&play(player), at(26)).await.unwrap();
        }
        let tx = real.test.db.begin().await.unwrap();
        for player in first {
            lock_by_id_in_tx(&tx, player.user_id).await.unwrap();
        }
        let mut queue = Self {
            first,
            playing: Vec::new(),
            held: Some(tx),
        };
        for player in first {
            queue.playing.push(ask(real, play(player)));
            settle().await;
        }
        queue
    }

    /// Lets everybody go who waits.
    async fn open(&mut self) {
        settle().await;
        drop(self.held.take());
        for playing in self.playing.drain(..) {
            playing.await.unwrap().unwrap();
        }
    }
}

fn ask(real: &Real, command: PlayCommand) -> JoinHandle<Answered> {
    let roulette = real.roulette.clone();
    tokio::spawn(async move { roulette.play(&command, at(26)).await })
}

/// Until everybody has asked who can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

async fn plays_of(real: &Real, player: Identity) -> i64 {
    let sql = format!(
        "SELECT COUNT(*) FROM feature_log WHERE user_id = {}",
        player.user_id
    );
    real.test.count(&sql).await
}

fn points() -> Setting {
    let mut wheel = sure(reward(RewardType::Point, 7));
    wheel.max_daily_spins = 3;
    Setting {
        xp_per_play: 1,
        wheel,
        ..Setting::default()
    }
}

#[tokio::test]
async fn everybody_is_answered_what_they_would_be_alone() {
    let real = Real::new(points()).await;
    let plain = real.player("plain", 2).await;
    let with_key = real.player("with_key", 5).await;
    let again = real.player("again", 5).await;
    let misused = real.player("misused", 5).await;
    let (poor, done) = (real.player("poor", 0).await, real.player("done", 9).await);
    let (blocked, stale) = (
        real.player("blocked", 5).await,
        real.player("stale", 5).await,
    );
    let nobody = Identity {
        user_id: UserId(999_999),
        token_epoch: 0,
    };
    let earlier = real
        .roulette
        .play(&keyed(again, "k", ""), at(26))
        .await
        .unwrap();
    real.roulette
        .play(&keyed(misused, "k", ""), at(26))
        .await
        .unwrap();
    for _ in 0..3 {
        real.roulette.play(&play(done), at(26)).await.unwrap();
    }
    real.test.block(&blocked).await;
    let stale = Identity {
        token_epoch: stale.token_epoch + 1,
        ..stale
    };

    let mut queue = Queue::new(&real).await;
    let commands = [
        play(plain),
        // The same player twice, and the same key twice: those behind play after the others.
        play(plain),
        keyed(with_key, "k", ""),
        keyed(with_key, "k", ""),
        keyed(again, "k", ""),
        keyed(misused, "k", "x"),
        play(poor),
        play(done),
        play(blocked),
        play(stale),
        play(nobody),
    ];
    let playing: Vec<_> = commands
        .into_iter()
        .map(|command| ask(&real, command))
        .collect();
    queue.open().await;
    let mut answers = Vec::new();
    for playing in playing {
        answers.push(playing.await.unwrap());
    }
    let [
        once,
        twice,
        key,
        same_key,
        replay,
        reused,
        broke,
        over,
        barred,
        old,
        unknown,
    ] = <[Answered; 11]>::try_from(answers).unwrap();

    let (once, twice) = (once.unwrap(), twice.unwrap());
    let mut nonces = [once.result.receipt.nonce, twice.result.receipt.nonce];
    nonces.sort_unstable();
    assert_eq!(nonces, [0, 1]);
    assert_eq!(once.result.token_balance + twice.result.token_balance, 1);
    let (key, same_key) = (key.unwrap(), same_key.unwrap());
    assert_ne!(key.replayed, same_key.replayed);
    assert_eq!(key.result, same_key.result);
    assert_eq!(key.result.token_balance, 4);
    let replay = replay.unwrap();
    assert!(replay.replayed);
    assert_eq!(replay.result, earlier.result);
    assert!(
        matches!(reused, Err(GameError::Idempotency(_))),
        "{reused:?}"
    );
    assert!(
        matches!(broke, Err(GameError::NotEnoughTokens)),
        "{broke:?}"
    );
    assert!(
        matches!(over, Err(GameError::DailyLimitReached)),
        "{over:?}"
    );
    assert!(
        matches!(barred, Err(GameError::Access(AccessError::Blocked))),
        "{barred:?}"
    );
    for unknown in [old, unknown] {
        assert!(
            matches!(unknown, Err(GameError::Access(AccessError::StaleToken))),
            "{unknown:?}"
        );
    }
    for (player, plays) in [
        (plain, 2),
        (with_key, 1),
        (again, 1),
        (misused, 1),
        (poor, 0),
        (done, 3),
        (blocked, 0),
    ] {
        assert_eq!(plays_of(&real, player).await, plays);
    }
    for first in queue.first {
        assert_eq!(plays_of(&real, first).await, 2);
    }
    let points = "SELECT SUM(balance) FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, 7 * 12);
    let xp = "SELECT SUM(current_xp) FROM season_pass_progress";
    assert_eq!(real.test.count(xp).await, 12);
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn many_cost_less_than_each_alone() {
    const PLAYS: u64 = 12;
    let real = Real::new(points()).await;
    let mut players = Vec::new();
    for number in 0..PLAYS {
        let player = real.player(&format!("player-{number}"), 5).await;
        // The first play of a season writes more.
        real.roulette.play(&play(player), at(26)).await.unwrap();
        players.push(player);
    }
    let mut queue = Queue::new(&real).await;
    let playing: Vec<_> = players
        .iter()
        .map(|player| ask(&real, play(*player)))
        .collect();
    settle().await;
    let before = real.statements.count();
    queue.open().await;
    for playing in playing {
        playing.await.unwrap().unwrap();
    }
    // Two plays of seven alone, and of twelve 26 if they went in one transaction.
    let statements = real.statements.count() - before;
    assert!(statements < PLAYS * 7 / 2 + 14, "{statements}");
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn nobody_waits_for_a_player_whom_somebody_else_has_locked() {
    let real = Real::new(points()).await;
    if real.test.db.backend() == DbBackend::Sqlite {
        return; // It has one lock for all.
    }
    let locked = real.player("locked", 5).await;
    let mut others = Vec::new();
    for name in ["a", "b", "c"] {
        others.push(real.player(name, 5).await);
    }
    let mut queue = Queue::new(&real).await;
    let by_another = real.test.db.begin().await.unwrap();
    lock_by_id_in_tx(&by_another, locked.user_id).await.unwrap();
    let waiting = ask(&real, play(locked));
    let playing: Vec<_> = others
        .iter()
        .map(|player| ask(&real, play(*player)))
        .collect();
    let before = real.statements.count();
    queue.open().await;
    for playing in playing {
        playing.await.unwrap().unwrap();
    }
    assert!(!waiting.is_finished());
    // Of the first two alone, of these together, and what the locked player has tried: whoever had waited for that lock
    // would have got an error, and then played alone.
    let statements = real.statements.count() - before;
    assert!(statements < 14 + 3 * 7, "{statements}");
    drop(by_another);
    assert_eq!(waiting.await.unwrap().unwrap().result.receipt.nonce, 0);
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn nobody_plays_again_whose_play_is_perhaps_there() {
    let real = Real::new(points()).await;
    if real.test.db.backend() == DbBackend::Sqlite {
        return; // Nothing breaks between it and its file.
    }
    let (a, b) = (real.player("a", 5).await, real.player("b", 5).await);
    let poor = real.player("poor", 0).await;
    for player in [a, b] {
        real.roulette.play(&play(player), at(26)).await.unwrap();
    }
    let mut queue = Queue::new(&real).await;
    let playing = [a, b, poor].map(|player| ask(&real, play(player)));
    // The last statement of two plays: nothing but COMMIT comes after it, and finds no connection.
    let is_last =
        |sql: &str| sql.contains("INTO `user_event_log`") && sql.matches("(?").count() == 8;
    let breaker = real.test.reconnected().await;
    real.statements.after(is_last, move || {
        let breaks = move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(breaker.close_connections());
        };
        std::thread::spawn(breaks).join().unwrap();
    });
    queue.open().await;
    let [of_a, of_b, of_poor] = playing;
    for unknown in [of_a, of_b] {
        let unknown = unknown.await.unwrap();
        let expected = matches!(
            unknown,
            Err(GameError::Db(DbError::CommitOutcomeUnknown(_)))
        );
        assert!(expected, "{unknown:?}");
    }
    // Who was not among them is not told of it.
    let broke = of_poor.await.unwrap();
    assert!(
        matches!(broke, Err(GameError::NotEnoughTokens)),
        "{broke:?}"
    );
    // All other connections are gone, too.
    let real = real.replica().await;
    for player in [a, b] {
        assert_eq!(plays_of(&real, player).await, 1);
    }
    real.assert_ledgers_add_up().await;
}

/// Has a say in what one player does.
struct Meddler {
    whom: UserId,
    /// Whether it makes the play fail, or waits in it.
    fails: bool,
    met: Arc<Semaphore>,
}

#[async_trait]
impl ActivityObserver for Meddler {
    async fn observe_in_tx(
        &self,
        _: &sea_orm::DatabaseTransaction,
        player: &LockedPlayer,
        _: &Event,
        _: DateTime<Utc>,
    ) -> Result<Vec<Event>, DbError> {
        if player.user_id() == self.whom {
            self.met.add_permits(1);
            if self.fails {
                return Err(DbError::Corrupt("one of their rows".to_owned()));
            }
            std::future::pending::<()>().await;
        }
        Ok(Vec::new())
    }
}

/// A player whom the observer meets, with everybody else. Players are numbered as they come.
async fn meddled(fails: bool) -> (Real, Arc<Semaphore>, [Identity; 3]) {
    let met = Arc::new(Semaphore::new(0));
    let meddler = Meddler {
        whom: UserId(2),
        fails,
        met: met.clone(),
    };
    let real = Real::new(Setting {
        observers: vec![Arc::new(meddler)],
        ..points()
    })
    .await;
    let mut players = Vec::new();
    for name in ["a", "b", "c"] {
        players.push(real.player(name, 5).await);
    }
    assert_eq!(players[1].user_id, UserId(2));
    (real, met, [players[0], players[1], players[2]])
}

#[tokio::test]
async fn a_play_that_fails_fails_alone() {
    let (real, _, [before, bad, after]) = meddled(true).await;
    let mut queue = Queue::new(&real).await;
    let playing = [before, bad, after].map(|player| ask(&real, play(player)));
    queue.open().await;
    let [before_played, bad_played, after_played] = playing;
    before_played.await.unwrap().unwrap();
    after_played.await.unwrap().unwrap();
    let failed = bad_played.await.unwrap();
    assert!(
        matches!(failed, Err(GameError::Db(DbError::Corrupt(_)))),
        "{failed:?}"
    );
    for (player, plays) in [(before, 1), (bad, 0), (after, 1)] {
        assert_eq!(plays_of(&real, player).await, plays);
    }
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn whoever_hangs_up_has_not_played_and_the_others_have_once() {
    let (real, met, [before, gone, after]) = meddled(false).await;
    let mut queue = Queue::new(&real).await;
    let playing = [before, gone, after].map(|player| ask(&real, play(player)));
    queue.open().await;
    let [before_played, gone_played, after_played] = playing;
    // All of the others' rows are written by then, or noted.
    met.acquire().await.unwrap().forget();
    gone_played.abort();
    for played in [before_played, after_played] {
        // Who waits for the one that is gone waits for ever.
        let played = timeout(Duration::from_secs(60), played).await.unwrap();
        let played = played.unwrap().unwrap();
        assert_eq!(
            (played.result.receipt.nonce, played.result.token_balance),
            (0, 4)
        );
    }
    for (player, plays) in [(before, 1), (gone, 0), (after, 1)] {
        assert_eq!(plays_of(&real, player).await, plays);
    }
    assert_eq!(met.available_permits(), 0, "they were not tried again");
    real.assert_ledgers_add_up().await;
}
