use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::{Forgetful, GivenUp, Leaving};

use crate::store;

/// The sessions of players, of which nothing is left when a player is forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sessions;

#[async_trait]
impl Forgetful for Sessions {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        leaving: &Leaving<'_>,
        now: DateTime<Utc>,
    ) -> Result<GivenUp, DbError> {
        store::revoke_all(tx, leaving.player.user_id(), now).await?;
        Ok(GivenUp::default())
    }
}
