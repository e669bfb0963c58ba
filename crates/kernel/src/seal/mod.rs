//! Secrets that have to be kept in the database: sealed with a key that is not in it.

mod key;
mod probe;
mod rotation;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use sea_orm::{DatabaseConnection, DatabaseTransaction};

use crate::{db::DbError, entropy::Entropy};

pub use key::{SealKey, Unsealable};
pub use probe::{Claimed, ProbeError};
pub use rotation::{Pace, Rotated, Rotation, RotationError, TableTally};

/// The keys of everything sealed: `DATA_KEY`, and `DATA_KEY_PREVIOUS` as long as the database goes from
/// one to the other. All replicas share them; without them coupon codes and draw seeds cannot be read any
/// more.
///
/// Which of the two seals is for the database to say, and for no configuration. A database has one key. It
/// becomes the database's with the first value that is sealed there, in the same transaction
/// ([`DataKey::claim_in_tx`]), and leaves a probe: one more sealed value, which tells it from every other
/// key. A rotation adds the probe of the key that it goes to ([`Rotation`]), and from then on that one seals.
#[derive(Clone)]
pub struct DataKey {
    /// The one that is set, and then the previous one.
    keys: Vec<Arc<SealKey>>,
    tables: Arc<[Arc<dyn SealedTable>]>,
}

/// A table with sealed values. One without a probe beside it was filled by a version that wrote none.
#[async_trait]
pub trait SealedTable: Send + Sync {
    /// Its name in the database.
    fn name(&self) -> &'static str;

    /// Any one of its values.
    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError>;

    async fn count(&self, conn: &DatabaseConnection) -> Result<u64, DbError>;

    /// Its next values behind this row, by row.
    async fn page(
        &self,
        conn: &DatabaseConnection,
        after: i64,
        most: u64,
    ) -> Result<Vec<(i64, Sealed)>, DbError>;

    /// Seals the values of these rows with the database's key, with whatever else follows from the key, and
    /// returns how many were not yet. One that cannot be opened stays as it is.
    async fn reseal_in_tx(
        &self,
        tx: &DatabaseTransaction,
        key: &DataKey,
        rows: &[i64],
        entropy: &dyn Entropy,
    ) -> Result<u64, ProbeError>;
}

/// A sealed value, and the place that it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub place: String,
    pub value: String,
}

impl DataKey {
    /// The key of a secret (`DATA_KEY`).
    pub fn new(secret: &str) -> Self {
        Self {
            keys: vec![Arc::new(SealKey::new(secret))],
            tables: Arc::default(),
        }
    }

    /// The same, which also knows the key that the database has had until now (`DATA_KEY_PREVIOUS`).
    #[must_use]
    pub fn with_previous(mut self, secret: &str) -> Self {
        self.keys.push(Arc::new(SealKey::new(secret)));
        self
    }

    /// The same, which also looks into these tables where a database has no probe.
    #[must_use]
    pub fn of_tables(mut self, tables: Vec<Arc<dyn SealedTable>>) -> Self {
        self.tables = tables.into();
        self
    }

    /// Opens what was sealed for `place` with any of these keys.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let (_, plain) = self.opened(place, sealed)?;
        Ok(plain)
    }

    /// The key that opens it, and what was sealed.
    pub fn opened(
        &self,
        place: &str,
        sealed: &str,
    ) -> Result<(&Arc<SealKey>, Vec<u8>), Unsealable> {
        let mut keys = self.keys.iter();
        let opened = keys.find_map(|key| Some((key, key.open(place, sealed).ok()?)));
        opened.ok_or(Unsealable)
    }

    /// The fingerprints that a value may have in the database: one of each key.
    pub fn fingerprints(&self, plain: &[u8]) -> Vec<String> {
        self.keys.iter().map(|key| key.fingerprint(plain)).collect()
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}
