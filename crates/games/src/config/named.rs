//! Configurations by their names, as the event's file knows them.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    audit::{self, Actor},
    db::DbError,
};

use super::{
    edits::change_in_tx,
    model::{Config, ConfigEdit, Saved},
    store,
};
use crate::{ConfigError, Engine, Game};

/// What is to become of a configuration, given what it is now.
pub type NamedEditor<'a, B, E> = dyn Fn(Option<&Config<B>>) -> ConfigEdit<E> + Send + Sync + 'a;

/// The configuration that is switched on.
pub async fn switched_on<G: Game>(
    conn: &impl ConnectionTrait,
) -> Result<Option<Saved<G::Body>>, DbError> {
    Ok(store::switched_on::<G>(conn).await?.pop())
}

/// Lets nobody else edit a game's configurations until the transaction ends.
pub async fn enter_in_tx<G: Game>(tx: &DatabaseTransaction) -> Result<(), DbError> {
    audit::enter_in_tx(tx, G::AREA).await
}

/// Makes the configuration of this name what is said, or adds it, checked as an operator's edit is; once nobody else edits
/// the game ([`enter_in_tx`]), and once what is due has taken over ([`Engine::catch_up`]). Of several of a name it is the
/// one that is switched on, or else the newest.
pub async fn put_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    actor: Option<&Actor>,
    name: &str,
    edit: &NamedEditor<'_, G::Body, G::BodyEdit>,
    now: DateTime<Utc>,
) -> Result<(), ConfigError> {
    let named = store::named::<G>(tx, name).await?;
    let active = named.iter().find(|it| it.config.is_active);
    let before = match active.or(named.first()).map(|it| it.id) {
        Some(id) => {
            G::lock_in_tx(tx, id).await?;
            Some(store::find::<G>(tx, id).await?)
        }
        None => None,
    };
    let mut edit = edit(before.as_ref().map(|before| &before.config));
    // Nobody plays while it is locked: what is left is what the edit has seen.
    edit.seen = before.as_ref().map(|before| before.version().seen());
    let action = match before {
        Some(_) => G::ACTIONS.update,
        None => G::ACTIONS.create,
    };
    change_in_tx::<G>(tx, actor, before.as_ref(), &edit, (action, None), now).await?;
    Ok(())
}

impl<G: Game> Engine<G> {
    /// Lets what is due take over.
    pub async fn catch_up(&self, now: DateTime<Utc>) -> Result<(), DbError> {
        self.plays.in_force.catch_up(now).await
    }

    /// Makes this process look the game up again.
    pub fn drop_copies(&self) {
        self.plays.in_force.forget();
    }
}
