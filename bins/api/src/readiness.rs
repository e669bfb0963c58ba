//! Whether requests should be sent here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use xmas_cache::Snapshot;
use xmas_http::{
    error::{ApiError, Details},
    server::Draining,
};
use xmas_kernel::db::{Db, DbError};
use xmas_migration::{SchemaState, schema_state};
use xmas_time::Clock;

use crate::version;

/// Whether requests should be sent here.
#[derive(Clone)]
pub struct Readiness {
    pub(crate) db: Db,
    pub(crate) draining: Draining,
    /// What this machine's clock shows, whatever the event's does.
    pub(crate) machine: Arc<dyn Clock>,
    /// However many ask at once, the database is asked once.
    state: Arc<Snapshot<(), State>>,
}

/// What a database is like that can be asked.
#[derive(Clone)]
struct State {
    schema: SchemaState,
    /// How far this machine's clock is ahead of the database's, at least.
    skew: TimeDelta,
}

impl Readiness {
    pub(crate) fn new(db: Db, machine: Arc<dyn Clock>) -> Self {
        Self {
            db,
            draining: Draining::default(),
            machine,
            state: Arc::new(Snapshot::lasting(Duration::ZERO)),
        }
    }

    /// From now on load balancers should look elsewhere, and clients too.
    pub fn drain(&self) {
        self.draining.begin();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.has_begun()
    }

    /// `NOT_READY` with what is not, or nothing.
    pub(crate) async fn check(&self) -> Result<(), ApiError> {
        let mut problems = Details::new();
        let mut note = |check: &str, problem: String| {
            problems.insert(check.to_owned(), vec![problem]);
        };
        if self.is_draining() {
            note("draining", "is about to stop".to_owned());
        }
        match self.state.get_or_load((), self.database()).await {
            Ok(State { schema, skew }) => {
                match schema {
                    SchemaState::Current => {}
                    SchemaState::TooOld { missing } => {
                        note("schema", format!("lacks {}", missing.join(", ")));
                    }
                    SchemaState::TooNew { migration, .. } => {
                        note("schema", format!("{migration} needs a newer binary"));
                    }
                }
                if skew.abs() > MOST_SKEW {
                    let seconds = skew.num_seconds();
                    note(
                        "clock",
                        format!("differs from the database's by {seconds} s"),
                    );
                }
            }
            Err(error) => {
                tracing::warn!(?error, "the database fails the readiness check");
                note("database", error.to_string());
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(ApiError::not_ready(problems))
    }

    /// How the database's schema relates to this binary.
    pub(crate) async fn schema(&self) -> Result<SchemaState, DbError> {
        Ok(schema_state(self.db.read(), version::VERSION).await?)
    }

    /// How far this machine's clock is ahead of the database's, at least: as far as the time that the question took can
    /// tell. `None` where the database has no clock of its own.
    pub(crate) async fn skew(&self) -> Result<Option<TimeDelta>, DbError> {
        let asked = self.machine.now();
        let Some(shown) = self.db.server_time().await? else {
            return Ok(None);
        };
        let answered = self.machine.now();
        Ok(Some(match shown {
            shown if shown < asked => asked - shown,
            shown if shown > answered => answered - shown,
            _ => TimeDelta::zero(),
        }))
    }

    /// What the database is like, if it takes writes. One that only is too busy to be asked is ready.
    async fn database(&self) -> Result<State, DbError> {
        match self.db.check_writable(PATIENCE).await {
            // The table may be what the schema lacks.
            Ok(()) | Err(DbError::SchemaMismatch(_)) => {}
            Err(error) => return Err(error),
        }
        let asked = async {
            let (schema, skew) = (self.schema().await?, self.skew().await?);
            let skew = skew.unwrap_or_default();
            Ok(State { schema, skew })
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Err(DbError::PoolExhausted(_))) | Err(_) => Ok(State {
                schema: SchemaState::Current,
                skew: TimeDelta::zero(),
            }),
            Ok(state) => state,
        }
    }
}

/// Midnight comes when the clock says so: a replica that is this far off would stamp the wrong day.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(30);

/// How long each step of the readiness check waits: there are up to three, and whoever asks waits
/// for some seconds.
const PATIENCE: Duration = Duration::from_secs(1);
