use std::fs::{File, TryLockError};

use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, Statement, TransactionTrait},
};

/// Held by the one process that changes the schema of a database, until it is released or the process ends.
///
/// On MySQL and MariaDB it is a named lock of the server, which the nodes of a cluster do not share; on SQLite a
/// lock on the file `…-migrating` beside the database.
#[derive(Debug)]
pub struct MigrationLock(Hold);

#[derive(Debug)]
enum Hold {
    /// The lock belongs to the connection of this transaction, in which nothing else is done.
    Server(DatabaseTransaction),
    File(#[expect(dead_code, reason = "closing it gives the lock back")] File),
    /// Nobody else sees a database in memory.
    Memory,
}

/// A server's locks have one name for all of its databases.
const NAME: &str = "CONCAT('xmas_migrate_', LEFT(SHA2(DATABASE(), 256), 32))";

impl MigrationLock {
    /// Takes the lock; `None` if another process has it. Keeps one connection of the pool.
    pub async fn try_take(db: &DatabaseConnection) -> Result<Option<Self>, DbErr> {
        if db.get_database_backend() == DbBackend::Sqlite {
            return Self::of_file(db).await;
        }
        let tx = db.begin().await?;
        let taken = is_one(&tx, &format!("SELECT GET_LOCK({NAME}, 0) AS answer")).await?;
        Ok(taken.then_some(Self(Hold::Server(tx))))
    }

    async fn of_file(db: &DatabaseConnection) -> Result<Option<Self>, DbErr> {
        let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let row = db.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql));
        let path: Option<String> = row.await?.map(|row| row.try_get_by(0)).transpose()?;
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return Ok(Some(Self(Hold::Memory)));
        };
        let path = format!("{path}-migrating");
        let failed = |error| DbErr::Custom(format!("{path} cannot be locked: {error}"));
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(Hold::File(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Gives it back. A connection of a pool would keep it.
    pub async fn release(self) -> Result<(), DbErr> {
        match self.0 {
            Hold::Server(tx) => {
                let release = format!("SELECT RELEASE_LOCK({NAME}) AS answer");
                is_one(&tx, &release).await?;
                tx.rollback().await
            }
            Hold::File(_) | Hold::Memory => Ok(()),
        }
    }

    /// Whether it is still held: a server gives the lock of a connection that broke to somebody else.
    pub async fn is_held(&self) -> bool {
        match &self.0 {
            Hold::Server(tx) => {
                let sql = format!("SELECT IS_USED_LOCK({NAME}) = CONNECTION_ID() AS answer");
                is_one(tx, &sql).await.unwrap_or(false)
            }
            Hold::File(_) | Hold::Memory => true,
        }
    }
}

/// Whether the column `answer` is 1, and neither 0 nor null.
async fn is_one(tx: &DatabaseTransaction, sql: &str) -> Result<bool, DbErr> {
    let row = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), sql));
    let answer: Option<Option<i64>> = row.await?.map(|row| row.try_get_by("answer")).transpose()?;
    Ok(answer.flatten() == Some(1))
}
