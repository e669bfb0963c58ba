//! Whether requests should be sent here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use xmas_cache::Snapshot;
use xmas_http::{
    error::{ApiError, Details},
    server::Draining,
};
use xmas_kernel::db::DbError;
use xmas_migration::SchemaState;
use xmas_watch::{DatabaseServer, ServerState};

/// Whether requests should be sent here.
#[derive(Clone)]
pub struct Readiness {
    pub(crate) server: DatabaseServer,
    pub(crate) draining: Draining,
    /// However many ask at once, the database is asked once.
    state: Arc<Snapshot<(), ServerState>>,
}

impl Readiness {
    pub(crate) fn new(server: DatabaseServer) -> Self {
        Self {
            server,
            draining: Draining::default(),
            state: Arc::new(Snapshot::lasting(Duration::ZERO)),
        }
    }

    /// From now on load balancers should look elsewhere, and clients too.
    pub fn drain(&self) {
        self.draining.begin();
    }

    /// `NOT_READY` with what is not, or nothing.
    pub(crate) async fn check(&self) -> Result<(), ApiError> {
        let mut problems = Details::new();
        let mut note = |check: &str, problem: String| {
            problems.insert(check.to_owned(), vec![problem]);
        };
        if self.draining.has_begun() {
            note("draining", "is about to stop".to_owned());
        }
        match self.state.get_or_load((), self.database()).await {
            Ok(ServerState { schema, skew }) => {
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

    /// What the database is like, if it takes writes. One that only is too busy to be asked is ready.
    async fn database(&self) -> Result<ServerState, DbError> {
        match self.server.db().check_writable(PATIENCE).await {
            // The table may be what the schema lacks.
            Ok(()) | Err(DbError::SchemaMismatch(_)) => {}
            Err(error) => return Err(error),
        }
        match tokio::time::timeout(PATIENCE, self.server.state()).await {
            Ok(Err(DbError::PoolExhausted(_))) | Err(_) => Ok(ServerState {
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
