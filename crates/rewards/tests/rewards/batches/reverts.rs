//! Batches that are taken back: while they run, while players spend, by several at once, and killed in the
//! middle.

use futures_util::future::join_all;
use xmas_kernel::{BatchId, db::retry};
use xmas_players::lock_by_id_in_tx;
use xmas_rewards::{BatchReport, Books, Spend, SpendError};

use super::*;

/// How the first batch of a test is called.
const FIRST: BatchRef = BatchRef::Id(BatchId(1));

fn line(player: i64, asset: Asset, amount: i64) -> BatchLine {
    BatchLine {
        line: player.unsigned_abs(),
        who: PlayerRef {
            user_id: Some(UserId(player)),
            external_id: None,
        },
        asset,
        amount,
    }
}

fn listed(name: &str, kind: OrderKind, lines: Vec<BatchLine>) -> NewBatch {
    NewBatch {
        force: false,
        orders: BatchOrders::Listed {
            lines,
            unreadable: Vec::new(),
        },
        ..everybody(name, kind, 1)
    }
}

impl World {
    async fn revert(&self, batches: &Batches) -> BatchReport {
        let revert = batches
            .revert(&self.actor, &FIRST, "wrong", None, now())
            .await;
        revert.unwrap().result
    }

    async fn balance(&self, player: i64, asset: Asset) -> i64 {
        let wallets = Wallets::new(self.test.db.clone());
        wallets.balances(UserId(player)).await.unwrap()[&asset]
    }

    /// As a play does.
    async fn spend(&self, player: i64, amount: i64, reference: &str) -> Result<i64, SpendError> {
        let spend = Spend {
            asset: Asset::Point,
            amount,
            reason: "PLAY",
            reference: reference.to_owned(),
        };
        let once = async || {
            let tx = self.test.db.begin().await?;
            let locked = lock_by_id_in_tx(&tx, UserId(player)).await?.unwrap();
            let mut books = Books::lock_in_tx(&tx, &locked, now()).await?;
            let spent = books.spend(&spend)?;
            books.write_in_tx().await?;
            tx.commit().await?;
            Ok(spent)
        };
        retry(once).await
    }

    /// A batch whose process was killed as soon as it was registered, for everybody.
    async fn register_only(&self, batch: &NewBatch, amount: i64) {
        let request = batch.request.clone().unwrap();
        let (key, fingerprint) = (request.as_str(), request.fingerprint());
        let kind = batch.kind.as_str();
        let registered = format!(
            "INSERT INTO wallet_batch (id, batch_key, kind, fingerprint, state, actor, created_at) \
             VALUES (1, '{key}', '{kind}', '{fingerprint}', 'OPEN', 'operator', \
             '2025-12-26 00:00:00.000000')"
        );
        self.test.execute(&registered).await;
        let planned = format!(
            "INSERT INTO wallet_batch_item (batch_id, user_id, asset, amount, state) \
             SELECT 1, id, 'POINT', {amount}, 'PLANNED' FROM user WHERE id > 1"
        );
        self.test.execute(&planned).await;
    }

    async fn planned(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM wallet_batch_item WHERE state = 'PLANNED'")
            .await
    }

    /// That no batch says anything else than the ledger, and no revert took more than was given.
    async fn assert_nothing_was_made_or_lost(&self) {
        self.assert_ledgers_add_up().await;
        for (what, wrong) in checks() {
            assert_eq!(self.count(wrong).await, 0, "{what}");
        }
    }
}

/// What `xmas-api audit` checks of batches; that crate stands below this one.
fn checks() -> [(&'static str, &'static str); 2] {
    [
        (
            "an item is in the ledger as far as it is done",
            "SELECT COUNT(*) FROM wallet_batch_item i JOIN wallet_batch b ON b.id = i.batch_id \
             LEFT JOIN wallet_ledger l ON l.user_id = i.user_id AND l.asset = i.asset \
             AND l.reference LIKE 'batch:%' AND SUBSTR(l.reference, 7) = b.batch_key \
             WHERE COALESCE(ABS(l.delta), 0) <> CASE i.state WHEN 'DONE' THEN i.amount \
             WHEN 'SHORT' THEN i.part_moved ELSE 0 END",
        ),
        (
            "a revert is about what its batch has done",
            "SELECT COUNT(*) FROM wallet_batch_item i JOIN wallet_batch r ON r.id = i.batch_id \
             AND r.reverts IS NOT NULL LEFT JOIN wallet_batch_item o ON o.batch_id = r.reverts \
             AND o.user_id = i.user_id AND o.asset = i.asset AND o.state = 'DONE' \
             WHERE o.amount IS NULL OR o.amount <> i.amount",
        ),
    ]
}

#[tokio::test]
async fn what_is_left_is_taken_back_and_what_is_missing_is_said() {
    let world = World::new().await;
    world.players(6).await;
    let one = world.replica(2).await;
    // Two lines of one player, and nothing for the last two.
    let mut lines: Vec<_> = (2..6)
        .map(|player| line(player, Asset::Point, 10))
        .collect();
    lines.push(line(2, Asset::DiceToken, 3));
    let batch = listed("wrong", OrderKind::Grant, lines);
    one.run(&world.actor, &batch, now()).await.unwrap();
    world.give(UserId(6), 10).await;
    world.spend(3, 4, "play:1").await.unwrap();
    world.spend(4, 10, "play:2").await.unwrap();
    // What a player had from elsewhere counts: nobody can tell one point from another.
    world.give(UserId(5), 100).await;
    world.spend(5, 9, "play:3").await.unwrap();

    let preview = one.preview_revert(&FIRST, "wrong").await.unwrap();
    assert!(!preview.replayed && preview.result.batch.is_none());
    let (before, preview) = (world.planned().await, preview.result);
    assert_eq!((before, preview.kind), (0, OrderKind::Revoke));

    let report = world.revert(&one).await;
    let revert = report.batch.clone().unwrap();
    assert_eq!((revert.id, revert.reverts), (BatchId(2), Some(BatchId(1))));
    assert_eq!(revert.state, BatchState::Done);
    assert_eq!(report.tally.all.totals[&Asset::Point], 40);
    assert_eq!(report.tally.done.totals[&Asset::Point], 10 + 6 + 10);
    assert_eq!(report.tally.done.totals[&Asset::DiceToken], 3);
    assert_eq!(report.tally.done.players, 3);
    assert_eq!(report.tally.short.totals[&Asset::Point], 4 + 10);
    assert_eq!(report.tally.short.players, 2);
    let short = report.short.iter();
    let short: Vec<_> = short.map(|short| (short.user_id.0, short.moved)).collect();
    assert_eq!(short, [(3, 6), (4, 0)]);
    // As it was foretold, but for the balances.
    assert_eq!(preview.tally.all, report.tally.all);
    assert_eq!(preview.tally.short, report.tally.short);
    let foretold = preview.short.iter();
    let foretold: Vec<_> = foretold
        .map(|short| (short.user_id.0, short.moved))
        .collect();
    assert_eq!(foretold, short);
    for (player, balance) in [(2, 0), (3, 0), (4, 0), (5, 91), (6, 10), (7, 0)] {
        assert_eq!(
            world.balance(player, Asset::Point).await,
            balance,
            "{player}"
        );
    }
    assert_eq!(world.balance(2, Asset::DiceToken).await, 0);

    // Once and for all, whatever they get later.
    world.give(UserId(4), 10).await;
    let again = one
        .revert(&world.actor, &FIRST, "again", None, now())
        .await
        .unwrap();
    assert!(again.replayed);
    let batch = again.result.batch.as_ref().unwrap();
    assert_eq!((batch, &again.result.tally), (&revert, &report.tally));
    assert_eq!(world.balance(4, Asset::Point).await, 10);
    let seen = one.batch(&FIRST).await.unwrap().batch.unwrap();
    assert_eq!(seen.reverted_by, Some(BatchId(2)));
    let own = one
        .revert(&world.actor, &BatchRef::Id(BatchId(2)), "no", None, now())
        .await;
    let refused = own.unwrap_err();
    assert!(matches!(refused, BatchError::IsRevert { of } if of == BatchId(1)));
    let of_revert = "SELECT COUNT(*) FROM wallet_ledger WHERE reason = 'ADMIN_REVOKE' \
                     AND reference = 'batch:key:revert:1' AND actor = 'operator'";
    assert_eq!(world.count(of_revert).await, 4);
    let audited = "SELECT COUNT(*) FROM admin_audit_log WHERE resource = 'batch:key:revert:1' \
                   AND action IN ('BATCH_CREATE', 'BATCH_DONE') AND reason = 'wrong'";
    assert_eq!(world.count(audited).await, 2);
    world.assert_nothing_was_made_or_lost().await;
}

#[tokio::test]
async fn what_was_taken_is_given_back_to_whom_it_was_taken_from() {
    let world = World::new().await;
    world.players(5).await;
    for player in 2..6 {
        world.give(UserId(player), 10).await;
    }
    let one = world.replica(2).await;
    // One of them plays before it is their turn, and one has nothing.
    let payout = everybody("payout", OrderKind::Payout, 7);
    world.register_only(&payout, 7).await;
    world.spend(3, 5, "play:1").await.unwrap();
    one.run(&world.actor, &payout, now()).await.unwrap();
    world
        .test
        .execute("UPDATE user_profiles SET is_blocked = 1 WHERE user_id = 4")
        .await;
    world
        .test
        .execute("UPDATE user SET status = 'INACTIVE' WHERE id = 5")
        .await;
    let report = world.revert(&one).await;
    assert_eq!(report.kind, OrderKind::Grant);
    assert_eq!(report.tally.done, report.tally.all);
    assert_eq!(report.tally.done.totals[&Asset::Point], 21);
    for (player, balance) in [(2, 10), (3, 5), (4, 10), (5, 10), (6, 0)] {
        assert_eq!(
            world.balance(player, Asset::Point).await,
            balance,
            "{player}"
        );
    }
    world.assert_nothing_was_made_or_lost().await;
}

#[tokio::test]
async fn a_batch_of_nobody_is_taken_back_from_nobody() {
    let world = World::new().await;
    world.players(3).await;
    let one = world.replica(2).await;
    let batch = everybody("daily", OrderKind::Grant, 10);
    world.register_only(&batch, 10).await;
    let preview = one.preview_revert(&FIRST, "wrong").await.unwrap().result;
    let left = preview.reverts.unwrap().left;
    assert_eq!((left.players, left.totals[&Asset::Point]), (3, 30));
    let report = world.revert(&one).await;
    assert_eq!(report.tally.all.players, 0);
    assert_eq!(report.batch.unwrap().state, BatchState::Done);
    assert_eq!(report.reverts.unwrap().left, left);
    let stopped = one.batch(&FIRST).await.unwrap();
    assert_eq!(stopped.tally.left, left);
    let stopped = stopped.batch.unwrap();
    assert_eq!(stopped.state, BatchState::Stopped);
    assert_eq!(stopped.finished_at, Some(now()));
    let audited = "SELECT COUNT(*) FROM admin_audit_log WHERE resource = 'batch:daily' \
                   AND action = 'BATCH_STOP' AND after_json LIKE '%\"players\":3%'";
    assert_eq!(world.count(audited).await, 1);
    world.assert_nothing_was_made_or_lost().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revert_that_is_killed_anywhere_is_gone_on_with_and_taken_once() {
    let world = World::new().await;
    world.players(300).await;
    let batch = everybody("daily", OrderKind::Grant, 7);
    let one = world.replica(1_000).await;
    one.run(&world.actor, &batch, now()).await.unwrap();
    let mut killed = 0;
    for patience in (1..).map(|round| Duration::from_millis(3 * round)) {
        let batches = world.replica(17).await;
        let run = batches.revert(&world.actor, &FIRST, "wrong", None, now());
        if let Ok(run) = tokio::time::timeout(patience, run).await {
            let report = run.unwrap().result;
            assert_eq!(report.tally.done.totals[&Asset::Point], 2_100);
            break;
        }
        killed += 1;
        world.assert_ledgers_add_up().await;
        // Somebody is given something meanwhile, which is not the batch's.
        if killed == 2 {
            world.give(UserId(250), 1).await;
        }
    }
    assert!(killed > 2, "{killed}");
    assert_eq!(
        world
            .count("SELECT SUM(balance) FROM user_game_wallet")
            .await,
        1
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM wallet_batch").await, 2);
    world.assert_nothing_was_made_or_lost().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reverts_at_once_are_one() {
    let world = World::new().await;
    world.players(300).await;
    let batch = everybody("daily", OrderKind::Grant, 7);
    let one = world.replica(1_000).await;
    one.run(&world.actor, &batch, now()).await.unwrap();
    for player in 2..52 {
        world
            .spend(player, 3, &format!("play:{player}"))
            .await
            .unwrap();
    }
    let mut runs = Vec::new();
    for chunk in [7, 13, 50, 1_000] {
        let (batches, actor) = (world.replica(chunk).await, world.actor.clone());
        runs.push(tokio::spawn(async move {
            batches.revert(&actor, &FIRST, "wrong", None, now()).await
        }));
    }
    for run in join_all(runs).await {
        let report = run.unwrap().unwrap().result;
        assert_eq!(report.batch.unwrap().reverts, Some(BatchId(1)));
        assert_eq!(report.tally.done.totals[&Asset::Point], 2_100 - 150);
        assert_eq!(report.tally.short.players, 50);
    }
    assert_eq!(
        world
            .count("SELECT SUM(balance) FROM user_game_wallet")
            .await,
        0
    );
    world.assert_nothing_was_made_or_lost().await;
}

/// Nobody is given anything after the revert has taken its plan.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_that_is_taken_back_while_it_runs_gives_nothing_afterwards() {
    let (mut rounds, mut stopped) = (0, 0);
    // On a busy machine the revert may come too late a few times.
    while rounds < 8 || stopped == 0 && rounds < 64 {
        let world = World::new().await;
        world.players(200).await;
        let one = world.replica(50).await;
        // Opens the connections of the replica: that can take as long as all of the batch to be taken back.
        let rehearsal = everybody("rehearsal", OrderKind::Grant, 1);
        one.run(&world.actor, &rehearsal, now()).await.unwrap();
        let rehearsal = BatchRef::Key("rehearsal".to_owned());
        one.revert(&world.actor, &rehearsal, "done", None, now())
            .await
            .unwrap();
        let mut runs = Vec::new();
        for chunk in [5, 7] {
            let (batches, actor) = (world.replica(chunk).await, world.actor.clone());
            runs.push(tokio::spawn(async move {
                let batch = everybody("daily", OrderKind::Grant, 7);
                batches.run(&actor, &batch, now()).await
            }));
        }
        // Somewhere in the middle of it.
        let given = "SELECT COUNT(*) FROM wallet_ledger WHERE delta = 7";
        while world.count(given).await < 20 * (rounds % 8) {
            tokio::task::yield_now().await;
        }
        let daily = BatchRef::Key("daily".to_owned());
        let report = loop {
            match one.revert(&world.actor, &daily, "wrong", None, now()).await {
                Err(BatchError::NotFound) => tokio::task::yield_now().await,
                report => break report.unwrap().result,
            }
        };
        for run in join_all(runs).await {
            let report = run.unwrap().unwrap().result;
            assert_ne!(report.batch.unwrap().state, BatchState::Open);
        }
        let first = one.batch(&daily).await.unwrap();
        assert_eq!(report.tally.done, first.tally.done);
        let undone = 200 - first.tally.done.players;
        assert_eq!(first.tally.left.players, undone);
        stopped += u32::from(undone > 0);
        assert_eq!(
            world
                .count("SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet")
                .await,
            0
        );
        // Asked for again, it is not gone on with.
        let batch = everybody("daily", OrderKind::Grant, 7);
        let again = one.run(&world.actor, &batch, now()).await.unwrap();
        assert!(again.replayed);
        let by = again.result.batch.unwrap().reverted_by;
        assert_eq!(by, Some(report.batch.as_ref().unwrap().id));
        assert_eq!(
            world
                .count("SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet")
                .await,
            0
        );
        world.assert_nothing_was_made_or_lost().await;
        rounds += 1;
    }
    assert!(stopped > 0, "it was never in the middle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_spends_while_a_batch_is_taken_back_loses_or_keeps_what_they_spent() {
    let world = Arc::new(World::new().await);
    world.players(60).await;
    let batch = everybody("daily", OrderKind::Grant, 10);
    let one = world.replica(4).await;
    one.run(&world.actor, &batch, now()).await.unwrap();
    let mut players = Vec::new();
    for player in 2..62 {
        let world = world.clone();
        players.push(tokio::spawn(async move {
            let mut spent = 0;
            for play in 0..3 {
                let reference = format!("play:{player}:{play}");
                match world.spend(player, 3, &reference).await {
                    Ok(_) => spent += 3,
                    Err(SpendError::NotEnough) => break,
                    Err(SpendError::Db(error)) => panic!("{error:?}"),
                }
            }
            (player, spent)
        }));
    }
    let report = world.revert(&one).await;
    let mut all_spent = 0;
    for player in join_all(players).await {
        let (player, spent) = player.unwrap();
        all_spent += spent;
        let taken = format!(
            "SELECT CASE state WHEN 'DONE' THEN amount ELSE part_moved END FROM wallet_batch_item \
             WHERE batch_id = 2 AND user_id = {player}"
        );
        let (taken, left) = (
            world.count(&taken).await,
            world.balance(player, Asset::Point).await,
        );
        assert_eq!((taken + spent, left), (10, 0), "{player}");
    }
    assert_eq!(
        report
            .tally
            .done
            .totals
            .get(&Asset::Point)
            .copied()
            .unwrap_or(0),
        600 - all_spent
    );
    assert_eq!(
        report
            .tally
            .short
            .totals
            .get(&Asset::Point)
            .copied()
            .unwrap_or(0),
        all_spent
    );
    world.assert_nothing_was_made_or_lost().await;
}

#[tokio::test]
async fn a_number_that_is_two_batches_is_neither() {
    let world = World::new().await;
    world.players(2).await;
    let one = world.replica(10).await;
    for name in ["2", "3", "other", "id:1"] {
        let batch = everybody(name, OrderKind::Grant, 1);
        one.run(&world.actor, &batch, now()).await.unwrap();
    }
    let find = async |text: &str| {
        let report = one.batch(&text.parse().unwrap()).await;
        report.map(|report| report.batch.unwrap().id.0)
    };
    // Batch 1 is called "2", batch 2 is called "3", and batch 4 "id:1".
    for (text, id) in [
        ("1", 1),
        ("id:2", 2),
        ("batch_id:2", 1),
        ("other", 3),
        ("batch_id:id:1", 4),
        ("id:1", 1),
        ("4", 4),
    ] {
        assert_eq!(find(text).await.unwrap(), id, "{text}");
    }
    for (text, id, name) in [("2", 2, 1), ("3", 3, 2)] {
        let refused = find(text).await.unwrap_err();
        assert!(
            matches!(refused, BatchError::Ambiguous { by_id, by_name }
                if (by_id.0, by_name.0) == (id, name)),
            "{text}: {refused:?}"
        );
    }
    for text in ["5", "id:5", "batch_id:5", "OTHER", ""] {
        assert!(
            matches!(find(text).await, Err(BatchError::NotFound)),
            "{text}"
        );
    }
}
