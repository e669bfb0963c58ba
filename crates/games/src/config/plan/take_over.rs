//! How a plan takes over: once, by whoever first needs what is in force at its instant or later.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use xmas_kernel::{
    ConfigId, PlanId, Problem, Problems, audit,
    db::{Db, DbError, retry},
};
use xmas_texts::{game::unreadable_version, plan as texts};

use super::{
    entity::odds_plan,
    log::{announced_by, audit_in_tx, change_of},
    model::{Brief, LEAD, PlanState, Replaced},
    store,
};
use crate::{
    Game,
    config::{
        Config, Saved,
        audited::{self, switch_off_others_in_tx},
        check::problems_in_tx,
        note_in_tx, store as configs,
        version::PLAN,
    },
    fairness::{ChangeKind, changes},
};

/// Lets a plan take over whose instant has come. Any number of replicas may do so at once, and again.
pub(crate) async fn take_over<G: Game>(
    db: &Db,
    plan: &Brief,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let taken_over = retry(|| take_over_once::<G>(db, plan.id, true, now)).await;
    let refused = match taken_over {
        Ok(refused) => refused,
        // Tried again it would fail again, and with it every play.
        Err(error) if is_for_good(&error, plan, now) => {
            tracing::error!(game = %G::FEATURE, plan = %plan.id, ?error, "a plan cannot be saved");
            retry(|| take_over_once::<G>(db, plan.id, false, now)).await?
        }
        Err(error) => return Err(error),
    };
    if let Some(problems) = refused {
        tracing::error!(
            game = %G::FEATURE,
            plan = %plan.id,
            ?problems,
            "what was announced cannot take over, and what is in force stays so"
        );
    }
    Ok(())
}

/// Whether a plan that could not be saved never can. What is perhaps about the server alone has a minute to pass.
fn is_for_good(error: &DbError, plan: &Brief, now: DateTime<Utc>) -> bool {
    match error {
        DbError::Violated(..) | DbError::Corrupt(_) => true,
        DbError::Other(_) => now >= plan.effective_from + LEAD,
        _ => false,
    }
}

/// Returns what is wrong with a plan that could not take over. One that was tried in vain `may_be_saved` no more.
async fn take_over_once<G: Game>(
    db: &Db,
    plan: PlanId,
    may_be_saved: bool,
    now: DateTime<Utc>,
) -> Result<Option<Vec<Problem>>, DbError> {
    let tx = db.begin().await?;
    let Some(row) = due_in_tx::<G>(&tx, plan, now).await? else {
        return Ok(None);
    };
    let checked = match may_be_saved {
        true => whole_in_tx::<G>(&tx, &row).await?,
        false => Err(vec![Problem::new("config", texts::unsavable())]),
    };
    let refused = match checked {
        Ok((before, config)) => {
            save_in_tx::<G>(&tx, &row, &before, &config).await?;
            None
        }
        Err(problems) => {
            refuse_in_tx::<G>(&tx, &row, &problems, now).await?;
            Some(problems)
        }
    };
    tx.commit().await?;
    Ok(refused)
}

/// A plan that is to take over by now, which nobody else touches until the transaction ends.
async fn due_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    plan: PlanId,
    now: DateTime<Utc>,
) -> Result<Option<odds_plan::Model>, DbError> {
    audit::enter_in_tx(tx, G::AREA).await?;
    let row = store::find(tx, G::FEATURE, plan).await?;
    Ok(row.filter(|row| row.open_slot.is_some() && row.takes_over_at.0 <= now))
}

async fn save_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    row: &odds_plan::Model,
    before: &Saved<G::Body>,
    config: &Config<G::Body>,
) -> Result<(), DbError> {
    let (id, plan, instant) = (before.id, PlanId(row.id), row.takes_over_at.0);
    let actor = announced_by::<G>(tx, plan).await?;
    let actor = actor.ok_or_else(|| DbError::Corrupt(format!("nobody announced plan {plan}")))?;
    let replaced = configs::active::<G>(tx).await?;
    let replaced = replaced.map(|active| Replaced {
        config_id: active.id,
        config: active.config,
    });
    switch_off_others_in_tx::<G>(tx, Some(&actor), Some(id), instant).await?;
    configs::update_in_tx::<G>(tx, before, config, instant).await?;
    let mut state = audit::state(config);
    state[PLAN] = row.id.into();
    let (action, states) = (G::ACTIONS.take_over, (Some(before), state));
    audited::audit_in_tx::<G>(tx, Some(&actor), action, id, states, instant).await?;
    store::end(tx, plan, PlanState::TakenOver, replaced.as_ref(), instant).await?;
    let change = change_of(row, ChangeKind::TakenOver, instant);
    changes::insert(tx, G::FEATURE, &change).await?;
    note_in_tx::<G>(tx, Some(plan), instant).await?;
    Ok(())
}

async fn refuse_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    row: &odds_plan::Model,
    problems: &[Problem],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let plan = PlanId(row.id);
    store::end::<()>(tx, plan, PlanState::Refused, None, now).await?;
    changes::insert(tx, G::FEATURE, &change_of(row, ChangeKind::Refused, now)).await?;
    let why = problems.iter();
    let why = why.map(|problem| json!({"field": problem.field, "code": problem.code}));
    let state = json!({"config_id": row.config_id, "problems": why.collect::<Vec<_>>()});
    let states = (Value::Null, state);
    // It is refused also if nobody knows any more who announced it.
    match announced_by::<G>(tx, plan).await? {
        Some(actor) => audit_in_tx::<G>(tx, &actor, G::ACTIONS.refuse, plan, states, now).await,
        None => Ok(()),
    }
}

/// A configuration as it is, and as it is to be; or what is wrong with that.
type Checked<B> = Result<(Saved<B>, Config<B>), Vec<Problem>>;

/// What takes over from a configuration that nobody else changes until the transaction ends.
async fn whole_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    plan: &odds_plan::Model,
) -> Result<Checked<G::Body>, DbError> {
    let id = ConfigId(plan.config_id);
    G::lock_in_tx(tx, id).await?;
    let Some(before) = configs::known::<G>(tx, id).await? else {
        return Ok(Err(vec![Problem::new("id", texts::gone())]));
    };
    let mut problems = Problems::default();
    let config = taken_over::<G>(&before.config, plan, &mut problems);
    let problems = problems_in_tx::<G>(tx, &config, Some(&before.config), problems).await?;
    Ok(match problems.is_empty() {
        true => Ok((before, config)),
        false => Err(problems),
    })
}

/// What each plan will make of its configuration as it is now, once those before it have taken over: what is left now of
/// what stays. Without those that this release cannot read.
pub(crate) async fn foreseen<G: Game>(
    conn: &impl ConnectionTrait,
) -> Result<HashMap<PlanId, Saved<G::Body>>, DbError> {
    let mut known: HashMap<ConfigId, Saved<G::Body>> = HashMap::new();
    let mut foreseen = HashMap::new();
    for plan in store::planned(conn, G::FEATURE).await? {
        let id = ConfigId(plan.config_id);
        let before = match known.remove(&id) {
            Some(before) => Some(before),
            None => configs::known::<G>(conn, id).await?,
        };
        let Some(before) = before else {
            continue;
        };
        let mut problems = Problems::default();
        let config = taken_over::<G>(&before.config, &plan, &mut problems);
        let after = Saved { config, ..before };
        if problems.is_empty() {
            foreseen.insert(PlanId(plan.id), after.clone());
        } else {
            tracing::warn!(game = %G::FEATURE, plan = plan.id, ?problems, "a plan could not take over as it is");
        }
        known.insert(id, after);
    }
    Ok(foreseen)
}

/// What a plan makes of its configuration as it is. What stands in its way is noted.
pub(super) fn taken_over<G: Game>(
    before: &Config<G::Body>,
    plan: &odds_plan::Model,
    problems: &mut Problems,
) -> Config<G::Body> {
    let Ok(planned) = serde_json::from_str::<Config<G::Body>>(&plan.config) else {
        problems.push(Problem::new("config", unreadable_version()));
        return before.clone();
    };
    Config {
        body: G::taken_over(&before.body, planned.body, problems),
        is_active: true,
        name: planned.name,
        max_daily: planned.max_daily,
    }
}
