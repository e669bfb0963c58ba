//! From one key to another one, while replicas serve.
//!
//! First the database is told, alone, that from now on the new key seals: whoever seals holds the probe, so that
//! nobody is left who seals with the old one. Then values are sealed again, a few in each transaction, by looking
//! through all of them until there is nothing left to do, which is what the end is: that the old key has gone is
//! seen, and not concluded. Each value tells by opening which key it has, so that a rotation that was cut off
//! goes on wherever it was.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    DataKey, ProbeError, Sealed, SealedTable, Unsealable,
    probe::{Hold, Standing, settle_in_tx, turn_in_tx},
};
use crate::{
    audit::{self, Actor, Change},
    db::{Db, DbError, retry},
    entropy::Entropy,
    lease::Lease,
};

/// A rotation of a database to the first of two keys.
pub struct Rotation<'a> {
    pub db: &'a Db,
    pub key: &'a DataKey,
    pub entropy: &'a dyn Entropy,
    /// In whose name.
    pub actor: &'a Actor,
    /// Names this process among all that may rotate: at most 64 characters.
    pub process: &'a str,
}

/// How fast it goes, and how long.
pub struct Pace<'a> {
    /// Values in one transaction.
    pub chunk: u64,
    /// Told of how many values have been looked at.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Asked between two transactions.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

/// What a rotation has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// Nothing was to be done: the database had this key, and no value another one.
    pub had_key: bool,
    pub tables: BTreeMap<&'static str, TableTally>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TableTally {
    /// Values under the new key.
    pub sealed: u64,
    /// Of those, the ones that this run has sealed again.
    pub resealed: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A rotation to the other one of the two is under way.
    #[error("a rotation to the previous key is under way")]
    Swapped,
    #[error("nothing is sealed in this database, which has no key yet")]
    NothingSealed,
    #[error("another process is at it")]
    Busy,
    #[error("it was told to")]
    Stopped,
    /// These open with neither key, or are what another row has; everything else is under the new one.
    #[error("{} value(s) cannot be sealed again", .0.len())]
    Damaged(Vec<String>),
    #[error(transparent)]
    Probe(#[from] ProbeError),
}

impl From<DbError> for RotationError {
    fn from(error: DbError) -> Self {
        Self::Probe(error.into())
    }
}

const LEASE: &str = "data-key:rotate";
/// Longer than a transaction waits for its locks. What keeps two of them from harm is the database, not the
/// lease: it keeps them from doing the same work.
const LEASE_TIME: Duration = Duration::from_secs(10);

/// What one look through all tables has found.
#[derive(Default)]
struct Look {
    seen: BTreeMap<&'static str, u64>,
    resealed: BTreeMap<&'static str, u64>,
    damaged: Vec<String>,
}

impl Rotation<'_> {
    /// How many values there are to look at.
    pub async fn count(&self) -> Result<u64, DbError> {
        let mut count = 0;
        for table in &*self.key.tables {
            count += table.count(self.db.read()).await?;
        }
        Ok(count)
    }

    /// Rotates, or goes on with a rotation that was cut off.
    pub async fn run(&self, pace: Pace<'_>, now: DateTime<Utc>) -> Result<Rotated, RotationError> {
        let lease = self.lease().await?;
        let run = self.run_leased(&pace, now).await;
        let given_back = lease.give_back(self.db).await;
        let rotated = run?;
        given_back?;
        Ok(rotated)
    }

    async fn lease(&self) -> Result<Lease, RotationError> {
        let lease = Lease::take(self.db, LEASE, self.process, LEASE_TIME).await?;
        lease.ok_or(RotationError::Busy)
    }

    async fn run_leased(
        &self,
        pace: &Pace<'_>,
        now: DateTime<Utc>,
    ) -> Result<Rotated, RotationError> {
        let had_key = retry(|| self.begin_once(now)).await?;
        let mut resealed = BTreeMap::<_, u64>::new();
        let last = loop {
            let look = self.look(pace).await?;
            if look.resealed.is_empty() {
                break look;
            }
            for (table, count) in look.resealed {
                *resealed.entry(table).or_default() += count;
            }
        };
        if !last.damaged.is_empty() {
            return Err(RotationError::Damaged(last.damaged));
        }
        let tables = last.seen.into_iter().map(|(table, sealed)| {
            let resealed = resealed.get(table).copied().unwrap_or_default();
            (table, TableTally { sealed, resealed })
        });
        let rotated = Rotated {
            had_key: had_key && resealed.is_empty(),
            tables: tables.collect(),
        };
        retry(|| self.end_once(&rotated, now)).await?;
        Ok(rotated)
    }

    /// Makes the new key the one that seals; says whether the database has had it before.
    async fn begin_once(&self, now: DateTime<Utc>) -> Result<bool, RotationError> {
        let new = &self.key.keys[0];
        let tx = self.db.begin().await?;
        let from = match self.key.standing(&*tx, Hold::Alone).await? {
            Standing::Settled(key) => key,
            Standing::Rotating { to } if Arc::ptr_eq(&to, new) => return Ok(false),
            Standing::Rotating { .. } => return Err(RotationError::Swapped),
            Standing::Unclaimed => {
                let first = self.key.first_in_tx(&tx).await?;
                first.ok_or(RotationError::NothingSealed)?;
                let claimed = self.key.claimed_in_tx(&tx, Hold::Alone, self.entropy);
                match claimed.await? {
                    Standing::Settled(key) => key,
                    // Another process was faster.
                    _ => return Err(RotationError::Busy),
                }
            }
        };
        if Arc::ptr_eq(&from, new) {
            tx.commit().await?;
            return Ok(true);
        }
        turn_in_tx(&tx, (&from, new), self.entropy).await?;
        let change = self.change("DATA_KEY_ROTATE_BEGIN", Value::Null);
        audit::write_in_tx(&tx, self.actor, change, now).await?;
        tx.commit().await?;
        Ok(false)
    }

    /// Looks through all values and seals again what is not under the new key.
    async fn look(&self, pace: &Pace<'_>) -> Result<Look, RotationError> {
        let mut look = Look::default();
        let mut seen = 0;
        for table in &*self.key.tables {
            let mut after = 0;
            loop {
                if (pace.is_stopped)() {
                    return Err(RotationError::Stopped);
                }
                let page = table.page(self.db.read(), after, pace.chunk).await?;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                let mut old = Vec::new();
                for (row, Sealed { place, value }) in &page {
                    match self.key.opened(place, value) {
                        Ok((key, _)) if Arc::ptr_eq(key, &self.key.keys[0]) => {}
                        Ok(_) => old.push(*row),
                        Err(Unsealable) => look.damaged.push(format!("{} {row}", table.name())),
                    }
                }
                if !old.is_empty() {
                    // Renewed, since it is this process's own.
                    self.lease().await?;
                    let began = Instant::now();
                    let (resealed, copies) = self.reseal(&**table, &old).await?;
                    if resealed > 0 {
                        *look.resealed.entry(table.name()).or_default() += resealed;
                    }
                    let copies = copies.iter().map(|row| format!("{} {row}", table.name()));
                    look.damaged.extend(copies);
                    // As long a turn for those who play: a file has one writer.
                    tokio::time::sleep(began.elapsed()).await;
                }
                *look.seen.entry(table.name()).or_default() += page.len() as u64;
                seen += page.len() as u64;
                (pace.progress)(seen);
            }
        }
        Ok(look)
    }

    /// Seals these rows again, and returns how many were not yet, and which of them are what another row has: that
    /// is seen once both are under one key.
    async fn reseal(
        &self,
        table: &dyn SealedTable,
        rows: &[i64],
    ) -> Result<(u64, Vec<i64>), ProbeError> {
        match retry(|| self.reseal_once(table, rows)).await {
            Err(ProbeError::Db(DbError::Violated(..))) => {}
            outcome => return Ok((outcome?, Vec::new())),
        }
        let (mut resealed, mut copies) = (0, Vec::new());
        for row in rows.chunks(1) {
            match retry(|| self.reseal_once(table, row)).await {
                Err(ProbeError::Db(DbError::Violated(..))) => copies.extend(row),
                outcome => resealed += outcome?,
            }
        }
        Ok((resealed, copies))
    }

    async fn reseal_once(&self, table: &dyn SealedTable, rows: &[i64]) -> Result<u64, ProbeError> {
        let tx = self.db.begin().await?;
        let resealed = table.reseal_in_tx(&tx, self.key, rows, self.entropy);
        let resealed = resealed.await?;
        tx.commit().await?;
        Ok(resealed)
    }

    /// Forgets the old key.
    async fn end_once(&self, rotated: &Rotated, now: DateTime<Utc>) -> Result<(), RotationError> {
        let tx = self.db.begin().await?;
        let Standing::Rotating { to } = self.key.standing(&*tx, Hold::Alone).await? else {
            return Ok(());
        };
        settle_in_tx(&tx, &to, self.entropy).await?;
        let change = self.change("DATA_KEY_ROTATE_END", json!(rotated.tables));
        audit::write_in_tx(&tx, self.actor, change, now).await?;
        Ok(tx.commit().await?)
    }

    fn change(&self, action: &'static str, after: Value) -> Change<'static> {
        Change {
            action,
            resource: "data_key",
            before: Value::Null,
            after,
        }
    }
}
