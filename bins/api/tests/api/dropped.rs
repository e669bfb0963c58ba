//! A transaction that is given up while the server prepares a statement of it, as when a client hangs up.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use xmas_kernel::db::{Db, DbOptions};
use xmas_test_support::TestDb;

/// Forwards connections to a server, and what it answers only while `answers` says so.
async fn forward(listener: TcpListener, server: String, answers: watch::Receiver<bool>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (mut asked, mut told) = client.into_split();
        let server = TcpStream::connect(&server).await.unwrap();
        let (mut answered, mut asks) = server.into_split();
        tokio::spawn(async move { copy(&mut asked, &mut asks).await });
        let mut answers = answers.clone();
        tokio::spawn(async move {
            let mut bytes = [0; 1_024];
            while let Ok(read @ 1..) = answered.read(&mut bytes).await {
                answers.wait_for(|answers| *answers).await.unwrap();
                told.write_all(&bytes[..read]).await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn its_connection_is_not_lost() {
    let test = TestDb::new().await;
    if test.db.backend() == DbBackend::Sqlite {
        return;
    }
    let (user, place) = test.url().split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{user}@{}/{name}", listener.local_addr().unwrap());
    let (answer, answers) = watch::channel(true);
    tokio::spawn(forward(listener, server.to_owned(), answers));
    let options = DbOptions {
        max_connections: 1,
        ..DbOptions::new(url.parse().unwrap())
    };
    let db = Db::connect(&options).await.unwrap();
    for sql in [
        "UPDATE job_lease SET holder = ? WHERE name = ''",
        "SELECT name, holder FROM job_lease WHERE name = ?",
    ] {
        let tx = db.begin().await.unwrap();
        answer.send(false).unwrap();
        let statement = Statement::from_sql_and_values(db.backend(), sql, ["x".into()]);
        {
            let mut asked = pin!(tx.query_one_raw(statement));
            let mut context = Context::from_waker(Waker::noop());
            assert!(asked.as_mut().poll(&mut context).is_pending());
        }
        drop(tx);
        answer.send(true).unwrap();
        let back = async { while db.begin().await.is_err() {} };
        let waited = timeout(Duration::from_secs(30), back).await;
        waited.expect("the pool's only connection is there again");
    }
}
