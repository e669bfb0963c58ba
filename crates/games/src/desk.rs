//! The house as operators use it: its configurations.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value;
use xmas_kernel::{
    ConfigId, Problems,
    audit::{self, Actor, Change},
    db::{DbError, retry},
    version,
};

use crate::{
    ConfigDesk, ConfigError, House, check_rewards,
    config::{ConfigEdit, Configurable, Saved, Which, check_texts},
    fairness, play_counts,
};

impl<G: Configurable> House<G> {
    async fn save_once(
        &self,
        actor: &Actor,
        id: Option<ConfigId>,
        edit: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        let tx = self.floor.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let before = match id {
            Some(id) => {
                G::lock_in_tx(&tx, id).await?;
                let before = find::<G>(&*tx, id).await?;
                version::expect(edit.seen.as_ref(), &before.version())?;
                Some(before)
            }
            None => None,
        };
        let mut problems = Problems::default();
        let body = G::edited_in_tx(&tx, before.as_ref(), edit, &mut problems).await?;
        let kept = before.as_ref().map(|before| &before.config);
        let config = edit.applied(kept, body, &mut problems);
        check_texts::<G>(&config, kept, &mut problems);
        let rewards = G::check(&config, &mut problems);
        check_rewards(&tx, &rewards, &mut problems).await?;
        let problems = problems.into_vec();
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        if config.is_active {
            switch_off_others_in_tx::<G>(&tx, actor, id, now).await?;
        }
        let (id, action) = match &before {
            Some(before) => {
                G::update_in_tx(&tx, before, &config, now).await?;
                (before.id, G::ACTIONS.update)
            }
            None => {
                let id = G::insert_in_tx(&tx, &config, now).await?;
                (id, G::ACTIONS.create)
            }
        };
        let after = find::<G>(&*tx, id).await?;
        // An edit that changes nothing leaves no trace: not even when it was.
        if let Some(before) = before.as_ref().filter(|it| it.version() == after.version()) {
            return Ok(before.clone());
        }
        let states = (before.as_ref(), Some(&after));
        tell_in_tx::<G>(&tx, actor, action, id, states, now).await?;
        tx.commit().await?;
        self.tables.drop_all();
        Ok(after)
    }

    async fn delete_once(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError> {
        let tx = self.floor.db.begin().await?;
        audit::enter_in_tx(&tx, G::AREA).await?;
        let before = find::<G>(&*tx, id).await?;
        let odds = fairness::odds_of_config(&*tx, G::FEATURE, id).await?;
        if play_counts::was_played(&*tx, G::FEATURE, id, &odds).await? {
            return Err(ConfigError::InUse);
        }
        G::delete_in_tx(&tx, id).await?;
        let action = G::ACTIONS.delete;
        tell_in_tx::<G>(&tx, actor, action, id, (Some(&before), None), now).await?;
        tx.commit().await?;
        self.tables.drop_all();
        Ok(())
    }
}

async fn find<G: Configurable>(
    conn: &impl ConnectionTrait,
    id: ConfigId,
) -> Result<Saved<G::Body>, ConfigError> {
    let found = G::load(conn, Which::One(id)).await?.pop();
    found.ok_or(ConfigError::NotFound(G::FEATURE))
}

/// Makes room for the one that is to be active.
async fn switch_off_others_in_tx<G: Configurable>(
    tx: &DatabaseTransaction,
    actor: &Actor,
    id: Option<ConfigId>,
    now: DateTime<Utc>,
) -> Result<(), ConfigError> {
    let active = G::load(tx, Which::Active).await?;
    for before in active.into_iter().filter(|other| Some(other.id) != id) {
        G::switch_off_in_tx(tx, before.id, now).await?;
        let mut after = before.clone();
        after.config.is_active = false;
        let states = (Some(&before), Some(&after));
        tell_in_tx::<G>(tx, actor, G::ACTIONS.switch_off, before.id, states, now).await?;
    }
    Ok(())
}

/// A configuration before and after a change.
type States<'a, B> = (Option<&'a Saved<B>>, Option<&'a Saved<B>>);

async fn tell_in_tx<G: Configurable>(
    tx: &DatabaseTransaction,
    actor: &Actor,
    action: &'static str,
    id: ConfigId,
    (before, after): States<'_, G::Body>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let state = |saved: Option<&Saved<G::Body>>| {
        saved.map_or(Value::Null, |saved| audit::state(&saved.config))
    };
    let change = Change {
        action,
        resource: &format!("{}:{id}", G::ACTIONS.resource),
        before: state(before),
        after: state(after),
    };
    audit::write_in_tx(tx, actor, change, now).await
}

#[async_trait]
impl<G: Configurable> ConfigDesk<G> for House<G> {
    async fn configs(&self) -> Result<Vec<Saved<G::Body>>, DbError> {
        G::load(self.floor.db.read(), Which::All).await
    }

    async fn config(&self, id: ConfigId) -> Result<Saved<G::Body>, ConfigError> {
        find::<G>(self.floor.db.read(), id).await
    }

    async fn create(
        &self,
        actor: &Actor,
        new: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        retry(|| self.save_once(actor, None, new, now)).await
    }

    async fn update(
        &self,
        actor: &Actor,
        id: ConfigId,
        edit: &ConfigEdit<G::BodyEdit>,
        now: DateTime<Utc>,
    ) -> Result<Saved<G::Body>, ConfigError> {
        retry(|| self.save_once(actor, Some(id), edit, now)).await
    }

    async fn delete(
        &self,
        actor: &Actor,
        id: ConfigId,
        now: DateTime<Utc>,
    ) -> Result<(), ConfigError> {
        retry(|| self.delete_once(actor, id, now)).await
    }
}
