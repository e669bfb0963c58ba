use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    Problem, SeasonId,
    audit::{self, Actor, Change},
    db::DbError,
};
use xmas_season_pass::{NewSeason, SeasonDeskError, SeasonEdit, SeasonWarden, SettleDay};

use crate::{
    Bridge, BridgeState, KeyAwarder, NewBridge,
    desk::{BRIDGE, resource},
    rules, store,
};

/// Keeps a season around the days of its bridge, and the settlement behind the season.
pub struct BridgeWarden {
    awarder: KeyAwarder,
}

impl BridgeWarden {
    /// Drops the awarder's copy of the bridges when it has moved one's settlement.
    pub fn new(awarder: KeyAwarder) -> Self {
        Self { awarder }
    }
}

/// The bridge of a season that is not closed, kept as it is until the transaction ends.
async fn own_in_tx(tx: &DatabaseTransaction, season: SeasonId) -> Result<Option<Bridge>, DbError> {
    audit::enter_in_tx(tx, BRIDGE).await?;
    let find = async || -> Result<Option<Bridge>, DbError> {
        let mut bridges = store::bridges(tx).await?.into_iter();
        let is_own = |bridge: &Bridge| {
            bridge.rules.season_id == season && bridge.state != BridgeState::Closed
        };
        Ok(bridges.find(is_own))
    };
    let Some(seen) = find().await? else {
        return Ok(None);
    };
    // A settlement may have begun meanwhile.
    store::lock(tx, seen.id).await?;
    find().await
}

#[async_trait]
impl SeasonWarden for BridgeWarden {
    async fn object_in_tx(
        &self,
        tx: &DatabaseTransaction,
        season: SeasonId,
        after: &NewSeason,
    ) -> Result<Vec<Problem>, DbError> {
        let own = own_in_tx(tx, season).await?;
        let stands_out = own.is_some_and(|bridge| {
            let mut days = bridge.rules.days.iter();
            days.any(|day| !(after.start..=after.end).contains(&day.day))
        });
        let problem = || Problem::new("end_date", "and start_date hold every day of the bridge");
        Ok(stands_out.then(problem).into_iter().collect())
    }

    async fn follow_in_tx(
        &self,
        tx: &DatabaseTransaction,
        actor: &Actor,
        (season, after): (SeasonId, &NewSeason),
        edit: &SeasonEdit,
        now: DateTime<Utc>,
    ) -> Result<Option<SettleDay>, SeasonDeskError> {
        let Some(bridge) = own_in_tx(tx, season).await? else {
            return Ok(None);
        };
        let usual = rules::usual_settle_on(after.end);
        let early = SettleDay {
            bridge: bridge.id,
            settle_on: bridge.rules.settle_on,
            usual,
            moved_from: None,
        };
        if early.settle_on >= usual {
            return Ok(None);
        }
        if !edit.move_settle_on {
            return Ok(Some(early));
        }
        if bridge.state != BridgeState::Open {
            let text = "must be left out: the settlement has begun";
            let problem = Problem::new("move_settle_on", text);
            return Err(SeasonDeskError::Invalid(vec![problem]));
        }
        let moved = NewBridge {
            settle_on: usual,
            ..bridge.rules.clone()
        };
        store::update(tx, bridge.id, &moved, now).await?;
        let change = Change {
            action: "BRIDGE_UPDATE",
            resource: &resource(bridge.id),
            before: audit::state(&bridge.rules),
            after: audit::state(&moved),
        };
        audit::write_in_tx(tx, actor, change, now).await?;
        Ok(Some(SettleDay {
            settle_on: usual,
            moved_from: Some(early.settle_on),
            ..early
        }))
    }

    fn drop_copies(&self) {
        self.awarder.bridges.drop_all();
    }
}
