use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_activity::{EventKind, EventWriter};
use xmas_kernel::{
    BridgeId, UserId,
    db::{Db, DbError, retry, retry_repeatable},
};
use xmas_players::{
    Held, KeyHolder, complete_keys_many_in_tx, expire_keys_many_in_tx, lock_key_holders_in_tx,
};
use xmas_rewards::{GrantSource, PointGrant, PointOccasion, RewardLedger};
use xmas_season_pass::{SeasonError, SeasonPassService};
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeError, BridgeState, Certificate, KeyAwarder, Run, certificate::Progress,
    events::holder_meta, rules, store,
};

/// The bridge for operators: from the command line, the admin API, and by itself.
#[derive(Clone)]
pub struct Settlement {
    pub(crate) options: Arc<SettlementOptions>,
}

/// What a settlement works with.
pub struct SettlementOptions {
    pub db: Db,
    pub ledger: Arc<dyn RewardLedger>,
    pub seasons: Arc<dyn SeasonPassService>,
    pub awarder: KeyAwarder,
}

/// A job that the bridge waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// From 23:00 KST of the evening before the settlement.
    Precheck(BridgeId),
    /// From 00:10 KST of `settle_on`, if the bridge settles by itself.
    Settle(BridgeId),
    /// Once the season's grace days are over.
    Close(BridgeId),
}

/// What players read on the receipt of their payment.
const LABEL: &str = "시즌 브릿지 정산 포인트";
/// How long after the settlement a bridge is closed if its season says nothing, in days.
const USUAL_GRACE: u32 = 7;

/// What becomes of those in a chunk who are not paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    /// They keep what they have, for a later run.
    Wait,
    /// They lose it: the bridge is closed.
    Expire,
}

/// What one chunk of a settlement did.
#[derive(Debug, Default)]
struct Chunk {
    /// Where the next one begins; `None` once nobody is left.
    next: Option<UserId>,
    paid: u64,
    points: i64,
}

impl Settlement {
    pub fn new(options: SettlementOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }

    pub(crate) async fn find_by_id(&self, bridge: BridgeId) -> Result<Bridge, BridgeError> {
        let bridges = store::bridges(self.options.db.read()).await?;
        let found = bridges.into_iter().find(|other| other.id == bridge);
        found.ok_or(BridgeError::NotFound)
    }

    /// The bridge that is not closed.
    pub(crate) async fn open(&self) -> Result<Bridge, BridgeError> {
        let mut bridges = store::bridges(self.options.db.read()).await?.into_iter();
        let open = bridges.find(|bridge| bridge.state != BridgeState::Closed);
        open.ok_or(BridgeError::NotFound)
    }

    /// The bridge, if it may be settled now.
    async fn settleable(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<Bridge, BridgeError> {
        let bridge = self.find_by_id(bridge).await?;
        if EventDay::of(now) < bridge.rules.settle_on {
            return Err(BridgeError::NotDue);
        }
        Ok(bridge)
    }

    /// Pays those of the next players after `after` who may be paid, and does to the others what is
    /// said, all in one transaction. Whoever may be paid when it has their lock is paid: also a player
    /// who was given a key or was let back in after an earlier run had passed by.
    async fn do_chunk(
        &self,
        bridge: &Bridge,
        others: Others,
        after: UserId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Chunk, DbError> {
        let tx = self.options.db.begin().await?;
        let keys_required = bridge.rules.keys_required;
        let held = match others {
            Others::Wait => Held::Keys(keys_required),
            Others::Expire => Held::Anything,
        };
        let holders = lock_key_holders_in_tx(&tx, held, after, chunk).await?;
        let Some(last) = holders.last() else {
            return Ok(Chunk::default());
        };
        // Closed by somebody else meanwhile, and these keys may be those of the next bridge.
        if store::lock(&tx, bridge.id).await?.is_closed() {
            return Ok(Chunk::default());
        }
        let may_be_paid = |holder: &KeyHolder| holder.is_active && holder.keys >= keys_required;
        let payable = holders.iter().copied().filter(may_be_paid);
        let paid = self.pay_in_tx(&tx, bridge, payable.collect(), now).await?;
        if others == Others::Expire {
            let is_paid =
                |holder: &KeyHolder| paid.iter().any(|paid| paid.user_id == holder.user_id);
            let rest = holders.iter().copied().filter(|holder| !is_paid(holder));
            expire_in_tx(&tx, bridge, rest.collect(), now).await?;
        }
        tx.commit().await?;
        Ok(Chunk {
            next: Some(last.user_id),
            paid: paid.len() as u64,
            points: paid.iter().map(|holder| holder.pending_points).sum(),
        })
    }

    /// Pays players whom the caller has locked, and returns those who had not been paid before.
    async fn pay_in_tx(
        &self,
        tx: &DatabaseTransaction,
        bridge: &Bridge,
        mut holders: Vec<KeyHolder>,
        now: DateTime<Utc>,
    ) -> Result<Vec<KeyHolder>, DbError> {
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
        let ledger = &self.options.ledger;
        let paid = ledger.grant_points_many_in_tx(tx, &grants, &occasion, now);
        let paid = paid.await?;
        holders.retain(|holder| paid.binary_search(&holder.user_id).is_ok());
        if !paid.is_empty() {
            record_in_tx(tx, EventKind::BridgeSettled, bridge, &holders, now).await?;
            complete_keys_many_in_tx(tx, &paid, now).await?;
        }
        Ok(holders)
    }

    /// Does one chunk after the other until nobody is left.
    async fn do_all(
        &self,
        bridge: &Bridge,
        others: Others,
        chunk: u64,
        now: DateTime<Utc>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Run, DbError> {
        let mut run = Run::default();
        let mut after = UserId(0);
        loop {
            let done = retry_repeatable(|| self.do_chunk(bridge, others, after, chunk.max(1), now))
                .await?;
            let Some(next) = done.next else {
                return Ok(run);
            };
            after = next;
            run.paid += done.paid;
            run.points += done.points;
            run.chunks += u64::from(done.paid > 0);
            progress(run.paid);
        }
    }

    async fn begin_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        store::begin_settling(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn end_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        store::note_settled(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn begin_closing_once(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        store::begin_closing(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn close_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        store::close(&tx, bridge, now).await?;
        tx.commit().await
    }

    async fn note_once(&self, bridge: BridgeId, now: DateTime<Utc>) -> Result<bool, DbError> {
        let tx = self.options.db.begin().await?;
        let noted = store::note_precheck(&tx, bridge, now).await?;
        tx.commit().await?;
        Ok(noted)
    }
}

/// Takes what is left of players whom the caller has locked.
async fn expire_in_tx(
    tx: &DatabaseTransaction,
    bridge: &Bridge,
    holders: Vec<KeyHolder>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if holders.is_empty() {
        return Ok(());
    }
    record_in_tx(tx, EventKind::BridgeExpired, bridge, &holders, now).await?;
    let ids: Vec<UserId> = holders.iter().map(|holder| holder.user_id).collect();
    expire_keys_many_in_tx(tx, &ids, now).await
}

/// Writes activity rows about players' keys.
async fn record_in_tx(
    tx: &DatabaseTransaction,
    kind: EventKind,
    bridge: &Bridge,
    holders: &[KeyHolder],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let event = |holder: &KeyHolder| (holder.user_id, holder_meta(bridge.id, holder));
    let events = holders.iter().map(event).collect();
    EventWriter.write_many_in_tx(tx, kind, events, now).await
}

impl Settlement {
    /// The bridge with this id, or the one that is not closed.
    pub async fn find(&self, bridge: Option<BridgeId>) -> Result<Bridge, BridgeError> {
        if let Some(bridge) = bridge {
            return self.find_by_id(bridge).await;
        }
        self.open().await
    }

    /// What the database says about a settlement: who was paid, who is not and why.
    pub async fn certificate(&self, bridge: BridgeId) -> Result<Certificate, BridgeError> {
        let bridge = self.find_by_id(bridge).await?;
        Ok(Certificate::of(&self.options.db, &bridge).await?)
    }

    /// Pays everybody who may be paid, in chunks; any number of processes at once, and again.
    /// `progress` hears how many players this run has paid so far.
    pub async fn settle(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Run, BridgeError> {
        let bridge = self.settleable(bridge, now).await?;
        if bridge.state == BridgeState::Closed {
            return Ok(Run::default());
        }
        retry_repeatable(|| self.begin_once(bridge.id, now)).await?;
        // From here on its terms stay as they are; an edit may just have changed them.
        let bridge = self.settleable(bridge.id, now).await?;
        let run = self
            .do_all(&bridge, Others::Wait, chunk, now, progress)
            .await?;
        retry_repeatable(|| self.end_once(bridge.id, now)).await?;
        Ok(run)
    }

    /// Pays everybody who may be paid, and then takes what is left of all others. Not before 00:10 KST of
    /// `settle_on`, when no action of the last day can still be under way.
    pub async fn close(
        &self,
        bridge: BridgeId,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Certificate, BridgeError> {
        let bridge = self.settleable(bridge, now).await?;
        if now < rules::settles_at(bridge.rules.settle_on) {
            return Err(BridgeError::NotDue);
        }
        if bridge.state != BridgeState::Closed {
            self.settle(bridge.id, chunk, now, &|_| ()).await?;
            retry_repeatable(|| self.begin_closing_once(bridge.id, now)).await?;
            let bridge = self.find_by_id(bridge.id).await?;
            self.do_all(&bridge, Others::Expire, chunk, now, &|_| ())
                .await?;
            retry_repeatable(|| self.close_once(bridge.id, now)).await?;
        }
        self.certificate(bridge.id).await
    }

    /// What is due now: the pre-check of the evening before, the settlement, the closing.
    pub async fn due(&self, now: DateTime<Utc>) -> Result<Option<Due>, BridgeError> {
        let bridge = match self.find(None).await {
            Ok(bridge) => bridge,
            Err(BridgeError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let settle_on = bridge.rules.settle_on;
        let settles_at = rules::settles_at(settle_on);
        // Held by an operator, a bridge is neither settled nor closed by itself.
        if now >= settles_at && bridge.rules.auto_settle {
            if !rules::is_settled(&bridge) {
                return Ok(Some(Due::Settle(bridge.id)));
            }
            let served_until = self
                .options
                .seasons
                .served_until(bridge.rules.season_id)
                .await;
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

    /// How far the settlement of the open bridge is, from the evening before on.
    pub async fn progress(&self, now: DateTime<Utc>) -> Result<Option<Progress>, BridgeError> {
        let bridge = match self.find(None).await {
            Ok(bridge) => bridge,
            Err(BridgeError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        if now < rules::prechecks_at(bridge.rules.settle_on) {
            return Ok(None);
        }
        Ok(Some(Progress::of(&self.options.db, &bridge, now).await?))
    }

    /// Notes that the pre-check was made; `false` if it had been.
    pub async fn note_precheck(
        &self,
        bridge: BridgeId,
        now: DateTime<Utc>,
    ) -> Result<bool, BridgeError> {
        Ok(retry(|| self.note_once(bridge, now)).await?)
    }
}
