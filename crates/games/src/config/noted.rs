//! What is drawn from, noted whenever it changes: with the edit or the plan that changes it, or with the look that finds it.

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{PlanId, db::DbError};
use xmas_rewards::are_deliverable;

use super::store;
use crate::{
    Game,
    fairness::{self, ChangeKind, OddsChange, changes},
    odds::Odds,
};

/// Notes what is drawn from, or that nothing is, if that has changed: since `at`, and by this plan if it was one. Nobody
/// else edits the game until the transaction ends. Returns what is noted now.
pub(crate) async fn note_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    plan: Option<PlanId>,
    at: DateTime<Utc>,
) -> Result<Option<OddsChange>, DbError> {
    let drawn = match drawn_in_tx::<G>(tx).await? {
        Some(odds) => Some(fairness::insert_odds_in_tx(tx, &odds, at).await?),
        None => None,
    };
    let last = changes::last(tx, G::FEATURE).await?;
    if last.and_then(|last| last.odds_id) == drawn {
        return Ok(last);
    }
    let change = OddsChange {
        kind: match drawn {
            Some(_) => ChangeKind::InForce,
            None => ChangeKind::Nothing,
        },
        odds_id: drawn,
        plan_id: plan,
        effective_from: plan.map(|_| at),
        // A clock that was set back does not put the history out of order.
        at: last.map_or(at, |last| at.max(last.at)),
    };
    changes::insert(tx, G::FEATURE, &change).await?;
    Ok(Some(change))
}

async fn drawn_in_tx<G: Game>(tx: &DatabaseTransaction) -> Result<Option<Odds>, DbError> {
    let active = store::active::<G>(tx).await?.and_then(G::playable);
    let Some(odds) = active.and_then(|active| active.left()) else {
        return Ok(None);
    };
    let Ok(rewards) = odds.rewards() else {
        return Ok(None);
    };
    let is_deliverable = are_deliverable(tx, &rewards).await?;
    Ok(is_deliverable.then_some(odds))
}
