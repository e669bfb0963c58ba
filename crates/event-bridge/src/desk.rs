use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_kernel::{
    BridgeId, Problem,
    audit::{self, Actor, Area, Change},
    db::{DbError, retry},
    idempotency::{Replayable, RequestKey, once},
    version,
};
use xmas_players::key_histogram;
use xmas_season_pass::{days_of, has_key_stamps};
use xmas_texts::bridge as texts;
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeEdit, BridgeError, BridgeState, Certificate, KeyCount, NewBridge, Run,
    Settlement, rules, store,
};

/// What only one operator at a time edits: bridges.
pub(crate) const BRIDGE: Area = Area::new("BRIDGE");

/// A bridge as operators see it.
#[derive(Clone, Debug)]
pub struct BridgeView {
    pub bridge: Bridge,
    /// Who holds how many keys; of a closed bridge nobody.
    pub holders: Vec<KeyCount>,
    pub certificate: Certificate,
}

/// Names a bridge in the audit log.
pub(crate) fn resource(bridge: BridgeId) -> String {
    format!("event-bridge:{bridge}")
}

impl Settlement {
    /// The bridge with this id; without one the one that is not closed, or else the last one.
    async fn shown(&self, bridge: Option<BridgeId>) -> Result<Bridge, BridgeError> {
        let bridges = store::bridges(self.options.db.read()).await?;
        let open = bridges
            .iter()
            .find(|bridge| bridge.state != BridgeState::Closed)
            .or(bridges.first());
        let found = match bridge {
            Some(id) => bridges.iter().find(|other| other.id == id),
            None => open,
        };
        found.cloned().ok_or(BridgeError::NotFound)
    }

    async fn save_once(
        &self,
        actor: &Actor,
        edit: &BridgeEdit,
        now: DateTime<Utc>,
    ) -> Result<BridgeId, BridgeError> {
        let tx = self.options.db.begin().await?;
        // So does an edit of a season, whose days hold those of the bridge (`BridgeWarden`).
        audit::enter_in_tx(&tx, BRIDGE).await?;
        let mut before = open_bridge(&tx).await?;
        if let Some(seen) = &before {
            store::lock(&tx, seen.id).await?;
            before = open_bridge(&tx).await?;
        }
        let season_id = before.as_ref().map(|before| before.rules.season_id);
        let season_id = season_id.or(edit.season_id);
        let Some(season_id) = season_id else {
            return Err(BridgeError::NotFound);
        };
        if edit.season_id.is_some_and(|named| named != season_id) {
            return Err(BridgeError::Conflict);
        }
        let season = days_of(&*tx, season_id).await?;
        let season = season.ok_or(BridgeError::UnknownSeason)?;
        let rules_before = before.as_ref().map(|before| &before.rules);
        let (after, mut problems) = rules::edited(rules_before, season_id, edit);
        if let Some(before) = &before {
            version::expect(edit.seen.as_ref(), &before.version())?;
            // An edit that changes nothing leaves no trace.
            if problems.is_empty() && after == before.rules {
                return Ok(before.id);
            }
        }
        if problems.is_empty() {
            problems.extend(rules::check(&after, season));
        }
        let states = (before.as_ref(), &after);
        let id = save_in_tx(&tx, Some(actor), states, problems, now).await?;
        tx.commit().await?;
        self.options.awarder.bridges.drop_all();
        Ok(id)
    }

    async fn audit_once(
        &self,
        actor: &Actor,
        action: &'static str,
        bridge: BridgeId,
        after: &Value,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let tx = self.options.db.begin().await?;
        let change = Change {
            action,
            resource: &resource(bridge),
            before: Value::Null,
            after: after.clone(),
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        tx.commit().await
    }

    /// Writes to the audit log what work in many transactions is about to do, or has done.
    async fn audit(
        &self,
        actor: &Actor,
        action: &'static str,
        bridge: BridgeId,
        after: Value,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        retry(|| self.audit_once(actor, action, bridge, &after, now)).await
    }
}

/// Saves a bridge that keeps its rules, or else what is wrong with it, and writes it to the audit log. What is there is
/// locked.
pub(crate) async fn save_in_tx(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    (before, after): (Option<&Bridge>, &NewBridge),
    mut problems: Vec<Problem>,
    now: DateTime<Utc>,
) -> Result<BridgeId, BridgeError> {
    if let Some(before) = before {
        problems.extend(too_late(tx, before, after, now).await?);
    }
    if !problems.is_empty() {
        return Err(BridgeError::Invalid(problems));
    }
    let id = match before {
        Some(before) => {
            store::update(tx, before.id, after, now).await?;
            before.id
        }
        None => store::insert(tx, after, now).await?,
    };
    let change = Change {
        action: match before {
            Some(_) => "BRIDGE_UPDATE",
            None => "BRIDGE_CREATE",
        },
        resource: &resource(id),
        before: before.map_or(Value::Null, |before| audit::state(&before.rules)),
        after: audit::state(after),
    };
    audit::write_in_tx(tx, actor, change, now).await?;
    Ok(id)
}

pub(crate) async fn open_bridge(tx: &DatabaseTransaction) -> Result<Option<Bridge>, DbError> {
    let mut bridges = store::bridges(tx).await?.into_iter();
    Ok(bridges.find(|bridge| bridge.state != BridgeState::Closed))
}

/// What cannot be changed any more: what players have collected keeps its name and its points, and what
/// is being settled keeps its terms.
async fn too_late(
    tx: &DatabaseTransaction,
    before: &Bridge,
    after: &NewBridge,
    now: DateTime<Utc>,
) -> Result<Vec<Problem>, DbError> {
    let mut problems = Vec::new();
    let terms_before = &before.rules;
    if before.state != BridgeState::Open {
        let terms = |rules: &NewBridge| (rules.keys_required, rules.settle_on, rules.days.clone());
        if terms(terms_before) != terms(after) {
            problems.push(Problem::new("state", texts::being_settled()));
        }
        return Ok(problems);
    }
    for day in rules::touched(terms_before, after) {
        // Somebody may be earning it right now; what nobody has earned by its end, nobody will.
        if rules::is_running(day.day, now)
            || has_key_stamps(tx, terms_before.season_id, &day.event_type).await?
        {
            let field = format!("days.{}", day.number - 1);
            problems.push(Problem::new(field, texts::day_is_fixed()));
        }
    }
    Ok(problems)
}

/// The bridge in the hands of an operator. What is done leaves rows in the audit log; work in many
/// transactions leaves one before it begins and one when it is done.
impl Settlement {
    /// The bridge with this id; without one the one that is not closed, or else the last one.
    pub async fn view(&self, bridge: Option<BridgeId>) -> Result<BridgeView, BridgeError> {
        let bridge = self.shown(bridge).await?;
        let db = self.options.db.read();
        let holders = if bridge.state == BridgeState::Closed {
            Vec::new()
        } else {
            let counts = key_histogram(db).await?.into_iter();
            let count = |((status, keys), (players, pending_points))| KeyCount {
                keys,
                status,
                players,
                pending_points,
            };
            counts.map(count).collect()
        };
        let certificate = Certificate::of(&self.options.db, &bridge).await?;
        Ok(BridgeView {
            bridge,
            holders,
            certificate,
        })
    }

    /// Changes the bridge that is not closed, or opens one. What players have collected keeps its name
    /// and its points.
    pub async fn save(
        &self,
        actor: &Actor,
        edit: &BridgeEdit,
        now: DateTime<Utc>,
    ) -> Result<BridgeView, BridgeError> {
        let id = retry(|| self.save_once(actor, edit, now)).await?;
        self.view(Some(id)).await
    }

    /// [`Settlement::settle`], and what the database says afterwards; once per request.
    pub async fn settle_now(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<(Run, Certificate)>, BridgeError> {
        let work = self.settle_and_tell(actor, bridge, chunk, now);
        once(&self.options.db, (actor.user_id, request), now, work).await
    }

    async fn settle_and_tell(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<(Run, Certificate), BridgeError> {
        let bridge = self.find(bridge).await?.id;
        let before = self.certificate(bridge).await?;
        if EventDay::of(now) < before.settle_on {
            return Err(BridgeError::NotDue);
        }
        let begun = json!({ "certificate": before });
        self.audit(actor, "BRIDGE_SETTLE_BEGIN", bridge, begun, now)
            .await?;
        let run = self.settle(bridge, chunk, now, &|_| ()).await?;
        let certificate = self.certificate(bridge).await?;
        let done = json!({ "run": run, "certificate": certificate });
        self.audit(actor, "BRIDGE_SETTLE", bridge, done, now)
            .await?;
        Ok((run, certificate))
    }

    /// [`Settlement::close`], once per request.
    pub async fn close_now(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Certificate>, BridgeError> {
        let work = self.close_and_tell(actor, bridge, chunk, now);
        once(&self.options.db, (actor.user_id, request), now, work).await
    }

    async fn close_and_tell(
        &self,
        actor: &Actor,
        bridge: Option<BridgeId>,
        chunk: u64,
        now: DateTime<Utc>,
    ) -> Result<Certificate, BridgeError> {
        // Sent again after the bridge was closed, it answers for that one.
        let bridge = self.shown(bridge).await?.id;
        let before = self.certificate(bridge).await?;
        if EventDay::of(now) < before.settle_on {
            return Err(BridgeError::NotDue);
        }
        let begun = json!({ "certificate": before });
        self.audit(actor, "BRIDGE_CLOSE_BEGIN", bridge, begun, now)
            .await?;
        let certificate = self.close(bridge, chunk, now).await?;
        self.options.awarder.bridges.drop_all();
        let done = json!({ "certificate": certificate });
        self.audit(actor, "BRIDGE_CLOSE", bridge, done, now).await?;
        Ok(certificate)
    }
}
