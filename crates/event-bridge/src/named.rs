//! Bridges by their seasons, as the event's file knows them.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    BridgeId, Problem, SeasonId,
    audit::{self, Actor},
    db::DbError,
};
use xmas_season_pass::days_of;
use xmas_texts::bridge as texts;
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeError, BridgeState, Bridges, NewBridge,
    desk::{BRIDGE, open_bridge, save_in_tx},
    rules, store,
};

impl Bridges {
    /// The last bridge of a season.
    pub async fn of_season(
        conn: &impl ConnectionTrait,
        season: SeasonId,
    ) -> Result<Option<Bridge>, DbError> {
        let mut bridges = store::bridges(conn).await?.into_iter();
        Ok(bridges.find(|bridge| bridge.rules.season_id == season))
    }

    /// Whether a bridge has begun by `today` that is not closed yet: its players are still to be paid.
    pub async fn is_under_way_in_tx(
        tx: &DatabaseTransaction,
        today: EventDay,
    ) -> Result<bool, DbError> {
        let bridges = store::bridges(tx).await?;
        let is_under_way = |bridge: &Bridge| {
            let first = bridge.rules.days.first();
            bridge.state != BridgeState::Closed && first.is_some_and(|first| first.day <= today)
        };
        Ok(bridges.iter().any(is_under_way))
    }

    /// Lets nobody else edit bridges until the transaction ends.
    pub async fn enter_in_tx(tx: &DatabaseTransaction) -> Result<(), DbError> {
        audit::enter_in_tx(tx, BRIDGE).await
    }

    /// Makes the bridge of a season what is said, or opens it, checked as an operator's edit is; once nobody else edits
    /// bridges ([`Bridges::enter_in_tx`]).
    pub async fn put_in_tx(
        tx: &DatabaseTransaction,
        actor: Option<&Actor>,
        bridge: &NewBridge,
        now: DateTime<Utc>,
    ) -> Result<BridgeId, BridgeError> {
        let own = Self::of_season(tx, bridge.season_id).await?;
        if let Some(own) = own.filter(|own| own.rules == *bridge) {
            return Ok(own.id);
        }
        let mut before = open_bridge(tx).await?;
        if let Some(seen) = &before {
            store::lock(tx, seen.id).await?;
            before = open_bridge(tx).await?;
        }
        let refused = |text| BridgeError::Invalid(vec![Problem::new("", text)]);
        match &before {
            Some(open) if open.rules.season_id != bridge.season_id => {
                return Err(refused(texts::another_is_open()));
            }
            None if Self::of_season(tx, bridge.season_id).await?.is_some() => {
                return Err(refused(texts::closed()));
            }
            _ => {}
        }
        let season = days_of(tx, bridge.season_id).await?;
        let season = season.ok_or(BridgeError::UnknownSeason)?;
        let problems = rules::check(bridge, season);
        save_in_tx(tx, actor, (before.as_ref(), bridge), problems, now).await
    }
}
