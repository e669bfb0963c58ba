//! What the database server says of itself, whatever is in its tables.

use std::sync::Arc;

use chrono::TimeDelta;
use xmas_kernel::db::{Db, DbError};
use xmas_migration::{SchemaState, schema_state};
use xmas_time::Clock;

/// A database server, as this machine sees it.
#[derive(Clone)]
pub struct DatabaseServer {
    db: Db,
    machine: Arc<dyn Clock>,
    version: &'static str,
}

/// What a server says that can be asked.
#[derive(Clone, Debug)]
pub struct ServerState {
    pub schema: SchemaState,
    /// How far this machine's clock is ahead of the server's, at least; zero where the database has no clock of its own.
    pub skew: TimeDelta,
}

impl DatabaseServer {
    /// `machine` is what this machine's clock shows, whatever the event's does; `version` is this binary's.
    pub fn new(db: Db, machine: Arc<dyn Clock>, version: &'static str) -> Self {
        Self {
            db,
            machine,
            version,
        }
    }

    /// The pools that it is asked through.
    pub fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn machine(&self) -> &dyn Clock {
        &*self.machine
    }

    /// Asks it how its schema relates to this binary, and what its clock shows. Fails if it does not answer.
    pub async fn state(&self) -> Result<ServerState, DbError> {
        Ok(ServerState {
            schema: schema_state(self.db.read(), self.version).await?,
            skew: self.skew().await?,
        })
    }

    /// How far this machine's clock is ahead, as far as the time that the question took can tell.
    async fn skew(&self) -> Result<TimeDelta, DbError> {
        let asked = self.machine.now();
        let Some(shown) = self.db.server_time().await? else {
            return Ok(TimeDelta::zero());
        };
        let answered = self.machine.now();
        Ok(match shown {
            shown if shown < asked => asked - shown,
            shown if shown > answered => answered - shown,
            _ => TimeDelta::zero(),
        })
    }
}
