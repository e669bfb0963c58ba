//! Whether requests should be sent here.

use std::{sync::Arc, time::Duration};

use xmas_cache::Snapshot;
use xmas_http::{
    error::{ApiError, Details},
    server::Draining,
};
use xmas_kernel::db::{Db, DbError};
use xmas_migration::{SchemaState, schema_state};

/// Whether requests should be sent here.
#[derive(Clone)]
pub struct Readiness {
    pub(crate) db: Db,
    pub(crate) draining: Draining,
    /// However many ask at once, the database is asked once.
    schema: Arc<Snapshot<(), SchemaState>>,
}

impl Readiness {
    pub(crate) fn new(db: Db) -> Self {
        Self {
            db,
            draining: Draining::default(),
            schema: Arc::new(Snapshot::lasting(Duration::ZERO)),
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
        match self.schema.get_or_load((), self.database()).await {
            Ok(SchemaState::Current) => {}
            Ok(SchemaState::TooOld { missing }) => {
                note("schema", format!("lacks {}", missing.join(", ")));
            }
            Ok(SchemaState::TooNew { migration, .. }) => {
                note("schema", format!("{migration} needs a newer binary"));
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

    /// The schema, if the database takes writes. One that only is too busy to be asked is ready.
    async fn database(&self) -> Result<SchemaState, DbError> {
        let schema = async {
            let state = schema_state(self.db.read(), env!("CARGO_PKG_VERSION")).await;
            state.map_err(DbError::from)
        };
        match self.db.check_writable(PATIENCE).await {
            // The table may be what the schema lacks.
            Ok(()) | Err(DbError::SchemaMismatch(_)) => {}
            Err(error) => return Err(error),
        }
        match tokio::time::timeout(PATIENCE, schema).await {
            Ok(Err(DbError::PoolExhausted(_))) | Err(_) => Ok(SchemaState::Current),
            Ok(state) => state,
        }
    }
}

/// How long each step of the readiness check waits: there are up to three, and whoever asks waits
/// for some seconds.
const PATIENCE: Duration = Duration::from_secs(1);
