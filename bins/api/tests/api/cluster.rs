//! A cluster of several nodes, whose URLs are in `GALERA_TEST_URLS`, as `scripts/test` starts one. What it does to a
//! whole event under load is seen by `scripts/chaos`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value};
use xmas_kernel::{
    UserId,
    db::{Db, DbError, DbOptions},
    idempotency::{IdempotencyError, Replayable, RequestKey, find_in_tx, retry_keyed, store_in_tx},
};
use xmas_migration::{Migrator, MigratorTrait};

/// The first two nodes. Without them a test can do nothing but return, and this says so.
fn nodes() -> Option<[String; 2]> {
    let urls = std::env::var("GALERA_TEST_URLS").unwrap_or_default();
    let mut urls = urls.split_whitespace().map(str::to_owned);
    let nodes = urls.next().zip(urls.next());
    if nodes.is_none() {
        eprintln!("not tested: GALERA_TEST_URLS does not name nodes, as in scripts/test");
    }
    nodes.map(|(one, other)| [one, other])
}

fn sql(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::MySql, sql.into(), values)
}

/// A database of its own, reached at two nodes.
#[derive(Clone)]
struct TwoNodes {
    server: DatabaseConnection,
    name: String,
    here: Db,
    there: Db,
}

impl TwoNodes {
    async fn new() -> Option<Self> {
        let [one, other] = nodes()?;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let server = Database::connect(&one).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        server.execute_unprepared(&create).await.unwrap();
        let (here, there) = (node(&one, &name).await, node(&other, &name).await);
        Some(Self {
            server,
            name,
            here,
            there,
        })
    }

    async fn drop(self) {
        for db in [&self.here, &self.there] {
            db.close().await.unwrap();
        }
        let drop = format!("DROP DATABASE {}", self.name);
        self.server.execute_unprepared(&drop).await.unwrap();
    }
}

async fn node(url: &str, name: &str) -> Db {
    let url = format!("{url}/{name}").parse().unwrap();
    let options = DbOptions {
        causal_reads: true,
        ..DbOptions::new(url)
    };
    Db::connect(&options).await.unwrap()
}

/// Two rows of one transaction, which begins and ends with other statements each time.
async fn count_once(db: &Db, round: i64) -> Result<(), DbError> {
    let tx = db.begin().await?;
    tx.execute_raw(sql("UPDATE counter SET here = here + ?", [1.into()]))
        .await?;
    for number in 0..12 {
        // Each is prepared anew, while the other node has its word.
        let ask = format!("SELECT {round} + {number} + ?");
        tx.query_one_raw(sql(ask, [1.into()])).await?;
    }
    tx.execute_raw(sql("INSERT INTO noted (round) VALUES (?)", [round.into()]))
        .await?;
    tx.commit().await
}

/// A node rolls a transaction back that another node's was faster than, and does not always say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_the_cluster_has_ended_is_committed_in_no_part() {
    let Some(cluster) = TwoNodes::new().await else {
        return;
    };
    let TwoNodes { here, there, .. } = cluster.clone();
    for sql in [
        "CREATE TABLE counter (id INT PRIMARY KEY, here INT, there INT)",
        "CREATE TABLE noted (round INT PRIMARY KEY)",
        "INSERT INTO counter VALUES (1, 0, 0)",
    ] {
        here.write().execute_unprepared(sql).await.unwrap();
    }
    let (is_over, is_away) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let rival = tokio::spawn({
        let (is_over, is_away): (_, Arc<AtomicBool>) = (is_over.clone(), Arc::clone(&is_away));
        let there = there.clone();
        async move {
            while !is_over.load(Ordering::Relaxed) {
                if is_away.load(Ordering::Relaxed) {
                    tokio::task::yield_now().await;
                    continue;
                }
                let counted = async {
                    let tx = there.begin().await?;
                    let update = "UPDATE counter SET there = there + 1";
                    tx.execute_unprepared(update).await?;
                    tx.commit().await
                };
                let counted: Result<(), DbError> = counted.await;
                assert!(is_faster_or_not(&counted), "{counted:?}");
            }
        }
    });
    let (mut acknowledged, mut refused) = (0, 0);
    for round in 0..2_000 {
        // On a quiet machine the rival would win each time.
        is_away.store(round % 3 == 0, Ordering::Relaxed);
        let counted = count_once(&here, round).await;
        assert!(is_faster_or_not(&counted), "{counted:?}");
        match counted {
            Ok(()) => acknowledged += 1,
            Err(_) => refused += 1,
        }
        if acknowledged >= 20 && refused >= 150 {
            break;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    rival.await.unwrap();
    assert!(acknowledged > 0 && refused > 0, "{acknowledged} {refused}");
    let ask =
        "SELECT CAST((SELECT COUNT(*) FROM noted) AS SIGNED), CAST(here AS SIGNED) FROM counter";
    for db in [&here, &there] {
        let row = db
            .read()
            .query_one_raw(sql(ask, []))
            .await
            .unwrap()
            .unwrap();
        let kept: (i64, i64) = (row.try_get_by(0).unwrap(), row.try_get_by(1).unwrap());
        assert_eq!(kept, (acknowledged, acknowledged));
    }
    cluster.drop().await;
}

/// Whether a transaction was done, or another node's was first.
fn is_faster_or_not(done: &Result<(), DbError>) -> bool {
    matches!(
        done,
        Ok(()) | Err(DbError::Contention(_) | DbError::Overtaken(_))
    )
}

#[derive(Debug, thiserror::Error)]
enum TakeError {
    #[error("it is taken")]
    Taken,
    #[error(transparent)]
    Key(#[from] IdempotencyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Takes the only one there is of something, once per request. `midway` is when the request has not been found.
async fn take_once(
    db: &Db,
    request: Option<&RequestKey>,
    midway: impl AsyncFnOnce(),
) -> Result<Replayable<i64>, TakeError> {
    let tx = db.begin().await?;
    if let Some(earlier) = find_in_tx(&tx, UserId(1), request).await? {
        return Ok(Replayable::replayed(earlier));
    }
    midway().await;
    let ask = "SELECT id FROM only_one WHERE taken = 0 FOR UPDATE";
    let free = tx.query_one_raw(sql(ask, [])).await;
    let free = free.map_err(DbError::from)?.ok_or(TakeError::Taken)?;
    let taken: i64 = free.try_get_by(0).map_err(DbError::from)?;
    let update = "UPDATE only_one SET taken = 1 WHERE id = ?";
    let updated = tx.execute_raw(sql(update, [taken.into()])).await;
    updated.map_err(DbError::from)?;
    store_in_tx(&tx, UserId(1), request, &taken, DateTime::<Utc>::UNIX_EPOCH).await?;
    tx.commit().await?;
    Ok(Replayable::fresh(taken))
}

/// A refusal commits nothing that the other nodes could object to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_another_node_overtakes_is_answered_as_there() {
    let Some(cluster) = TwoNodes::new().await else {
        return;
    };
    let TwoNodes { here, there, .. } = &cluster;
    Migrator::up(here.write(), None).await.unwrap();
    for sql in [
        "CREATE TABLE only_one (id BIGINT PRIMARY KEY, taken INT NOT NULL)",
        "INSERT INTO only_one VALUES (7, 0)",
        "INSERT INTO user (id, external_id, password_hash, role, status, created_at, updated_at)
         VALUES (1, 'ann', '!', 'PLAYER', 'ACTIVE', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
    ] {
        here.write().execute_unprepared(sql).await.unwrap();
    }
    let request = RequestKey::new("twin", "POST", "/take", b"{}").unwrap();
    let (request, tries) = (Some(&request), AtomicU32::new(0));
    let overtake = async || {
        let first = take_once(here, request, async || ()).await.unwrap();
        assert_eq!(first, Replayable::fresh(7));
        // It has arrived when whoever waits for it reads it.
        let ask = "SELECT id FROM only_one WHERE taken = 1";
        let arrived = there.read().query_one_raw(sql(ask, [])).await.unwrap();
        assert!(arrived.is_some());
    };
    let twin = retry_keyed(there, request, async || {
        tries.fetch_add(1, Ordering::Relaxed);
        take_once(there, request, overtake).await
    });
    assert_eq!(twin.await.unwrap(), Replayable::replayed(7));
    assert_eq!(tries.into_inner(), 2);
    let other = RequestKey::new("other", "POST", "/take", b"{}").unwrap();
    for request in [Some(&other), None] {
        let refused = retry_keyed(there, request, async || {
            take_once(there, request, async || ()).await
        });
        assert!(matches!(refused.await, Err(TakeError::Taken)));
    }
    cluster.drop().await;
}
