//! What those who watch the service need to see of the event, read over and over.
//!
//! Logs are only ever added to, so what is new in them is counted by their ids. A row counts once a second look has
//! found it: ids are given before COMMIT, and a lower one may become visible after a higher one.

mod model;
mod store;

use std::sync::{Mutex, PoisonError};

use xmas_kernel::db::{Db, DbError, retry};

use self::store::Ends;
use crate::store::pending_reviews;

pub use model::{Direction, Flows, FreeCodes, PrizeStock, Vitals};

/// Looks at the event, and counts what happens from its first look on.
#[derive(Debug)]
pub struct Lookout {
    db: Db,
    counted: Mutex<Counted>,
}

/// What has been counted, and how far.
#[derive(Clone, Debug, Default)]
struct Counted {
    flows: Flows,
    logs: Option<Tails>,
}

#[derive(Clone, Copy, Debug)]
struct Tails {
    counted_to: Ends,
    /// What the last look has seen, which this one counts.
    seen: Ends,
}

impl Lookout {
    pub fn new(db: Db) -> Self {
        Self {
            db,
            counted: Mutex::default(),
        }
    }

    /// What there is to see now, and what has happened up to the look before. A look that fails counts nothing.
    pub async fn look(&self) -> Result<Vitals, DbError> {
        retry(|| self.look_once()).await
    }

    async fn look_once(&self) -> Result<Vitals, DbError> {
        let mut counted = self.counted().clone();
        let conn = self.db.read();
        let ends = store::ends(conn).await?;
        counted.logs = Some(match counted.logs {
            None => Tails {
                counted_to: ends,
                seen: ends,
            },
            Some(tails) => {
                let new = store::flows(conn, tails.counted_to, tails.seen).await?;
                counted.flows.add(new);
                Tails {
                    counted_to: tails.seen,
                    seen: ends,
                }
            }
        });
        let vitals = Vitals {
            flows: counted.flows.clone(),
            prizes: store::prizes(conn).await?,
            free_codes: store::free_codes(conn).await?,
            reviews: pending_reviews(conn).await?,
            last_stamp: store::last_stamp(conn).await?,
        };
        *self.counted() = counted;
        Ok(vitals)
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
