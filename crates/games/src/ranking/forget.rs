use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::{Forgetful, GivenUp, Leaving};

use super::{Ranking, store};

/// The names on the boards. Of a player who is forgotten the places stay, under the public name that
/// is left to them.
#[async_trait]
impl Forgetful for Ranking {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        leaving: &Leaving<'_>,
        now: DateTime<Utc>,
    ) -> Result<GivenUp, DbError> {
        store::forget(tx, leaving, now).await?;
        Ok(GivenUp::default())
    }

    fn has_forgotten(&self) {
        self.copies.renew();
    }
}
