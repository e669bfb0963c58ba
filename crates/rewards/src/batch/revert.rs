//! Taking a batch back. The revert of a batch is a batch too, with a plan of its own: whatever the other
//! one has done. One that is still being done is stopped first, in a transaction of its own, which waits
//! for the chunk that is at work; from then on its plan is done no further, whoever goes on with it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xmas_kernel::{
    BatchId,
    audit::{self, Actor},
    db::{DbError, retry_repeatable},
    idempotency::{Replayable, RequestKey, once},
    text::Lines,
};
use xmas_players::Inactive;

use super::{
    Batches, audit_in_tx,
    model::{Batch, BatchRef, BatchReport, BatchState, Reverted},
    plan::Plan,
    store, there_and_not, unless_another,
};
use crate::{BatchError, OrderKind};

/// What takes back what a batch of this kind has done.
fn opposite(kind: OrderKind) -> OrderKind {
    if kind.takes() {
        OrderKind::Grant
    } else {
        OrderKind::Revoke
    }
}

impl Batches {
    /// The batch to be taken back, and the one that takes it back, if that is registered.
    async fn revertible(&self, which: &BatchRef) -> Result<(Batch, Option<Batch>), BatchError> {
        let batch = self.find_meant(which).await?;
        if let Some(of) = batch.reverts {
            return Err(BatchError::IsRevert { of });
        }
        let revert = store::find_revert_of(self.db.read(), batch.id).await?;
        Ok((batch, revert))
    }

    /// What [`Batches::revert`] would do now, or what became of it. Changes nothing.
    pub async fn preview_revert(
        &self,
        which: &BatchRef,
        reason: &str,
    ) -> Result<Replayable<BatchReport>, BatchError> {
        checked(reason)?;
        let (batch, revert) = self.revertible(which).await?;
        if let Some(revert) = revert {
            return Ok(self.report_again(revert).await?);
        }
        let conn = self.db.read();
        let kind = opposite(batch.kind);
        let items = store::done_items(conn, batch.id).await?;
        let plan = Plan::back(conn, kind, items).await?;
        let report = self.report_of_plan(kind, plan).await?;
        Ok(Replayable::fresh(BatchReport {
            reverts: Some(self.reverted(batch.id).await?),
            ..report
        }))
    }

    /// Takes back what a batch has given, as far as the players still have it, or gives back what it has
    /// taken; a batch that is open is stopped first. Once per batch, and as a batch of its own: it too may
    /// be killed anywhere and asked for again, by several at once. The reason has 1 to 191 characters.
    pub async fn revert(
        &self,
        actor: &Actor,
        which: &BatchRef,
        reason: &str,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError> {
        let actor = Actor {
            reason: Some(checked(reason)?),
            ..actor.clone()
        };
        let mut made = None;
        let work = async {
            let report = self.revert_now(&actor, which, now).await?;
            let revert = report.result.batch.as_ref();
            let id = revert.ok_or(BatchError::NotFound)?.id;
            made = Some(report);
            Ok::<BatchId, BatchError>(id)
        };
        let done = once(&self.db, (actor.user_id, request), now, work).await?;
        match made {
            Some(report) if !done.replayed => Ok(report),
            // Reports show names, so that they are read and never stored.
            _ => {
                let revert = store::find(self.db.read(), done.result).await?;
                self.report_again(revert.ok_or(BatchError::NotFound)?)
                    .await
                    .map_err(Into::into)
            }
        }
    }

    /// Takes a batch back, or says what became of that.
    async fn revert_now(
        &self,
        actor: &Actor,
        which: &BatchRef,
        now: DateTime<Utc>,
    ) -> Result<Replayable<BatchReport>, BatchError> {
        let (batch, revert) = self.revertible(which).await?;
        let revert = match revert {
            Some(revert) => revert,
            None => self.register_revert(actor, &batch, now).await?,
        };
        // What was done by mistake is undone for everybody but those whom nothing reaches.
        let what = (revert, Inactive::Reached);
        self.do_to_the_end(actor, what, now).await
    }

    /// Stops the batch if it is open, and registers what takes it back, unless somebody else is faster.
    async fn register_revert(
        &self,
        actor: &Actor,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Batch, BatchError> {
        retry_repeatable(|| self.stop_once(actor, batch, now)).await?;
        let registered = retry_repeatable(async || {
            unless_another(self.register_revert_once(actor, batch, now).await)
        });
        match registered.await? {
            Some(revert) => Ok(revert),
            None => {
                let faster = store::find_revert_of(self.db.read(), batch.id).await?;
                faster.ok_or_else(there_and_not)
            }
        }
    }

    /// Once this is committed, nothing more of the batch is done.
    async fn stop_once(
        &self,
        actor: &Actor,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.db.begin().await?;
        if !store::end(&tx, batch.id, BatchState::Stopped, now).await? {
            return Ok(());
        }
        let tally = store::tally(&*tx, batch.id).await?;
        let before = json!({ "state": BatchState::Open.as_str() });
        let after = json!({
            "state": BatchState::Stopped.as_str(),
            "kind": batch.kind,
            "done": tally.done,
            "left": tally.left,
        });
        audit_in_tx(&tx, actor, ("BATCH_STOP", before, after), batch, now).await?;
        tx.commit().await
    }

    async fn register_revert_once(
        &self,
        actor: &Actor,
        batch: &Batch,
        now: DateTime<Utc>,
    ) -> Result<Batch, DbError> {
        let tx = self.db.begin().await?;
        let request = RequestKey::own(&format!("revert:{}", batch.id));
        let what = (opposite(batch.kind), Some(batch.id));
        let revert = store::insert(&tx, &request, what, actor, now).await?;
        store::plan_back(&tx, revert.id, batch.id).await?;
        let all = store::tally(&*tx, revert.id).await?.all;
        let after = json!({
            "kind": revert.kind,
            "players": all.players,
            "totals": all.totals,
            "reverts": { "id": batch.id, "batch_id": batch.key },
        });
        let created = ("BATCH_CREATE", Value::Null, after);
        audit_in_tx(&tx, actor, created, &revert, now).await?;
        tx.commit().await?;
        Ok(revert)
    }

    /// What a revert says about the batch that it takes back.
    pub(super) async fn reverted(&self, id: BatchId) -> Result<Reverted, DbError> {
        let left = store::tally(self.db.read(), id).await?.left;
        Ok(Reverted { id, left })
    }
}

fn checked(reason: &str) -> Result<String, BatchError> {
    audit::required_reason(reason, Lines::Several).map_err(BatchError::Invalid)
}
