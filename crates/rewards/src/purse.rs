use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, Iterable, NotSet, QueryFilter,
    QueryResult,
    sea_query::{CaseStatement, ExprTrait, SelectStatement},
};
use xmas_kernel::{
    Asset, UserId,
    db::{DbError, Timestamp, portions},
};
use xmas_players::{LockedPlayer, beside, lock_beside_in_tx};

use crate::{
    entity::{user_game_wallet, wallet_ledger},
    store::asset,
};

/// One balance to be changed, and what the ledger will say about it.
pub(crate) struct Change<'a> {
    pub(crate) asset: Asset,
    /// Not 0.
    pub(crate) delta: i64,
    pub(crate) reason: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) actor: &'a str,
}

/// The wallets of a locked player. They are changed in memory; what has changed is written at the end, the balances in
/// one statement and the ledger in another.
#[derive(Debug)]
pub(crate) struct Purse {
    user_id: UserId,
    held: BTreeMap<Asset, Held>,
    ledger: Vec<wallet_ledger::ActiveModel>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// What the database holds; `None` if there is no row.
    before: Option<i64>,
    now: i64,
    is_moved: bool,
}

impl Purse {
    /// Adds the wallets to a statement that reads a profile.
    pub(crate) fn join(select: &mut SelectStatement) {
        use user_game_wallet::{Column, Entity};
        beside::join::<Entity>(select, WALLET, Column::iter(), Condition::all());
    }

    /// What [`Purse::join`] has brought, read with the player's lock.
    pub(crate) fn joined(player: &LockedPlayer, rows: &[QueryResult]) -> Result<Self, DbError> {
        let mut held = BTreeMap::new();
        for row in beside::joined::<user_game_wallet::Model>(rows, WALLET)? {
            // What another version of the program knows is left alone.
            let Ok(asset) = asset(&row.asset) else {
                continue;
            };
            let own = Held {
                before: Some(row.balance),
                now: row.balance,
                is_moved: false,
            };
            held.insert(asset, own);
        }
        Ok(Self {
            user_id: player.user_id(),
            held,
            ledger: Vec::new(),
        })
    }

    /// The wallets of a player who was locked in an earlier statement.
    pub(crate) async fn lock_in_tx(
        tx: &DatabaseTransaction,
        player: &LockedPlayer,
    ) -> Result<Self, DbError> {
        let rows = lock_beside_in_tx(tx, player, Self::join).await?;
        Self::joined(player, &rows)
    }

    pub(crate) fn balance(&self, asset: Asset) -> i64 {
        self.held.get(&asset).map_or(0, |held| held.now)
    }

    /// Changes a balance, and returns what it is then. `None` if it would fall below zero or overflow; nothing is
    /// changed then.
    pub(crate) fn change(&mut self, change: &Change<'_>, now: DateTime<Utc>) -> Option<i64> {
        let after = self.balance(change.asset).checked_add(change.delta);
        let after = after.filter(|after| *after >= 0)?;
        let held = self.held.entry(change.asset).or_default();
        held.now = after;
        held.is_moved = true;
        self.ledger.push(wallet_ledger::ActiveModel {
            id: NotSet,
            user_id: Set(self.user_id.0),
            asset: Set(change.asset.as_str().to_owned()),
            delta: Set(change.delta),
            balance_after: Set(after),
            reason: Set(change.reason.to_owned()),
            reference: Set(change.reference.to_owned()),
            actor: Set(change.actor.to_owned()),
            created_at: Set(Timestamp(now)),
        });
        Some(after)
    }

    /// Writes what has changed of all of them.
    ///
    /// The rows are locked, so that nobody has moved them since they were read, unless over another node of a cluster:
    /// then the update finds one changed.
    pub(crate) async fn write_all_in_tx(
        tx: &DatabaseTransaction,
        purses: Vec<Self>,
        now: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let wallets = || purses.iter().flat_map(Self::wallets);
        // Also what is as it was in the end: over another node nobody begins from the same balance.
        let moved = wallets().filter(|(_, held)| held.is_moved && held.before.is_some());
        for some in portions(moved.collect()) {
            update(tx, &some, now).await?;
        }
        let new = wallets().filter(|(_, held)| held.before.is_none());
        for some in portions(new.collect()) {
            insert(tx, &some, now).await?;
        }
        let ledger = purses.into_iter().flat_map(|purse| purse.ledger);
        for some in portions(ledger.collect()) {
            wallet_ledger::Entity::insert_many(some)
                .exec_without_returning(tx)
                .await?;
        }
        Ok(())
    }

    fn wallets(&self) -> impl Iterator<Item = ((UserId, Asset), Held)> {
        let of = |(asset, held): (&Asset, &Held)| ((self.user_id, *asset), *held);
        self.held.iter().map(of)
    }
}

/// Writes balances that had a row.
async fn update(
    tx: &DatabaseTransaction,
    moved: &[((UserId, Asset), Held)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use user_game_wallet::{Column, Entity};
    let mut balance = CaseStatement::new();
    let mut unmoved = Condition::any();
    for ((user_id, asset), held) in moved {
        let wallet = Column::UserId.eq(user_id.0);
        let wallet = wallet.and(Column::Asset.eq(asset.as_str()));
        balance = balance.case(wallet.clone(), held.now);
        unmoved = unmoved.add(wallet.and(Column::Balance.eq(held.before)));
    }
    let updated = Entity::update_many()
        .col_expr(Column::Balance, balance.into())
        .col_expr(Column::UpdatedAt, Timestamp(now).into())
        .filter(unmoved)
        .exec(tx)
        .await?;
    if updated.rows_affected == moved.len() as u64 {
        return Ok(());
    }
    let players: BTreeSet<UserId> = moved.iter().map(|((user_id, _), _)| *user_id).collect();
    Err(DbError::Overtaken(format!("wallets of {players:?}")))
}

/// Writes balances that had none.
async fn insert(
    tx: &DatabaseTransaction,
    new: &[((UserId, Asset), Held)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use user_game_wallet::{ActiveModel, Entity};
    let rows = new.iter().map(|((user_id, asset), held)| ActiveModel {
        user_id: Set(user_id.0),
        asset: Set(asset.as_str().to_owned()),
        balance: Set(held.now),
        updated_at: Set(Timestamp(now)),
    });
    Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(())
}

const WALLET: &str = "purse_";
