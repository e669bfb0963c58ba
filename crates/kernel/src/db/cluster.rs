//! Transactions on a node of a Galera cluster, which may end under their owner's hands.
//!
//! When another node's transaction has changed the same rows, the node rolls this one back, and says so (1213) at its next
//! statement. Unless that is one to prepare a statement: then MariaDB (10.11.19) says nothing, and whatever comes after
//! it is done by itself, one statement after the other, each for good. An answer would be stored for an `Idempotency-Key`
//! of which nothing was done. So on a cluster nothing is done outside of a transaction, and a savepoint from the
//! beginning tells at the end whether it is still the same one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction,
    sqlx::{Executor, MySqlConnection, Row},
};

use super::DbError;

/// Whether the database is a cluster, which each new connection finds out.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster(Arc<AtomicBool>);

impl Cluster {
    /// Finds out whether this server, a MariaDB, is a node of a cluster.
    pub(super) async fn look(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<(), sea_orm::SqlxError> {
        let is_node: i64 = connection
            .fetch_one("SELECT CAST(@@wsrep_on AS SIGNED)")
            .await?
            .try_get(0)?;
        if is_node != 0 {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Makes a connection of transactions again as it was before [`watch`].
    pub(super) async fn leave(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<(), sea_orm::SqlxError> {
        if self.is_there() {
            connection.execute("SET autocommit = 1").await?;
        }
        Ok(())
    }
}

/// What follows is done in this transaction, or in one that nobody commits.
pub(super) async fn watch(tx: &DatabaseTransaction) -> Result<(), DbError> {
    tx.execute_unprepared("SET autocommit = 0; SAVEPOINT begun")
        .await?;
    Ok(())
}

/// Whether it is still the transaction that it was when [`watch`] began.
pub(super) async fn expect_there(tx: &DatabaseTransaction) -> Result<(), DbError> {
    match tx.execute_unprepared("RELEASE SAVEPOINT begun").await {
        Ok(_) => Ok(()),
        Err(error) if super::error::is_no_savepoint(&error) => Err(DbError::Overtaken(
            "the cluster has ended a transaction".to_owned(),
        )),
        Err(error) => Err(error.into()),
    }
}
