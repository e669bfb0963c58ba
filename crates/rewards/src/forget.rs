use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::{Forgetful, GivenUp, Leaving};

use crate::{RewardState, RewardType, Rewards, review_queue::decision_meta, store};

/// Why rewards are refused whose player was anonymised.
const ANONYMISED: &str = "ANONYMISED";

/// What waits for an admin is refused when its player is anonymised: nobody could be given it any more, and
/// no coupon code is spent on it.
#[async_trait]
impl Forgetful for Rewards {
    async fn forget_in_tx(
        &self,
        tx: &DatabaseTransaction,
        leaving: &Leaving<'_>,
        now: DateTime<Utc>,
    ) -> Result<GivenUp, DbError> {
        let (player, by) = (leaving.player, &leaving.actor.name);
        let refused = (RewardState::Rejected, Some(ANONYMISED));
        let mut given_up = GivenUp::default();
        for waiting in store::pending_of(tx, player.user_id()).await? {
            // Only whoever has the player's lock decides, so it still waits.
            if !store::end_wait(tx, waiting.id, refused, by, now).await? {
                continue;
            }
            let meta = decision_meta(&waiting, refused, by);
            self.record_in_tx(tx, player, meta, now).await?;
            given_up.rewards.push(waiting.id);
            if waiting.reward.kind() == RewardType::Point {
                given_up.reward_points += waiting.reward.amount();
            }
        }
        let balances = store::balances(tx, player.user_id()).await?.into_iter();
        given_up.balances = balances.filter(|(_, balance)| *balance > 0).collect();
        Ok(given_up)
    }
}
