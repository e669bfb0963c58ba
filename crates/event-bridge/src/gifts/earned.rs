use sea_orm::DatabaseTransaction;
use xmas_kernel::db::DbError;
use xmas_players::LockedPlayer;

use super::store::{self, KeyState};
use crate::{Bridge, BridgeDay};

/// Notes that a player has done the mission of a day whose key they were given: it stays theirs.
pub(crate) async fn note_earned_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    (bridge, day): (&Bridge, &BridgeDay),
) -> Result<(), DbError> {
    let gift = store::given_to(tx, player.user_id(), (bridge.id, day.number)).await?;
    match gift {
        Some(gift) => store::end_keys(tx, gift.id, &[player.user_id()], KeyState::Earned).await,
        None => Ok(()),
    }
}
