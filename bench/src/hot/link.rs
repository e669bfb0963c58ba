//! A connection to a database for statements that are written by hand.

use sea_orm::sqlx::{self, MySql, Row, Sqlite, pool::PoolConnection};
use xmas_kernel::db::Db;

use crate::sql::is_sqlite;

/// What a statement is given.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Int(i64),
    Text(&'a str),
    Null,
}

/// A connection of either kind.
pub(super) enum Link {
    MySql(PoolConnection<MySql>),
    Sqlite(PoolConnection<Sqlite>),
}

impl Link {
    pub(super) async fn to_write(db: &Db) -> sqlx::Result<Self> {
        Self::of(db, db.write()).await
    }

    pub(super) async fn to_read(db: &Db) -> sqlx::Result<Self> {
        Self::of(db, db.read()).await
    }

    async fn of(db: &Db, pool: &sea_orm::DatabaseConnection) -> sqlx::Result<Self> {
        Ok(match is_sqlite(db) {
            true => Link::Sqlite(pool.get_sqlite_connection_pool().acquire().await?),
            false => Link::MySql(pool.get_mysql_connection_pool().acquire().await?),
        })
    }

    /// BEGIN and COMMIT, which are not prepared.
    pub(super) async fn text(&mut self, sql: &'static str) -> anyhow::Result<()> {
        match self {
            Link::MySql(link) => sqlx::raw_sql(sql).execute(&mut **link).await.map(drop)?,
            Link::Sqlite(link) => sqlx::raw_sql(sql).execute(&mut **link).await.map(drop)?,
        }
        Ok(())
    }

    /// Runs a prepared statement; returns the id of what it inserted.
    pub(super) async fn write(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> anyhow::Result<i64> {
        /// The same words for both drivers, which have no type in common.
        macro_rules! run {
            ($link:expr) => {{
                let mut query = sqlx::query(sql);
                for value in values {
                    query = match *value {
                        Value::Int(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                        Value::Null => query.bind(None::<&str>),
                    };
                }
                query.execute(&mut **$link).await?
            }};
        }
        Ok(match self {
            Link::MySql(link) => run!(link).last_insert_id().try_into()?,
            Link::Sqlite(link) => run!(link).last_insert_rowid(),
        })
    }

    /// Reads the one row of a player; returns how many columns it has.
    pub(super) async fn read(&mut self, sql: &'static str, id: i64) -> anyhow::Result<usize> {
        let columns = match self {
            Link::MySql(link) => sqlx::query(sql)
                .bind(id)
                .fetch_one(&mut **link)
                .await?
                .len(),
            Link::Sqlite(link) => sqlx::query(sql)
                .bind(id)
                .fetch_one(&mut **link)
                .await?
                .len(),
        };
        Ok(columns)
    }
}
