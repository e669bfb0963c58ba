//! Lists and exports of what tables hold: wallets, plays, ledgers, events, and what operators did.

pub(crate) mod logs;
mod mask;
mod model;
mod select;
pub(crate) mod store;

use xmas_kernel::db::{Db, DbError, retry};

pub use model::{
    AuditFilter, AuditRecord, EXPORT_AUDIT_ROWS, EXPORT_ROWS, EventFilter, EventRecord,
    LedgerFilter, LedgerRecord, PlayFilter, PlayRecord, Resource, Slice, Span, WalletFilter,
    WalletPlace, WalletRecord, Whose,
};
pub(crate) use select::subquery;

/// Rows as operators look at them. Each call is one statement; of the log of operators there is one more, for
/// who was anonymised.
#[derive(Clone, Debug)]
pub struct Records {
    db: Db,
}

impl Records {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// By player and asset.
    pub async fn wallets(
        &self,
        filter: &WalletFilter,
        slice: &Slice<WalletPlace>,
    ) -> Result<Vec<WalletRecord>, DbError> {
        retry(|| store::wallets(self.db.read(), filter, slice)).await
    }

    /// Plays, by id.
    pub async fn plays(
        &self,
        filter: &PlayFilter,
        slice: &Slice<i64>,
    ) -> Result<Vec<PlayRecord>, DbError> {
        retry(|| store::plays(self.db.read(), filter, slice)).await
    }

    /// Rows of the ledger, by id.
    pub async fn ledger(
        &self,
        filter: &LedgerFilter,
        slice: &Slice<i64>,
    ) -> Result<Vec<LedgerRecord>, DbError> {
        retry(|| store::ledger(self.db.read(), filter, slice)).await
    }

    /// Rows of the activity log, by id.
    pub async fn events(
        &self,
        filter: &EventFilter,
        slice: &Slice<i64>,
    ) -> Result<Vec<EventRecord>, DbError> {
        retry(|| logs::events(self.db.read(), filter, slice)).await
    }

    /// Rows of the log of operators, by id. Names of players who were anonymised are masked.
    pub async fn audits(
        &self,
        filter: &AuditFilter,
        slice: &Slice<i64>,
    ) -> Result<Vec<AuditRecord>, DbError> {
        retry(|| logs::audits(self.db.read(), filter, slice)).await
    }
}
