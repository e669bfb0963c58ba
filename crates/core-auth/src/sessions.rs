use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::{Forgetful, LockedPlayer};

use crate::store;

/// The sessions of players, of which nothing is left when a player is forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sessions;

#[async_trait]
impl Forgetful for Sessions {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::revoke_all(tx, player.user_id(), now).await
    }
}
