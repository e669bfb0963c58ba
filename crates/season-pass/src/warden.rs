use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{Problem, SeasonId, audit::Actor, db::DbError};

use crate::{NewSeason, SeasonDeskError, SeasonEdit, SettleDay};

/// Somebody whose own things depend on a season, and who has a say in the edits of it. It locks what it
/// looks at, after `SEASONS`, so that this stays as it is until the edit is committed.
#[async_trait]
pub trait SeasonWarden: Send + Sync {
    /// What stands in the way of a season's becoming this.
    async fn object_in_tx(
        &self,
        tx: &DatabaseTransaction,
        season: SeasonId,
        after: &NewSeason,
    ) -> Result<Vec<Problem>, DbError>;

    /// Looks whether the settlement is due while the season as it is now still runs; if `edit` asks for
    /// it, moves the day and leaves a row in the audit log. Refused once the settlement has begun.
    async fn follow_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        season: (SeasonId, &NewSeason),
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<Option<SettleDay>, SeasonDeskError>;

    /// Drops this process's copies of what it has moved, after the commit.
    fn drop_copies(&self);
}
