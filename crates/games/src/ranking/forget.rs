use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::{Forgetful, LockedPlayer};

use super::store;

/// The names on the boards. Of a player who is forgotten the places stay, under the public name that
/// is left to them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RankingNames;

#[async_trait]
impl Forgetful for RankingNames {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        store::forget(tx, player.user_id(), now).await
    }
}
