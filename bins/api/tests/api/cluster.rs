//! A cluster of several nodes, whose URLs are in `GALERA_TEST_URLS`, as `scripts/test` starts one. What it does to a
//! whole event under load is seen by `scripts/chaos`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, Value};
use xmas_kernel::db::{Db, DbError, DbOptions};

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
    let Some([one, other]) = nodes() else {
        return;
    };
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let server = Database::connect(&one).await.unwrap();
    for sql in [
        format!("CREATE DATABASE {name}"),
        format!("CREATE TABLE {name}.counter (id INT PRIMARY KEY, here INT, there INT)"),
        format!("CREATE TABLE {name}.noted (round INT PRIMARY KEY)"),
        format!("INSERT INTO {name}.counter VALUES (1, 0, 0)"),
    ] {
        server.execute_unprepared(&sql).await.unwrap();
    }
    let (here, there) = (node(&one, &name).await, node(&other, &name).await);
    let (is_over, is_away) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let rival = tokio::spawn({
        let (is_over, is_away): (_, Arc<AtomicBool>) = (is_over.clone(), Arc::clone(&is_away));
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
            there
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
    let there = rival.await.unwrap();
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
        db.close().await.unwrap();
    }
    let drop = format!("DROP DATABASE {name}");
    server.execute_unprepared(&drop).await.unwrap();
}

/// Whether a transaction was done, or another node's was first.
fn is_faster_or_not(done: &Result<(), DbError>) -> bool {
    matches!(
        done,
        Ok(()) | Err(DbError::Contention(_) | DbError::Overtaken(_))
    )
}
