//! Earlier versions of configurations, read from the audit log.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    ConfigId, Problem, UserId,
    audit::{self, LoggedChange},
    paging::{Cursor, Limit, Page},
};
use xmas_players::{anonymised_among, signature};
use xmas_texts::game as texts;

use super::{
    model::Saved,
    store,
    version::{ConfigVersion, Past, read_config},
};
use crate::{ConfigError, Game};

/// Names a configuration in the audit log.
pub(super) fn resource<G: Game>(id: ConfigId) -> String {
    format!("{}:{id}", G::ACTIONS.resource)
}

/// A page of versions, newest first.
pub(super) async fn page<G: Game>(
    conn: &impl ConnectionTrait,
    id: ConfigId,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<ConfigVersion<G::Body>>, ConfigError> {
    let saved = store::find::<G>(conn, id).await?;
    if before == Some(Cursor(ConfigVersion::<G::Body>::FIRST)) {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    }
    let from = before.map(|Cursor(id)| id);
    // One more says whether there is another page, and the last row of the page before ends the first one.
    let rows = limit.get() + 2;
    let mut changes = audit::history(conn, &resource::<G>(id), from, rows).await?;
    let operators: Vec<UserId> = changes.iter().map(|row| row.actor_id).collect();
    let anonymised = anonymised_among(conn, &operators).await?;
    for row in &mut changes {
        let actor = std::mem::take(&mut row.actor);
        row.actor = signature(actor, row.actor_id, &anonymised);
    }
    let is_all = u64::try_from(changes.len()).is_ok_and(|found| found < rows);
    let first = changes.last().filter(|_| is_all);
    let first = match first {
        Some(first) => first.before.clone().map(|state| ConfigVersion {
            until: Some(first.at),
            config: read_config(state),
            ..first_of(&saved)
        }),
        // Nobody has touched it yet.
        None if changes.is_empty() && from.is_none() => Some(first_of(&saved)),
        None => None,
    };
    let mut items = Vec::with_capacity(changes.len());
    let mut until = None;
    for row in changes {
        let ended_by = row.at;
        if from != Some(row.id) {
            items.extend(ConfigVersion::made_by(row, until));
        }
        until = Some(ended_by);
    }
    items.extend(first);
    Ok(Page::from_overfetched(items, limit, |version| version.id))
}

/// What was there before the log began, if nothing was done to it.
fn first_of<B: Clone>(saved: &Saved<B>) -> ConfigVersion<B> {
    ConfigVersion {
        id: 0,
        since: saved.created_at,
        until: None,
        saved: None,
        restored_from: None,
        plan: None,
        config: Some(saved.config.clone()),
    }
}

/// What a configuration was like in one of its versions, and what was done to it since.
pub(super) async fn find_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    now: &Saved<G::Body>,
    version: i64,
) -> Result<Past<G::Body>, ConfigError> {
    let resource = resource::<G>(now.id);
    let later = audit::since(tx, &resource, version).await?;
    let (state, at) = if version == ConfigVersion::<G::Body>::FIRST {
        match later.first() {
            // As it was when the log began, not when it was made.
            Some(first) => (first.before.clone(), first.at),
            None => {
                return Ok(Past {
                    config: now.config.clone(),
                    at: now.updated_at,
                    edits: Vec::new(),
                });
            }
        }
    } else {
        let found = audit::history(tx, &resource, Some(version), 1).await?.pop();
        let row = found.filter(|row| row.id == version);
        let row = row.ok_or(ConfigError::UnknownVersion)?;
        (row.after, row.at)
    };
    let state = state.ok_or(ConfigError::UnknownVersion)?;
    let config = read_config(state).ok_or_else(|| {
        let text = texts::unreadable_version();
        ConfigError::Invalid(vec![Problem::new("version", text)])
    })?;
    let edit = |row: LoggedChange| Some((read_config(row.before?)?, read_config(row.after?)?));
    Ok(Past {
        config,
        at,
        edits: later.into_iter().map(edit).collect(),
    })
}
