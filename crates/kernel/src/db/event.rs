//! Which event the process plays.
//!
//! A whole event is applied in one transaction, but is looked at in parts: each crate keeps a copy of its own for a while. What
//! works with several copies must know that all are of one event.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{
    ConnectionTrait, DbErr, Iden,
    sea_query::{Alias, Expr, ExprTrait, Query},
};

use super::DbError;

/// The row of `config_lock` whose turn counts the events that were applied.
pub const EVENT_AREA: &str = "EVENT";

/// How often a look is repeated under which the event becomes another one.
const LOOKS: usize = 8;

/// The event that a process has last seen in its database. Copies of the configuration are kept under it: those of
/// another event are found by nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSeen {
    /// How often another one was seen. A server that lags behind may show an event once more that was seen before.
    moves: u64,
}

/// What all clones of a [`Db`] have seen.
#[derive(Clone, Debug, Default)]
pub(super) struct LastSeen(Arc<Mutex<(Option<i64>, EventSeen)>>);

impl LastSeen {
    pub(super) fn get(&self) -> EventSeen {
        let (_, event) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        event
    }

    fn see(&self, turn: i64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, event) = &mut *seen;
        if last.replace(turn).is_some_and(|last| last != turn) {
            event.moves += 1;
        }
    }

    pub(super) async fn look<T, F>(&self, look: impl Fn() -> F) -> Result<(EventSeen, T), DbError>
    where
        F: Future<Output = T>,
    {
        for _ in 0..LOOKS {
            let event = self.get();
            let seen = look().await;
            if self.get() == event {
                return Ok((event, seen));
            }
        }
        Err(moved())
    }

    pub(super) async fn load<T, E, F>(
        &self,
        conn: &impl ConnectionTrait,
        load: impl Fn() -> F,
    ) -> Result<T, E>
    where
        E: From<DbError>,
        F: Future<Output = Result<T, E>>,
    {
        let mut before = turn(conn).await?;
        for _ in 0..LOOKS {
            let loaded = load().await?;
            let after = turn(conn).await?;
            if before == after {
                self.see(after);
                return Ok(loaded);
            }
            before = after;
        }
        Err(moved().into())
    }
}

async fn turn(conn: &impl ConnectionTrait) -> Result<i64, DbError> {
    let column = Alias::new("turn");
    let select = Query::select()
        .column(column.clone())
        .from(Alias::new("config_lock"))
        .and_where(Expr::col(Alias::new("area")).eq(EVENT_AREA))
        .take();
    let row = conn.query_one(&select).await?;
    let row =
        row.ok_or_else(|| DbError::Corrupt(format!("config_lock has no row {EVENT_AREA}")))?;
    Ok(row.try_get("", &column.to_string())?)
}

fn moved() -> DbError {
    DbError::Contention(DbErr::Custom("the event has become another one".to_owned()))
}
