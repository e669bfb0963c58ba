//! Connections of a program with several runtimes, as a server's workers have them.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use xmas_kernel::db::{Db, DbOptions};
use xmas_test_support::TestDb;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Runs something in a runtime. What another one must drive, which does not run now, would never end.
fn run<T>(runtime: &Runtime, something: impl Future<Output = T>) -> T {
    let in_time = async { timeout(Duration::from_secs(20), something).await };
    runtime.block_on(in_time).expect("it ends")
}

/// What the server calls the connection.
async fn number(pool: &DatabaseConnection) -> u64 {
    let ask = Statement::from_string(DbBackend::MySql, "SELECT CONNECTION_ID()");
    let row = pool.query_one_raw(ask).await.unwrap().unwrap();
    row.try_get_by(0).unwrap()
}

/// Runs until all connections are back in their pools, which happens in the runtime that used them.
async fn rest(db: &Db) {
    while db.pools().iter().any(|pool| pool.used > 0) {
        tokio::task::yield_now().await;
    }
}

/// While a server ends, a worker that has nothing to do any more ends before the others have answered.
#[test]
fn a_runtime_that_ends_takes_no_connection_of_another_one_with_it() {
    let beginning = runtime();
    let test = run(&beginning, TestDb::new());
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let options = DbOptions {
        max_connections: 3,
        runtimes: 3,
        ..DbOptions::new(test.url().parse().unwrap())
    };
    let db = run(&beginning, Db::connect(&options)).unwrap();
    let (idle, busy) = (runtime(), runtime());
    let its_own = run(&idle, async {
        let number = number(db.read()).await;
        rest(&db).await;
        number
    });
    let first = run(&busy, async {
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("UPDATE job_lease SET holder = holder WHERE name = ''")
            .await
            .unwrap();
        (tx, number(db.read()).await)
    });
    drop(idle);
    let (tx, of_reads) = first;
    run(&busy, async {
        tx.commit().await.unwrap();
        assert_eq!(number(db.read()).await, of_reads);
        assert_ne!(of_reads, its_own);
        db.begin().await.unwrap().commit().await.unwrap();
        rest(&db).await;
    });
    for pool in db.pools() {
        assert_eq!(pool.max, 3, "{pool:?}");
    }
    // As a server's workers have, before it closes the pools: nothing drives what is left of theirs.
    drop(busy);
    run(&beginning, async {
        number(db.read()).await;
        db.close().await.unwrap();
        drop(test);
    });
}
