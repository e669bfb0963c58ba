//! The engine as operators use it: its configurations.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::Value;
use xmas_kernel::{
    ConfigId, Problems,
    audit::{self, Actor},
    db::{DbError, Tx, retry},
    paging::{Cursor, Limit, Page},
    version::{self, Seen, Version},
};

use super::{
    audited::{audit_in_tx, switch_off_others_in_tx},
    check::problems_in_tx,
    history,
    model::{ConfigEdit, ConfigEditor, Saved},
    noted::note_in_tx,
    plan, store,
    version::{ConfigVersion, RESTORED_FROM, Restored},
};
use crate::{ConfigError, Engine, Game, draw_counts, fairness};

/// The configurations of one game for operators. Every change leaves a row in the audit log, and takes
/// effect here at once and within a second everywhere; one that is to take effect everywhere at an instant is planned
/// (`plan/`). A play that is under way ends with the
/// configuration that it was drawn from.
impl<G: Game> Engine<G> {
    /// All of them, newest first.
    pub async fn configs(&self) -> Result<Vec<Saved<G::Body>>, DbError> {
        store::all::<G>(self.plays.context.db.read()).await
    }

    pub async fn config(&self, id: ConfigId) -> Result<Saved<G::Body>, ConfigError> {
        store::find::<G>(self.plays.context.db.read(), id).await
    }

    /// Adds one. It is checked as a whole, also if it is not active yet.
    pub async fn create(
        &self,
        actor: &Actor,
        new: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        retry(|| self.create_once(actor, new, now)).await
    }

    /// What is left out stays. Switching one on switches the other one off. `edit` is asked what to change
    /// under the lock of the game's configurations, and again if the transaction is tried again.
    pub async fn update(
        &self,
        actor: &Actor,
        id: ConfigId,
        edit: &ConfigEditor<'_, G::Body, G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        retry(|| self.update_once(actor, id, edit, now)).await
    }

    /// Every state in which a configuration was saved, newest first. `before` is the last version of the
    /// page before.
    pub async fn versions(
        &self,
        id: ConfigId,
        limit: Limit,
        before: Option<Cursor>,
    ) -> Result<Page<ConfigVersion<G::Body>>, ConfigError> {
        history::page::<G>(self.plays.context.db.read(), id, limit, before).await
    }

    /// Puts a version back, as an edit that is checked like any other: its name, its daily limit and what
    /// there is to win. Whether the configuration is switched on stays as it is. A prize that was limited is
    /// limited again, but what was won of it since is not put back.
    pub async fn restore(
        &self,
        actor: &Actor,
        id: ConfigId,
        version: i64,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Restored<G::Body>, ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        retry(|| self.restore_once(actor, id, version, seen, now)).await
    }

    /// Removes one that was never played and is not announced.
    ///
    /// # Errors
    /// [`ConfigError::InUse`] for any other.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError> {
        self.plays.in_force.catch_up(now).await?;
        retry(|| self.delete_once(actor, id, now)).await
    }

    async fn create_once(
        &self,
        actor: &Actor,
        new: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let change = (G::ACTIONS.create, None);
        let saved = change_in_tx::<G>(&tx, Some(actor), None, new, change, now).await?;
        self.commit(tx, saved, None).await
    }

    async fn update_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        edit: &ConfigEditor<'_, G::Body, G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        let before = enter_in_tx::<G>(&tx, id).await?;
        let edit = edit(&before.config);
        version::expect(edit.seen.as_ref(), &before.version())?;
        let change = (G::ACTIONS.update, None);
        let saved = change_in_tx::<G>(&tx, Some(actor), Some(&before), &edit, change, now).await?;
        self.commit(tx, saved, Some(before)).await
    }

    /// Commits a change, unless it has changed nothing: an edit that changes nothing leaves no trace, not
    /// even when it was.
    async fn commit(
        &self,
        tx: Tx,
        saved: Option<Saved<G::Body>>,
        before: Option<Saved<G::Body>>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        if let Some(saved) = saved {
            tx.commit().await?;
            self.plays.in_force.forget();
            return Ok(saved);
        }
        before.ok_or(ConfigError::NotFound(G::FEATURE))
    }

    async fn restore_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        version: i64,
        seen: Option<&Seen>,
        now: DateTime<Utc>,
    ) -> Result<Restored<G::Body>, ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        let before = enter_in_tx::<G>(&tx, id).await?;
        version::expect(seen, &before.version())?;
        let wanted = history::find_in_tx::<G>(&tx, &before, version).await?;
        let body = G::back_to_in_tx(&tx, &before, &wanted).await?;
        let wanted = wanted.config;
        let edit = ConfigEdit {
            name: Some(wanted.name),
            is_active: None,
            max_daily: Some(wanted.max_daily),
            body,
            seen: None,
            problems: Vec::new(),
        };
        let change = (G::ACTIONS.restore, Some(version));
        let saved = change_in_tx::<G>(&tx, Some(actor), Some(&before), &edit, change, now).await?;
        let saved = self.commit(tx, saved, Some(before)).await?;
        Ok(Restored {
            stock_kept: G::stock_kept(&wanted.body, &saved.config.body),
            saved,
        })
    }

    async fn delete_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError> {
        let tx = self.plays.context.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let before = store::find::<G>(&*tx, id).await?;
        let odds = fairness::odds_of_config(&*tx, G::FEATURE, id).await?;
        if draw_counts::was_played(&*tx, G::FEATURE, id, &odds).await?
            || plan::is_planned(&*tx, G::FEATURE, id).await?
        {
            return Err(ConfigError::InUse);
        }
        store::delete_in_tx::<G>(&tx, id).await?;
        let action = G::ACTIONS.delete;
        let states = (Some(&before), Value::Null);
        audit_in_tx::<G>(&tx, Some(actor), action, id, states, now).await?;
        note_in_tx::<G>(&tx, None, now).await?;
        tx.commit().await?;
        self.plays.in_force.forget();
        Ok(())
    }
}

/// The configuration that is to be edited, and that nobody else changes until the transaction ends.
pub(super) async fn enter_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    id: ConfigId,
) -> Result<Saved<G::Body>, ConfigError> {
    audit::enter_in_tx(tx, G::AREA).await?;
    G::lock_in_tx(tx, id).await?;
    store::find::<G>(tx, id).await
}

/// Makes an edit, checked as a whole, and writes it to the audit log: what was done, and which version was
/// put back by it. `None` if it changes nothing.
pub(super) async fn change_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    before: Option<&Saved<G::Body>>,
    edit: &ConfigEdit<G::BodyEdit>,
    (action, restored_from): (&'static str, Option<i64>),
    now: DateTime<Utc>,
) -> Result<Option<Saved<G::Body>>, ConfigError> {
    let mut problems = Problems::default();
    let drawn = match before {
        Some(before) => G::drawn_in_tx(tx, before, edit).await?,
        None => BTreeSet::new(),
    };
    let body = G::edited(before, edit, &drawn, &mut problems);
    let kept = before.map(|before| &before.config);
    let config = edit.applied(kept, body, &mut problems);
    let problems = problems_in_tx::<G>(tx, &config, kept, problems).await?;
    if !problems.is_empty() {
        return Err(ConfigError::Invalid(problems));
    }
    if kept.is_some_and(|kept| Version::of(kept) == Version::of(&config)) {
        return Ok(None);
    }
    let id = before.map(|before| before.id);
    if config.is_active {
        switch_off_others_in_tx::<G>(tx, actor, id, now).await?;
    }
    let id = match before {
        Some(before) => {
            store::update_in_tx::<G>(tx, before, &config, now).await?;
            before.id
        }
        None => store::insert_in_tx::<G>(tx, &config, now).await?,
    };
    let after = store::find::<G>(tx, id).await?;
    if let Some(before) = before {
        plan::expect_intact_in_tx::<G>(tx, before, &after).await?;
    }
    let mut state = audit::state(&after.config);
    if let Some(version) = restored_from {
        state[RESTORED_FROM] = version.into();
    }
    audit_in_tx::<G>(tx, actor, action, id, (before, state), now).await?;
    note_in_tx::<G>(tx, None, now).await?;
    Ok(Some(after))
}
