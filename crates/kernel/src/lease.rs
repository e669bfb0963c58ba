//! Jobs that run once, however many processes could run them.
//!
//! A lease is a row with an end. Its clock is the database's, since neither the event's clock nor a
//! process's own is shared by all who ask.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, entity::prelude::*};

use crate::db::{Constraint, Db, DbError, Timestamp, retry_repeatable};

/// One lease per job.
pub const ONE_PER_JOB: Constraint = Constraint::new("uq_job_lease_name", "job_lease", &["name"]);

/// Proof that this process may do the job until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
}

impl Lease {
    /// Takes the lease of a job for `lifetime`, or renews the holder's own; `None` if somebody else
    /// has it. `name` has at most 100 characters, `holder` names the process with at most 64.
    pub async fn take(
        db: &Db,
        name: &str,
        holder: &str,
        lifetime: Duration,
    ) -> Result<Option<Self>, DbError> {
        retry_repeatable(|| Self::take_once(db, name, holder, lifetime)).await
    }

    async fn take_once(
        db: &Db,
        name: &str,
        holder: &str,
        lifetime: Duration,
    ) -> Result<Option<Self>, DbError> {
        let tx = db.begin().await?;
        let (now, until) = instants(db.backend(), lifetime);
        let sql = format!(
            "UPDATE job_lease SET holder = ?, expires_at = {until} \
             WHERE name = ? AND (holder = ? OR expires_at <= {now})"
        );
        let values = [holder.into(), name.into(), holder.into()];
        let update = Statement::from_sql_and_values(db.backend(), sql, values);
        let taken = tx.execute_raw(update).await?.rows_affected() > 0;
        if !taken {
            let known = Entity::find()
                .filter(Column::Name.eq(name))
                .one(&*tx)
                .await?;
            if known.is_some_and(|row| row.holder != holder) {
                return Ok(None);
            }
            let sql =
                format!("INSERT INTO job_lease (name, holder, expires_at) VALUES (?, ?, {until})");
            let values = [name.into(), holder.into()];
            let insert = Statement::from_sql_and_values(db.backend(), sql, values);
            match tx.execute_raw(insert).await.map_err(DbError::from) {
                Ok(_) => {}
                // Another process was faster.
                Err(error) if error.violates(&ONE_PER_JOB) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        tx.commit().await?;
        Ok(Some(Self {
            name: name.to_owned(),
            holder: holder.to_owned(),
        }))
    }

    /// Gives the lease back, so that nobody has to wait for its end.
    pub async fn give_back(self, db: &Db) -> Result<(), DbError> {
        retry_repeatable(|| self.give_back_once(db)).await
    }

    async fn give_back_once(&self, db: &Db) -> Result<(), DbError> {
        let tx = db.begin().await?;
        Entity::delete_many()
            .filter(Column::Name.eq(&self.name))
            .filter(Column::Holder.eq(&self.holder))
            .exec(&*tx)
            .await?;
        tx.commit().await
    }
}

/// What a job found when it last ran to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobResult {
    pub result: String,
    /// On the database's clock.
    pub finished_at: DateTime<Utc>,
    pub age: Duration,
}

impl JobResult {
    /// Keeps what a job has found just now, in place of what it found before.
    pub async fn keep(db: &Db, name: &str, result: &str) -> Result<(), DbError> {
        // An operator may run the job by hand at the same time.
        retry_repeatable(|| Self::keep_once(db, name, result)).await
    }

    async fn keep_once(db: &Db, name: &str, result: &str) -> Result<(), DbError> {
        let tx = db.begin().await?;
        Self::put_in_tx(&tx, name, result).await?;
        tx.commit().await
    }

    /// [`JobResult::keep`], with what else is done in a transaction. Of two that put the first result of a job at once
    /// one is told [`DbError::Violated`], and may try again.
    pub async fn put_in_tx(
        tx: &DatabaseTransaction,
        name: &str,
        result: &str,
    ) -> Result<(), DbError> {
        let backend = tx.get_database_backend();
        let (now, _) = instants(backend, Duration::ZERO);
        let sql = format!("UPDATE job_result SET result = ?, finished_at = {now} WHERE name = ?");
        let update = Statement::from_sql_and_values(backend, sql, [result.into(), name.into()]);
        if tx.execute_raw(update).await?.rows_affected() == 0 {
            let sql =
                format!("INSERT INTO job_result (name, result, finished_at) VALUES (?, ?, {now})");
            let insert = Statement::from_sql_and_values(backend, sql, [name.into(), result.into()]);
            tx.execute_raw(insert).await?;
        }
        Ok(())
    }

    /// What a job found last, if it ever ran; nobody else puts another result until the transaction ends.
    pub async fn lock_in_tx(
        tx: &DatabaseTransaction,
        name: &str,
    ) -> Result<Option<String>, DbError> {
        let backend = tx.get_database_backend();
        let lock = match backend {
            DbBackend::Sqlite => "",
            _ => " FOR UPDATE",
        };
        let sql = format!("SELECT result FROM job_result WHERE name = ?{lock}");
        let ask = Statement::from_sql_and_values(backend, sql, [name.into()]);
        let row = tx.query_one_raw(ask).await?;
        Ok(row.map(|row| row.try_get_by(0)).transpose()?)
    }

    /// What a job found last, if it ever ran.
    pub async fn of(db: &Db, name: &str) -> Result<Option<Self>, DbError> {
        let (now, _) = instants(db.backend(), Duration::ZERO);
        let sql = format!("SELECT result, finished_at, {now} FROM job_result WHERE name = ?");
        let ask = Statement::from_sql_and_values(db.backend(), sql, [name.into()]);
        let Some(row) = db.read().query_one_raw(ask).await? else {
            return Ok(None);
        };
        let Timestamp(finished_at) = row.try_get_by(1)?;
        let Timestamp(now) = row.try_get_by(2)?;
        Ok(Some(Self {
            result: row.try_get_by(0)?,
            finished_at,
            age: (now - finished_at).to_std().unwrap_or_default(),
        }))
    }
}

/// Now, and `lifetime` from now, in SQL.
fn instants(backend: DbBackend, lifetime: Duration) -> (String, String) {
    let micros = lifetime.as_micros();
    match backend {
        DbBackend::Sqlite => (
            "strftime('%Y-%m-%d %H:%M:%f000', 'now')".to_owned(),
            format!(
                "strftime('%Y-%m-%d %H:%M:%f000', 'now', '+{}.{:06} seconds')",
                lifetime.as_secs(),
                lifetime.subsec_micros()
            ),
        ),
        _ => (
            "UTC_TIMESTAMP(6)".to_owned(),
            format!("UTC_TIMESTAMP(6) + INTERVAL {micros} MICROSECOND"),
        ),
    }
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job_lease")]
pub struct Model {
    #[sea_orm(primary_key)]
    id: i64,
    name: String,
    holder: String,
    expires_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
