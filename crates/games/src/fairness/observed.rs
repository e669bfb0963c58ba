//! `odds_observed`: how often each entry of a table has come up, counted once an hour for everybody to see. Counting is
//! too dear for a page that needs no login.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use xmas_kernel::{
    Feature, OddsId,
    db::{Db, DbError, Timestamp, retry_repeatable},
    lease::{JobResult, Lease},
};

use super::entity::odds_observed::{ActiveModel, Column, Entity, Model};
use crate::{
    config::plan::MOST_LATE,
    draw_counts::{self, Observed},
};

/// The job's name among leases and results.
const JOB: &str = "odds_observed";
/// How often it is counted: once in every hour of the clock.
const EVERY: TimeDelta = TimeDelta::hours(1);
/// How long a process has it to itself.
const LEASE: Duration = Duration::from_secs(600);
/// How many tables are counted by one statement.
const AT_ONCE: usize = 50;

/// When it was counted, kept in the database. On the event's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedRecord {
    /// When that was last.
    pub finished_at: Option<DateTime<Utc>>,
}

impl ObservedRecord {
    /// Of a database; that of one in which nothing was counted is empty.
    pub async fn of(db: &Db) -> Result<Self, DbError> {
        let Some(last) = JobResult::of(db, JOB).await? else {
            return Ok(Self::default());
        };
        serde_json::from_str(&last.result)
            .map_err(|error| DbError::Corrupt(format!("the record of {JOB}: {error}")))
    }

    fn is_due(self, now: DateTime<Utc>) -> bool {
        let hour = now.duration_trunc(EVERY).unwrap_or(now);
        // A clock that was set back is no reason to wait.
        self.finished_at
            .is_none_or(|last| last < hour || now < last)
    }
}

/// Counts, unless another process does or has within the hour.
pub(super) async fn count_if_due(
    db: &Db,
    games: &[Feature],
    process: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if !ObservedRecord::of(db).await?.is_due(now) {
        return Ok(());
    }
    let Some(lease) = Lease::take(db, JOB, process, LEASE).await? else {
        return Ok(());
    };
    let done = count(db, games, now).await;
    let given_back = lease.give_back(db).await;
    done?;
    given_back
}

async fn count(db: &Db, games: &[Feature], now: DateTime<Utc>) -> Result<(), DbError> {
    let record = ObservedRecord::of(db).await?;
    // Another replica may just have ended.
    if !record.is_due(now) {
        return Ok(());
    }
    let last = record.finished_at.filter(|last| *last <= now);
    let since = last.map_or(DateTime::UNIX_EPOCH, |last| last - MOST_LATE);
    let mut tables = Vec::new();
    for game in games {
        tables.extend(draw_counts::drawn_from_since(db.read(), *game, since).await?);
    }
    let mut counted = HashMap::new();
    for some in tables.chunks(AT_ONCE) {
        counted.extend(draw_counts::observed(db.read(), some).await?);
    }
    retry_repeatable(|| keep(db, &counted, now)).await
}

/// All of it at once, so that nobody sees figures that are newer than they are said to be.
async fn keep(
    db: &Db,
    counted: &HashMap<OddsId, Observed>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let finished = ObservedRecord {
        finished_at: Some(now),
    };
    let finished = serde_json::to_string(&finished);
    let finished = finished.map_err(|error| DbError::Corrupt(error.to_string()))?;
    let tx = db.begin().await?;
    for (table, observed) in counted {
        keep_one_in_tx(&tx, *table, observed).await?;
    }
    JobResult::put_in_tx(&tx, JOB, &finished).await?;
    tx.commit().await
}

async fn keep_one_in_tx(
    tx: &DatabaseTransaction,
    table: OddsId,
    observed: &Observed,
) -> Result<(), DbError> {
    let draws = serde_json::to_string(&observed.draws);
    let row = ActiveModel {
        odds_id: Set(table.0),
        draws: Set(draws.map_err(|error| DbError::Corrupt(error.to_string()))?),
        first_play_at: Set(observed.first_play.map(Timestamp)),
        last_play_at: Set(observed.last_play.map(Timestamp)),
    };
    Entity::delete_many()
        .filter(Column::OddsId.eq(table.0))
        .exec(tx)
        .await?;
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// What was counted last of these tables, and when.
pub(super) async fn find(
    db: &Db,
    tables: &[OddsId],
) -> Result<(HashMap<OddsId, Observed>, Option<DateTime<Utc>>), DbError> {
    let mut counted_at = ObservedRecord::of(db).await?.finished_at;
    loop {
        let rows = Entity::find()
            .filter(Column::OddsId.is_in(tables.iter().map(|id| id.0)))
            .all(db.read())
            .await?;
        // Once an hour somebody may have counted in between.
        let still = ObservedRecord::of(db).await?.finished_at;
        if still == counted_at {
            let observed = rows.into_iter().map(read).collect::<Result<_, _>>()?;
            return Ok((observed, counted_at));
        }
        counted_at = still;
    }
}

fn read(row: Model) -> Result<(OddsId, Observed), DbError> {
    let draws = serde_json::from_str(&row.draws)
        .map_err(|error| DbError::Corrupt(format!("odds_observed {}: {error}", row.odds_id)))?;
    let observed = Observed {
        draws,
        first_play: row.first_play_at.map(|at| at.0),
        last_play: row.last_play_at.map(|at| at.0),
    };
    Ok((OddsId(row.odds_id), observed))
}
