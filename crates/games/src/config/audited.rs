//! Changes that the audit log is told of, whoever makes them.

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{
    ConfigId,
    audit::{self, Actor, Change},
    db::DbError,
};

use super::{history::resource, model::Saved, store};
use crate::Game;

/// Makes room for the one that is to be active.
pub(super) async fn switch_off_others_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    id: Option<ConfigId>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let active = store::switched_on::<G>(tx).await?;
    for before in active.into_iter().filter(|other| Some(other.id) != id) {
        store::switch_off_in_tx::<G>(tx, before.id, now).await?;
        let mut after = before.clone();
        after.config.is_active = false;
        let states = (Some(&before), audit::state(&after.config));
        audit_in_tx::<G>(tx, actor, G::ACTIONS.switch_off, before.id, states, now).await?;
    }
    Ok(())
}

/// A configuration before a change, and its state after it.
pub(super) type States<'a, B> = (Option<&'a Saved<B>>, Value);

pub(super) async fn audit_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    action: &'static str,
    id: ConfigId,
    (before, after): States<'_, G::Body>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let change = Change {
        action,
        resource: &resource::<G>(id),
        before: before.map_or(Value::Null, |before| audit::state(&before.config)),
        after,
    };
    audit::write_in_tx(tx, actor, change, now).await
}
