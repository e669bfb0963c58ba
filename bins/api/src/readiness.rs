//! Whether requests should be sent here.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use xmas_cache::Snapshot;
use xmas_http::{error::ApiError, server::Draining};
use xmas_kernel::{
    Problem,
    db::DbError,
    seal::{DataKey, ProbeError},
};
use xmas_migration::SchemaState;
use xmas_texts::{Text, start as texts};
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
    key: Option<Text>,
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
        let mut problems = Vec::new();
        let mut note = |check: &str, text| problems.push(Problem::new(check, text));
        if self.draining.has_begun() {
            note("draining", texts::draining());
        }
        match self.state.get_or_load((), self.database()).await {
            Ok(State { server, key }) => {
                let ServerState { schema, skew } = server;
                match schema {
                    SchemaState::Current => {}
                    SchemaState::TooOld { missing } => {
                        note("schema", texts::schema_lacks(missing));
                    }
                    SchemaState::TooNew { migration, .. } => {
                        note("schema", texts::schema_too_new(migration));
                    }
                }
                if skew.abs() > MOST_SKEW {
                    note("clock", texts::clock_differs(skew.num_seconds()));
                }
                if let Some(problem) = key {
                    note("data_key", problem);
                }
            }
            Err(error) => {
                tracing::warn!(?error, "the database fails the readiness check");
                note(
                    "database",
                    match error {
                        DbError::Unreachable(_) => texts::database_away(),
                        DbError::ReadOnly(_) => texts::database_read_only(),
                        error => texts::database_fails(error.to_string()),
                    },
                );
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
    async fn key_problem(&self) -> Result<Option<Text>, DbError> {
        match self.key.check(self.server.db().read()).await {
            Ok(()) | Err(ProbeError::Db(DbError::SchemaMismatch(_))) => Ok(None),
            Err(ProbeError::Db(error)) => Err(error),
            Err(ProbeError::HalfKnown) => Ok(Some(texts::data_key_half_known())),
            Err(ProbeError::OtherKey(_)) => Ok(Some(texts::data_key_of_another())),
        }
    }
}

/// Midnight comes when the clock says so: a replica that is this far off would stamp the wrong day.
const MOST_SKEW: TimeDelta = TimeDelta::seconds(30);

/// How long each step of the readiness check waits: there are up to three, and whoever asks waits
/// for some seconds.
const PATIENCE: Duration = Duration::from_secs(1);
