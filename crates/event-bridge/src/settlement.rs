use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xmas_activity::{EventKind, EventWriter};
use xmas_kernel::{
    BridgeId, UserId,
    db::{Db, DbError, retry},
};
use xmas_players::{
    Completion, KeyHolder, KeyHolders, complete_keys_many_in_tx, expire_keys_many_in_tx,
    lock_key_holders_in_tx,
};
use xmas_rewards::{GrantSource, PointGrant, PointOccasion, RewardLedger};
use xmas_season_pass::{SeasonError, SeasonPassService};
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeError, BridgeState, Certificate, Due, KeyAwarder, KeyGift, KeyGiven, Run,
    SettlementService, keys, rules, store,
};

/// [`SettlementService`] on the database.
#[derive(Clone)]
pub struct Settlement {
    pub(crate) on: Arc<SettlementOptions>,
}

/// What a settlement works with.
pub struct SettlementOptions {
    pub db: Db,
    pub ledger: Arc<dyn RewardLedger>,
    pub seasons: Arc<dyn SeasonPassService>,
    pub awarder: KeyAwarder,
}

/// What players read on the receipt of their payment.
const LABEL: &str = "시즌 브릿지 정산 포인트";
/// How long after the settlement a bridge is closed if its season says nothing, in days.
const USUAL_GRACE: u32 = 7;

/// What one chunk of a settlement did.
struct Chunk {
    /// Where the next one begins; `None` once nobody is left.
    next: Option<UserId>,
    paid: u64,
    points: i64,
}

impl Settlement {
    pub fn new(on: SettlementOptions) -> Self {
        Self { on: Arc::new(on) }
    }

    pub(crate) async fn known(&self, bridge: BridgeId) -> Result<Bridge, BridgeError> {
        let bridges = store::bridges(self.on.db.read()).await?;
        let known = bridges.into_iter().find(|known| known.id == bridge);
        known.ok_or(BridgeError::NotFound)
    }

    /// The bridge, if it may be settled now.
    async fn settleable(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<Bridge, BridgeError> {
        let bridge = self.known(bridge).await?;
        if EventDay::of(now) < bridge.rules.settle_on {
            return Err(BridgeError::NotDue);
        }
        Ok(bridge)
    }

    /// Pays the next players after `after` who may be paid, all in one transaction.
    async fn pay_chunk(
        &self,
        bridge: &Bridge,
        after: UserId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Chunk, DbError> {
        let tx = self.on.db.begin().await?;
        let which = Completion::Payable {
            keys_required: bridge.rules.keys_required,
        };
        let KeyHolders { holders, last } = lock_key_holders_in_tx(&tx, which, after, chunk).await?;
        if holders.is_empty() {
            return Ok(Chunk {
                next: last,
                paid: 0,
                points: 0,
            });
        }
        let grant = |holder: &KeyHolder| PointGrant {
            user_id: holder.user_id,
            grant_key: rules::grant_key(bridge.id, holder.user_id),
            points: holder.pending_points,
        };
        let grants: Vec<PointGrant> = holders.iter().map(grant).collect();
        let occasion = PointOccasion {
            source: GrantSource::Bridge,
            label: LABEL.to_owned(),
            season_id: bridge.rules.season_id,
        };
        let paid = self
            .on
            .ledger
            .grant_points_many_in_tx(&tx, &grants, &occasion, now)
            .await?;
        let is_paid = |holder: &&KeyHolder| paid.binary_search(&holder.user_id).is_ok();
        let paid_holders: Vec<&KeyHolder> = holders.iter().filter(is_paid).collect();
        let told = paid_holders.iter().map(|holder| told(bridge, holder));
        let told = told.collect();
        EventWriter
            .write_many_in_tx(&tx, EventKind::BridgeSettled, told, now)
            .await?;
        if !paid.is_empty() {
            complete_keys_many_in_tx(&tx, &paid, now).await?;
        }
        tx.commit().await?;
        Ok(Chunk {
            next: last,
            paid: paid.len() as u64,
            points: paid_holders
                .iter()
                .map(|holder| holder.pending_points)
                .sum(),
        })
    }

    /// Takes what is left of the next players after `after`.
    async fn expire_chunk(
        &self,
        bridge: &Bridge,
        after: UserId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Option<UserId>, DbError> {
        let tx = self.on.db.begin().await?;
        let KeyHolders { holders, last } =
            lock_key_holders_in_tx(&tx, Completion::Anything, after, chunk).await?;
        if holders.is_empty() {
            return Ok(None);
        }
        let told = holders.iter().map(|holder| told(bridge, holder)).collect();
        EventWriter
            .write_many_in_tx(&tx, EventKind::BridgeExpired, told, now)
            .await?;
        let ids: Vec<UserId> = holders.iter().map(|holder| holder.user_id).collect();
        expire_keys_many_in_tx(&tx, &ids, now).await?;
        tx.commit().await?;
        Ok(last)
    }

    async fn begin_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.on.db.begin().await?;
        store::begin_settling(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn end_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.on.db.begin().await?;
        store::note_settled(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn begin_closing_once(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.on.db.begin().await?;
        store::begin_closing(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn close_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.on.db.begin().await?;
        store::close(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn note_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<bool, DbError> {
        let tx = self.on.db.begin().await?;
        let noted = store::note_precheck(&tx, bridge, now).await?;
        tx.commit().await?;
        Ok(noted)
    }
}

/// What the activity log says about a player's keys.
fn told(bridge: &Bridge, holder: &KeyHolder) -> (UserId, Value) {
    let meta = json!({
        "bridge_id": bridge.id,
        "keys": holder.keys,
        "points": holder.pending_points,
    });
    (holder.user_id, meta)
}

#[async_trait]
impl SettlementService for Settlement {
    async fn find(&self, bridge: Option<BridgeId>) -> Result<Bridge, BridgeError> {
        if let Some(bridge) = bridge {
            return self.known(bridge).await;
        }
        let bridges = store::bridges(self.on.db.read()).await?;
        let mut open = bridges.into_iter();
        let open = open.find(|bridge| bridge.state != BridgeState::Closed);
        open.ok_or(BridgeError::NotFound)
    }

    async fn certificate(&self, bridge: BridgeId) -> Result<Certificate, BridgeError> {
        let bridge = self.known(bridge).await?;
        Ok(Certificate::of(&self.on.db, &bridge).await?)
    }

    async fn settle(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Run, BridgeError> {
        let bridge = self.settleable(bridge, now).await?;
        let mut run = Run::default();
        if bridge.state == BridgeState::Closed {
            return Ok(run);
        }
        retry(|| self.begin_once(bridge.id, now)).await?;
        // From here on its terms stay as they are; an edit may just have changed them.
        let bridge = self.settleable(bridge.id, now).await?;
        let mut after = UserId(0);
        loop {
            let chunk = retry(|| self.pay_chunk(&bridge, after, chunk.max(1), now)).await?;
            let Some(next) = chunk.next else {
                break;
            };
            after = next;
            run.paid += chunk.paid;
            run.points += chunk.points;
            run.chunks += u64::from(chunk.paid > 0);
            progress(run.paid);
        }
        retry(|| self.end_once(bridge.id, now)).await?;
        Ok(run)
    }

    async fn close(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Certificate, BridgeError> {
        let bridge = self.settleable(bridge, now).await?;
        if bridge.state != BridgeState::Closed {
            // Nobody who may be paid loses it to the closing.
            self.settle(bridge.id, chunk, now, &|_| ()).await?;
            retry(|| self.begin_closing_once(bridge.id, now)).await?;
            let mut after = Some(UserId(0));
            while let Some(from) = after {
                after = retry(|| self.expire_chunk(&bridge, from, chunk.max(1), now)).await?;
            }
            retry(|| self.close_once(bridge.id, now)).await?;
        }
        self.certificate(bridge.id).await
    }

    async fn give_key(
        &self,
        gift: &KeyGift,
        dry_run: bool,
        now: DateTime<Utc>,
    ) -> Result<KeyGiven, BridgeError> {
        keys::give(self, gift, dry_run, None, now).await
    }

    async fn due(&self, now: DateTime<Utc>) -> Result<Option<Due>, BridgeError> {
        let bridge = match self.find(None).await {
            Ok(bridge) => bridge,
            Err(BridgeError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let settle_on = bridge.rules.settle_on;
        let settles_at = rules::settles_at(settle_on);
        // A run by hand in the first minutes of the day may have missed who was still acting.
        let is_settled = bridge.settled_at.is_some_and(|at| at >= settles_at);
        // Held by an operator, a bridge is neither settled nor closed by itself.
        if now >= settles_at && bridge.rules.auto_settle {
            if !is_settled {
                return Ok(Some(Due::Settle(bridge.id)));
            }
            let served_until = self.on.seasons.served_until(bridge.rules.season_id).await;
            let served_until = served_until.map_err(|error| match error {
                SeasonError::Db(error) => error,
                other => DbError::Corrupt(other.to_string()),
            })?;
            // A season that was switched off must not hold up the next year's bridge.
            let last = served_until.unwrap_or(settle_on.plus_days(USUAL_GRACE));
            if EventDay::of(now) > last {
                return Ok(Some(Due::Close(bridge.id)));
            }
        }
        let is_evening = (rules::prechecks_at(settle_on)..settles_at).contains(&now);
        if is_evening && bridge.prechecked_at.is_none() {
            return Ok(Some(Due::Precheck(bridge.id)));
        }
        Ok(None)
    }

    async fn note_precheck(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<bool, BridgeError> {
        Ok(retry(|| self.note_once(bridge, now)).await?)
    }
}
