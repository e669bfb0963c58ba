//! Batches that are killed in the middle, and asked for by several processes at once.

mod reverts;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use xmas_kernel::{Asset, UserId, audit::Actor, db::DbError, idempotency::RequestKey};
use xmas_players::{GivenId, PlayerRef, find_by_id, next_players};
use xmas_rewards::{
    BatchError, BatchLine, BatchOrders, BatchRef, BatchState, Batches, Credit, NewBatch, OrderKind,
    RecipientFilter, Recipients, WalletService, Wallets,
};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

fn now() -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, 26).unwrap().start()
}

/// Everybody who has a profile and is no operator.
struct Everybody(TestDb);

#[async_trait]
impl Recipients for Everybody {
    async fn page(
        &self,
        _: &RecipientFilter,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<UserId>, DbError> {
        let conn = self.0.db.read();
        let mut players = next_players(conn, after, limit).await?;
        // The operator of these tests is the first account.
        players.retain(|player| player.0 != 1);
        Ok(players)
    }
}

struct World {
    test: TestDb,
    actor: Actor,
}

impl World {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let actor = test.operator("operator").await;
        assert_eq!(actor.user_id, UserId(1));
        Self { test, actor }
    }

    /// Players with ids from 2 on, and no more than an account.
    async fn players(&self, count: usize) {
        let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 \
                      UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 \
                      UNION ALL SELECT 8 UNION ALL SELECT 9)";
        let users = format!(
            "INSERT INTO user (id, external_id, password_hash, role, status, created_at, updated_at) \
             SELECT n + 2, n + 2, '!', 'PLAYER', 'ACTIVE', '2025-12-26 00:00:00.000000', \
             '2025-12-26 00:00:00.000000' FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d \
             + 10000 * f.d AS n FROM {digits} a, {digits} b, {digits} c, {digits} e, {digits} f) \
             numbers WHERE n < {count}"
        );
        self.test.execute(&users).await;
        let profiles = "INSERT INTO user_profiles (user_id, level, event_key_count, \
                        event_pending_points, is_blocked, token_epoch, updated_at) \
                        SELECT id, 1, 0, 0, 0, 0, updated_at FROM user WHERE id > 1";
        self.test.execute(profiles).await;
    }

    /// Another process over the same database, which does so many items at once.
    async fn replica(&self, chunk: u64) -> Batches {
        let (own, read) = (self.test.reconnected().await, self.test.reconnected().await);
        Batches::new(own.db.clone(), Arc::new(Everybody(read))).in_chunks_of(chunk)
    }

    async fn give(&self, player: UserId, points: i64) {
        let credit = Credit {
            asset: Asset::Point,
            amount: points,
            reason: "TEST",
            reference: "test".to_owned(),
            actor: "test".to_owned(),
        };
        let wallets = Wallets::new(self.test.db.clone());
        wallets.credit(player, &credit, now()).await.unwrap();
    }

    async fn count(&self, sql: &str) -> i64 {
        self.test.count(sql).await
    }

    async fn assert_ledgers_add_up(&self) {
        let wrong = "SELECT COUNT(*) FROM user_game_wallet w LEFT JOIN (SELECT user_id, asset, \
                     SUM(delta) AS total FROM wallet_ledger GROUP BY user_id, asset) l \
                     ON l.user_id = w.user_id AND l.asset = w.asset \
                     WHERE w.balance < 0 OR w.balance <> COALESCE(l.total, 0)";
        assert_eq!(self.count(wrong).await, 0);
        // No item is in a ledger twice, or done, or partly done, and in none.
        let twice = "SELECT COUNT(*) FROM (SELECT user_id, asset, reference FROM wallet_ledger \
                     WHERE reference LIKE 'batch:%' GROUP BY user_id, asset, reference \
                     HAVING COUNT(*) > 1) t";
        assert_eq!(self.count(twice).await, 0);
        // One statement: what was killed may yet be committing.
        let more = "SELECT (SELECT COUNT(*) FROM wallet_batch_item WHERE state = 'DONE' \
                    OR part_moved > 0) - (SELECT COUNT(*) FROM wallet_ledger WHERE reference LIKE 'batch:%')";
        assert_eq!(self.count(more).await, 0);
    }
}

fn everybody(name: &str, kind: OrderKind, amount: i64) -> NewBatch {
    NewBatch {
        force: false,
        request: Some(RequestKey::new(name, kind.as_str(), "", b"").unwrap()),
        kind,
        orders: BatchOrders::Everybody {
            filter: RecipientFilter::default(),
            asset: Asset::Point,
            amount,
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_that_is_killed_anywhere_is_gone_on_with_and_given_once() {
    let world = World::new().await;
    world.players(300).await;
    let batch = everybody("daily", OrderKind::Grant, 7);
    let mut killed = 0;
    // Each is given a little longer than the one before, and dropped wherever it is then.
    for patience in (1..).map(|round| Duration::from_millis(3 * round)) {
        let batches = world.replica(17).await;
        let run = batches.run(&world.actor, &batch, now());
        if let Ok(run) = tokio::time::timeout(patience, run).await {
            let report = run.unwrap().result;
            assert_eq!(report.tally.done.players, 300);
            break;
        }
        killed += 1;
        world.assert_ledgers_add_up().await;
    }
    assert!(killed > 1, "{killed}");
    let given = "SELECT COUNT(*) FROM user_game_wallet WHERE balance = 7";
    assert_eq!(world.count(given).await, 300);
    for action in ["BATCH_CREATE", "BATCH_DONE"] {
        let told = format!("SELECT COUNT(*) FROM admin_audit_log WHERE action = '{action}'");
        assert_eq!(world.count(&told).await, 1, "{action}");
    }
    world.assert_ledgers_add_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_do_one_batch_at_once_share_it() {
    let world = World::new().await;
    world.players(300).await;
    let mut runs = Vec::new();
    for chunk in [7, 13, 50, 1_000] {
        let (batches, actor) = (world.replica(chunk).await, world.actor.clone());
        runs.push(tokio::spawn(async move {
            let batch = everybody("daily", OrderKind::Grant, 7);
            batches.run(&actor, &batch, now()).await
        }));
    }
    for run in runs {
        let report = run.await.unwrap().unwrap().result;
        assert_eq!(report.batch.unwrap().state, BatchState::Done);
        assert_eq!(report.tally.done.totals[&Asset::Point], 2_100);
    }
    let points = "SELECT SUM(balance) FROM user_game_wallet";
    assert_eq!(world.count(points).await, 2_100);
    world.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn whoever_has_spent_it_meanwhile_is_passed_over_and_told_of() {
    let world = World::new().await;
    world.players(30).await;
    for id in 2..32 {
        world.give(UserId(id), 10).await;
    }
    let batch = everybody("back", OrderKind::Revoke, 10);
    // Registered, and killed before anything is done.
    let one = world.replica(5).await;
    let request = batch.request.clone().unwrap();
    world
        .test
        .execute(&format!(
            "INSERT INTO wallet_batch (id, batch_key, kind, fingerprint, state, actor, created_at) \
             VALUES (1, '{}', 'REVOKE', '{}', 'OPEN', 'operator', '2025-12-26 00:00:00.000000')",
            request.as_str(),
            request.fingerprint()
        ))
        .await;
    world
        .test
        .execute(
            "INSERT INTO wallet_batch_item (batch_id, user_id, asset, amount, state) \
             SELECT 1, user_id, asset, 10, 'PLANNED' FROM user_game_wallet",
        )
        .await;
    let wallets = Wallets::new(world.test.db.clone());
    let spender = UserId(9);
    let spend = everybody("spend", OrderKind::Revoke, 1);
    let spend = NewBatch {
        force: false,
        orders: BatchOrders::Listed {
            lines: vec![BatchLine {
                line: 2,
                who: PlayerRef {
                    user_id: Some(spender),
                    external_id: None,
                },
                asset: Asset::Point,
                amount: 1,
            }],
            unreadable: Vec::new(),
        },
        ..spend
    };
    one.run(&world.actor, &spend, now()).await.unwrap();
    let report = one.run(&world.actor, &batch, now()).await.unwrap();
    assert!(!report.replayed);
    let report = report.result;
    assert_eq!(
        (report.tally.all.players, report.tally.done.players),
        (30, 29)
    );
    assert_eq!(report.tally.short.totals[&Asset::Point], 10);
    let [short] = &report.short[..] else {
        panic!("{:?}", report.short)
    };
    assert_eq!((short.user_id, short.balance), (spender, 9));
    let name = find_by_id(world.test.db.read(), spender).await.unwrap();
    assert_eq!(short.external_id, name.unwrap().external_id);
    assert_eq!(wallets.balances(spender).await.unwrap()[&Asset::Point], 9);
    // Done is done, though the wallet could now be emptied.
    world.give(spender, 100).await;
    let again = one.run(&world.actor, &batch, now()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(wallets.balances(spender).await.unwrap()[&Asset::Point], 109);
    world.assert_ledgers_add_up().await;
    let unknown = one.batch(&BatchRef::Id(xmas_kernel::BatchId(99))).await;
    assert!(matches!(unknown, Err(BatchError::NotFound)));
}

#[tokio::test]
async fn twenty_thousand_players_are_given_a_ticket_each() {
    let world = World::new().await;
    world.players(20_000).await;
    let batches = world.replica(1_000).await;
    let batch = everybody("daily", OrderKind::Grant, 1);
    let preview = batches.preview(&batch).await.unwrap().result;
    assert_eq!(preview.tally.all.players, 20_000);
    let report = batches.run(&world.actor, &batch, now()).await.unwrap();
    assert_eq!(report.result.tally.done.players, 20_000);
    // Everybody a different amount, too.
    let line = |id: i64| BatchLine {
        line: id.unsigned_abs(),
        who: PlayerRef {
            user_id: None,
            external_id: Some(GivenId::try_from(id.to_string().as_str()).unwrap()),
        },
        asset: Asset::Point,
        amount: id,
    };
    let listed = NewBatch {
        force: false,
        request: Some(RequestKey::new("listed", "GRANT", "", b"").unwrap()),
        kind: OrderKind::Grant,
        orders: BatchOrders::Listed {
            lines: (2..20_002).map(line).collect(),
            unreadable: Vec::new(),
        },
    };
    batches.run(&world.actor, &listed, now()).await.unwrap();
    let wrong = "SELECT COUNT(*) FROM user_game_wallet WHERE balance <> user_id + 1";
    assert_eq!(world.count(wrong).await, 0);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM user_game_wallet").await,
        20_000
    );
    world.assert_ledgers_add_up().await;
}
