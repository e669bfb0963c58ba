//! Tokens and points of many players, changed under one name (docs/rules.md, "Wallet and rewards").
//!
//! A batch is registered with everything that it plans, in one transaction; then its items are done in
//! chunks, each in a transaction of its own that holds the batch first and locks the chunk's players then.
//! Whoever finds it unfinished, because a process was killed or because somebody else is at it, goes on with
//! what is left: an item is done under the lock of its player, and only if it is still planned and the batch
//! is still open.

mod model;
mod plan;
mod recipients;
mod revert;
mod store;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_kernel::{
    Asset, BatchId, UserId,
    audit::{self, Actor, Change},
    db::{Db, DbError, retry_repeatable},
    idempotency::{Replayable, RequestKey},
    paging::{Cursor, Limit, Page},
};
use xmas_players::{Inactive, lock_recipients_in_tx, players_by_id};

pub use model::{
    Batch, BatchLine, BatchOrders, BatchRef, BatchReport, BatchState, BatchSummary, BatchTally,
    NewBatch, Refusal, Reverted, ShortWallet, Tally,
};
pub use recipients::{RecipientFilter, Recipients};

use self::{plan::Plan, store::Item};
use crate::{
    BatchError, OrderKind,
    bulk::{self, Move, Moved, ROWS_AT_ONCE},
    constraints,
};

/// Orders about many players under one name, in the ledger and the audit log as well.
#[derive(Clone)]
pub struct Batches {
    db: Db,
    recipients: Arc<dyn Recipients>,
    chunk: u64,
}

/// How many wallets that hold too little are shown one by one.
const SHOWN: u64 = 100;

impl Batches {
    pub fn new(db: Db, recipients: Arc<dyn Recipients>) -> Self {
        Self {
            db,
            recipients,
            chunk: ROWS_AT_ONCE as u64,
        }
    }

    /// Does so many items in one transaction, at least 1 and at most as many as usual.
    #[must_use]
    pub fn in_chunks_of(self, items: u64) -> Self {
        Self {
            chunk: items.clamp(1, ROWS_AT_ONCE as u64),
            ..self
        }
    }

    /// The batch that this request made, if it has made one. Another request's is an error.
    async fn registered(&self, request: &RequestKey) -> Result<Option<Batch>, BatchError> {
        match store::find_by_key(self.db.read(), request.as_str()).await? {
            Some((batch, other)) if other != request.fingerprint() => {
                Err(BatchError::KeyReused(Box::new(batch)))
            }
            Some((batch, _)) => Ok(Some(batch)),
            None => Ok(None),
        }
    }

    /// The batch that an operator means.
    async fn find_meant(&self, which: &BatchRef) -> Result<Batch, BatchError> {
        let conn = self.db.read();
        let (id, key) = match which {
            BatchRef::Id(id) => (Some(*id), None),
            BatchRef::Key(key) => (None, Some(key)),
            BatchRef::Either(id, key) => (Some(*id), Some(key)),
        };
        let by_id = match id {
            Some(id) => store::find(conn, id).await?,
            None => None,
        };
        let by_key = match key {
            Some(key) => store::find_by_key(conn, key).await?,
            None => None,
        };
        match (by_id, by_key) {
            (Some(one), Some((other, _))) if one.id != other.id => Err(BatchError::Ambiguous {
                by_id: one.id,
                by_name: other.id,
            }),
            (Some(batch), _) | (None, Some((batch, _))) => Ok(batch),
            (None, None) => Err(BatchError::NotFound),
        }
    }

    async fn register_once(
        &self,
        actor: &Actor,
        request: &RequestKey,
        (batch, plan): (&NewBatch, &Plan),
        now: DateTime<Utc>,
    ) -> Result<Batch, DbError> {
        let tx = self.db.begin().await?;
        let batch = store::insert(&tx, request, (batch.kind, None), actor, now).await?;
        store::plan(&tx, batch.id, &plan.items).await?;
        let all = plan.tally().all;
        let after = json!({
            "kind": batch.kind,
            "players": all.players,
            "totals": all.totals,
        });
        audit_in_tx(
            &tx,
            actor,
            ("BATCH_CREATE", Value::Null, after),
            &batch,
            now,
        )
        .await?;
        tx.commit().await?;
        Ok(batch)
    }

    /// Registers a batch, unless somebody else with the same request is faster.
    async fn register(
        &self,
        actor: &Actor,
        request: &RequestKey,
        batch: &NewBatch,
        now: DateTime<Utc>,
    ) -> Result<Batch, BatchError> {
        let plan = Plan::of(self.db.read(), &*self.recipients, batch).await?;
        plan.check()?;
        let registered = retry_repeatable(async || {
            let registered = self
                .register_once(actor, request, (batch, &plan), now)
                .await;
            unless_another(registered)
        });
        match registered.await? {
            Some(batch) => Ok(batch),
            None => {
                let faster = self.registered(request).await?;
                faster.ok_or_else(there_and_not)
            }
        }
    }

    /// Does the next items; `false` if none is left.
    async fn do_chunk(
        &self,
        batch: &Batch,
        inactive: Inactive,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        let tx = self.db.begin().await?;
        // Before the players: whoever waits for the batch holds up no player meanwhile.
        if !store::hold_open(&tx, batch.id).await? {
            return Ok(false);
        }
        let items = store::next_items(&tx, batch.id, self.chunk).await?;
        if items.is_empty() {
            return Ok(false);
        }
        let mut players: Vec<UserId> = items.iter().map(|item| item.user_id).collect();
        players.dedup();
        let out_of_reach = lock_recipients_in_tx(&tx, &players, inactive).await?;
        let mut by_asset: BTreeMap<Asset, Vec<Item>> = BTreeMap::new();
        for item in items {
            by_asset.entry(item.asset).or_default().push(item);
        }
        let reference = batch.reference();
        for (asset, items) in by_asset {
            let mut moved = amounts(&tx, batch, asset, items).await?;
            for (item, amount) in &mut moved {
                if out_of_reach.contains(&item.user_id) {
                    *amount = 0;
                }
            }
            let moves = moved.iter().filter(|(_, amount)| *amount > 0);
            let moves = moves.map(|(item, amount)| Move {
                user_id: item.user_id,
                delta: batch.kind.delta(*amount),
                reference: &reference,
            });
            let moves: Vec<Move<'_>> = moves.collect();
            let common = Moved {
                asset,
                reason: batch.kind.ledger_reason(),
                actor: &batch.actor,
            };
            let short = bulk::move_many(&tx, &moves, &common, now).await?;
            for (item, amount) in &mut moved {
                if short.contains(&item.user_id) {
                    *amount = 0;
                }
            }
            store::end_items(&tx, batch.id, asset, &moved).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Notes that nothing is left to do, and says so in the audit log, once.
    async fn finish_once(
        &self,
        actor: &Actor,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.db.begin().await?;
        if !store::end(&tx, batch.id, BatchState::Done, now).await? {
            return Ok(());
        }
        let tally = store::tally(&*tx, batch.id).await?;
        let before = json!({ "state": BatchState::Open.as_str() });
        let after = json!({
            "state": BatchState::Done.as_str(),
            "kind": batch.kind,
            "done": tally.done,
            "short": tally.short,
        });
        audit_in_tx(&tx, actor, ("BATCH_DONE", before, after), batch, now).await?;
        tx.commit().await
    }

    /// Does what is left of a registered batch, or says that there is nothing left.
    async fn do_to_the_end(
        &self,
        actor: &Actor,
        (batch, inactive): (Batch, Inactive),
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError> {
        if batch.state != BatchState::Open {
            return Ok(self.report_again(batch).await?);
        }
        while retry_repeatable(|| self.do_chunk(&batch, inactive, now)).await? {}
        retry_repeatable(|| self.finish_once(actor, &batch, now)).await?;
        let batch = store::find(self.db.read(), batch.id).await?;
        let batch = batch.ok_or(BatchError::NotFound)?;
        Ok(Replayable::fresh(self.report(batch).await?))
    }

    /// What became of a batch that an earlier request has registered: if it is open, there is still something
    /// to do.
    async fn report_again(&self, batch: Batch) -> Result<Replayable<BatchReport>, DbError> {
        let replayed = batch.state != BatchState::Open;
        let result = self.report(batch).await?;
        Ok(Replayable { result, replayed })
    }

    async fn report(&self, batch: Batch) -> Result<BatchReport, DbError> {
        let conn = self.db.read();
        let items = store::short_items(conn, batch.id, SHOWN).await?;
        let mut short = Vec::with_capacity(items.len());
        for asset in Asset::ALL {
            let items = items.iter().filter(|(item, _)| item.asset == asset);
            let players = items.clone().map(|(item, _)| item.user_id);
            let balances = crate::store::balances_of(conn, asset, players).await?;
            short.extend(items.map(|(item, moved)| ShortWallet {
                user_id: item.user_id,
                external_id: String::new(),
                asset,
                amount: item.amount,
                moved: *moved,
                balance: balances.get(&item.user_id).copied().unwrap_or(0),
            }));
        }
        self.fill_in_names(&mut short).await?;
        let reverts = match batch.reverts {
            Some(reverts) => Some(self.reverted(reverts).await?),
            None => None,
        };
        Ok(BatchReport {
            kind: batch.kind,
            tally: store::tally(conn, batch.id).await?,
            batch: Some(batch),
            short,
            refused: Vec::new(),
            reverts,
        })
    }

    async fn report_of_plan(&self, kind: OrderKind, plan: Plan) -> Result<BatchReport, DbError> {
        let mut short = plan.short(usize::try_from(SHOWN).unwrap_or(usize::MAX));
        self.fill_in_names(&mut short).await?;
        Ok(BatchReport {
            batch: None,
            kind,
            tally: plan.tally(),
            short,
            refused: plan.refused,
            reverts: None,
        })
    }

    /// Looks up the external ids of the players.
    async fn fill_in_names(&self, short: &mut [ShortWallet]) -> Result<(), DbError> {
        let players: Vec<UserId> = short.iter().map(|wallet| wallet.user_id).collect();
        let names = players_by_id(self.db.read(), &players).await?;
        for wallet in short {
            if let Some(player) = names.get(&wallet.user_id) {
                wallet.external_id.clone_from(&player.external_id);
            }
        }
        Ok(())
    }
}

/// How much of each item of one asset is to be moved, whose players are locked: all of it, or else as much as
/// is there.
async fn amounts(
    tx: &DatabaseTransaction,
    batch: &Batch,
    asset: Asset,
    items: Vec<Item>,
) -> Result<Vec<(Item, i64)>, DbError> {
    if !batch.takes_what_is_there() {
        return Ok(items.into_iter().map(|item| (item, item.amount)).collect());
    }
    let players = items.iter().map(|item| item.user_id);
    let balances = crate::store::lock_balances_of(tx, asset, players).await?;
    let held = |player| balances.get(&player).copied().unwrap_or(0);
    let amount = |item: Item| (item, item.amount.min(held(item.user_id)));
    Ok(items.into_iter().map(amount).collect())
}

async fn audit_in_tx(
    tx: &DatabaseTransaction,
    actor: &Actor,
    (action, before, after): (&'static str, Value, Value),
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = Change {
        action,
        resource: &batch.reference(),
        before,
        after,
    };
    audit::write_in_tx(tx, actor, change, now).await
}

impl Batches {
    /// What [`Batches::run`] would do, or what became of it if it has run. Changes nothing.
    pub async fn preview(&self, batch: &NewBatch) -> Result<Replayable<BatchReport>, BatchError> {
        if let Some(request) = &batch.request
            && let Some(registered) = self.registered(request).await?
        {
            return Ok(self.report_again(registered).await?);
        }
        let plan = Plan::of(self.db.read(), &*self.recipients, batch).await?;
        let report = self.report_of_plan(batch.kind, plan).await?;
        Ok(Replayable::fresh(report))
    }

    /// Registers a batch and does it, or does what is left of it, or says that it is done or was stopped.
    /// It may be killed anywhere and asked for again, by several at once: every item is done once.
    pub async fn run(
        &self,
        actor: &Actor,
        batch: &NewBatch,
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError> {
        let request = batch.request.as_ref().ok_or(BatchError::Unnamed)?;
        let registered = match self.registered(request).await? {
            Some(earlier) => earlier,
            None => self.register(actor, request, batch, now).await?,
        };
        let what = (registered, batch.inactive());
        self.do_to_the_end(actor, what, now).await
    }

    /// Registered batches, newest first; only the one of this name, if one is given.
    pub async fn batches(
        &self,
        key: Option<&str>,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<BatchSummary>, DbError> {
        let page = store::page(self.db.read(), key, limit, before).await?;
        let ids: Vec<BatchId> = page.items.iter().map(|batch| batch.id).collect();
        let mut tallies = store::tallies(self.db.read(), &ids).await?;
        let summary = |batch: Batch| BatchSummary {
            tally: tallies.remove(&batch.id).unwrap_or_default(),
            batch,
        };
        Ok(Page {
            items: page.items.into_iter().map(summary).collect(),
            next: page.next,
        })
    }

    /// What became of a registered batch.
    pub async fn batch(&self, which: &BatchRef) -> Result<BatchReport, BatchError> {
        let batch = self.find_meant(which).await?;
        Ok(self.report(batch).await?)
    }
}

/// What a database says that refuses a batch as one that it does not have.
fn there_and_not() -> BatchError {
    DbError::Corrupt("a batch is there and is not".to_owned()).into()
}

/// `None` if somebody else has registered the batch, or the revert, that was to be registered.
fn unless_another(registered: Result<Batch, DbError>) -> Result<Option<Batch>, DbError> {
    match registered {
        Err(error)
            if error.violates(&constraints::BATCH_KEY)
                || error.violates(&constraints::BATCH_REVERTS) =>
        {
            Ok(None)
        }
        registered => registered.map(Some),
    }
}
