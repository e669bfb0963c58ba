//! Whether requests should be sent here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use xmas_cache::Snapshot;
use xmas_http::{
    error::{ApiError, Details},
    server::Draining,
};
use xmas_kernel::{
    db::DbError,
    seal::{DataKey, ProbeError},
};
use xmas_migration::SchemaState;
use xmas_watch::{DatabaseServer, ServerState};

/// Whether requests should be sent here.
#[derive(Clone)]
pub struct Readiness {
    pub(crate) server: DatabaseServer,
    pub(crate) draining: Draining,
    key: DataKey,
    /// However many ask at once, the database is asked once.
    state: Arc<Snapshot<(), State>>,
}

/// What the database is like.
#[derive(Clone, Debug)]
struct State {
    server: ServerState,
    /// What is wrong with the keys that are known here.
    key: Option<String>,
}

impl Readiness {
    pub(crate) fn new(server: DatabaseServer, key: DataKey) -> Self {
        Self {
            server,
            key,
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
            Ok(State { server, key }) => {
                let ServerState { schema, skew } = server;
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
                if let Some(problem) = key {
                    note("data_key", problem);
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
    async fn database(&self) -> Result<State, DbError> {
        match self.server.db().check_writable(PATIENCE).await {
            // The table may be what the schema lacks.
            Ok(()) | Err(DbError::SchemaMismatch(_)) => {}
            Err(error) => return Err(error),
        }
        let state = async {
            Ok(State {
                server: self.server.state().await?,
                key: self.key_problem().await?,
            })
        };
        match tokio::time::timeout(PATIENCE, state).await {
            Ok(Err(DbError::PoolExhausted(_))) | Err(_) => Ok(State {
                server: ServerState {
                    schema: SchemaState::Current,
                    skew: TimeDelta::zero(),
                },
                key: None,
            }),
            Ok(state) => state,
        }
    }

    /// Who cannot open what is sealed, or may not seal, has winners who are not shown their coupons.
    async fn key_problem(&self) -> Result<Option<String>, DbError> {
        match self.key.check(self.server.db().read()).await {
            Ok(()) | Err(ProbeError::Db(DbError::SchemaMismatch(_))) => Ok(None),
            Err(ProbeError::Db(error)) => Err(error),
            Err(ProbeError::HalfKnown) => Ok(Some(
                "is being rotated, and DATA_KEY or DATA_KEY_PREVIOUS is missing".to_owned(),
            )),
            Err(ProbeError::OtherKey(_)) => Ok(Some("is not the database's".to_owned())),
        }
    }
}

/// Midnight comes when the clock says so: a replica that is this far off would stamp the wrong day.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(30);

/// How long each step of the readiness check waits: there are up to three, and whoever asks waits
/// for some seconds.
const PATIENCE: Duration = Duration::from_secs(1);
