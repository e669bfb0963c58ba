use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{
    Problem, Problems, SeasonId,
    audit::{self, Actor, Change},
    db::DbError,
};
use xmas_season_pass::{NewSeason, SeasonDeskError, SeasonEdit, SeasonWarden, SettleDay};
use xmas_texts::season;

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
        let days = own.map_or_else(Vec::new, |bridge| bridge.rules.days);
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(Vec::new());
        };
        let mut problems = Problems::default();
        let text = season::holds_bridge(first.day.to_string(), last.day.to_string());
        problems.expect(after.start <= first.day, "start_date", text.clone());
        problems.expect(last.day <= after.end, "end_date", text);
        Ok(problems.into_vec())
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
            let text = season::settlement_has_begun();
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
