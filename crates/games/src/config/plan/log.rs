//! What is said of plans in the audit log and in the history that players see.

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{
    OddsId, PlanId,
    audit::{self, Actor, Change},
    db::DbError,
};

use super::entity::odds_plan;
use crate::{
    Game,
    fairness::{ChangeKind, OddsChange},
};

/// Names a plan in the audit log.
pub(super) fn resource<G: Game>(id: PlanId) -> String {
    format!("{}_plan:{id}", G::ACTIONS.resource)
}

/// What the history is told of a plan.
pub(super) fn change_of(
    plan: &odds_plan::Model,
    kind: ChangeKind,
    at: DateTime<Utc>,
) -> OddsChange {
    OddsChange {
        kind,
        odds_id: Some(OddsId(plan.odds_id)),
        plan_id: Some(PlanId(plan.id)),
        effective_from: Some(plan.takes_over_at.0),
        at,
    }
}

pub(super) async fn audit_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    actor: &Actor,
    action: &'static str,
    plan: PlanId,
    (before, after): (Value, Value),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = Change {
        action,
        resource: &resource::<G>(plan),
        before,
        after,
    };
    audit::write_in_tx(tx, actor, change, now).await
}

/// Whoever has announced it: what takes over does so in their name.
pub(super) async fn announced_by<G: Game>(
    tx: &DatabaseTransaction,
    plan: PlanId,
) -> Result<Option<Actor>, DbError> {
    let logged = audit::of_all(tx, [resource::<G>(plan)]).await?;
    Ok(logged.into_iter().next().map(|first| Actor {
        user_id: first.actor_id,
        name: first.actor,
        reason: first.reason,
        request_id: first.request_id,
    }))
}
