use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use xmas_kernel::{
    Asset, UserId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
};
use xmas_players::LockedPlayer;

use crate::{
    LedgerRow,
    entity::{user_game_wallet, wallet_ledger},
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

pub(crate) async fn balance(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    asset: Asset,
) -> Result<Option<i64>, DbError> {
    let row = user_game_wallet::Entity::find_by_id((user_id.0, asset.as_str().to_owned()))
        .one(conn)
        .await?;
    Ok(row.map(|row| row.balance))
}

pub(crate) async fn balances(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<(Asset, i64)>, DbError> {
    let rows = user_game_wallet::Entity::find()
        .filter(user_game_wallet::Column::UserId.eq(user_id.0))
        .all(conn)
        .await?;
    rows.into_iter()
        .map(|row| Ok((asset(&row.asset)?, row.balance)))
        .collect()
}

/// What these players hold of one asset; whoever has no such wallet is left out.
pub(crate) async fn balances_of(
    conn: &impl ConnectionTrait,
    asset: Asset,
    players: impl Iterator<Item = UserId>,
) -> Result<HashMap<UserId, i64>, DbError> {
    let wallets = wallets_of(asset, players);
    balances_in(conn, wallets).await
}

/// As [`balances_of`], of wallets that are written next: nobody moves them until the transaction ends.
pub(crate) async fn lock_balances_of(
    tx: &DatabaseTransaction,
    asset: Asset,
    players: impl Iterator<Item = UserId>,
) -> Result<HashMap<UserId, i64>, DbError> {
    let wallets = wallets_of(asset, players).order_by_asc(user_game_wallet::Column::UserId);
    balances_in(tx, wallets.lock_exclusive()).await
}

fn wallets_of(
    asset: Asset,
    players: impl Iterator<Item = UserId>,
) -> Select<user_game_wallet::Entity> {
    use user_game_wallet::Column;
    user_game_wallet::Entity::find()
        .filter(Column::Asset.eq(asset.as_str()))
        .filter(Column::UserId.is_in(players.map(|player| player.0)))
}

async fn balances_in(
    conn: &impl ConnectionTrait,
    wallets: Select<user_game_wallet::Entity>,
) -> Result<HashMap<UserId, i64>, DbError> {
    use user_game_wallet::Column;
    let rows: Vec<(i64, i64)> = wallets
        .select_only()
        .column(Column::UserId)
        .column(Column::Balance)
        .into_tuple()
        .all(conn)
        .await?;
    let balance = |(user_id, balance)| (UserId(user_id), balance);
    Ok(rows.into_iter().map(balance).collect())
}

/// Changes a balance and appends to its ledger. `None` if it would fall below zero or overflow;
/// nothing is changed then.
///
/// The player is locked, so nobody else moves this balance between the read and the update, unless over
/// another node of a cluster: then the update finds it changed.
pub(crate) async fn change(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    change: &Change<'_>,
    now: DateTime<Utc>,
) -> Result<Option<i64>, DbError> {
    use user_game_wallet::Column;
    let user_id = player.user_id();
    let before = balance(tx, user_id, change.asset).await?;
    let after = before.unwrap_or(0).checked_add(change.delta);
    let Some(after) = after.filter(|after| *after >= 0) else {
        return Ok(None);
    };
    if let Some(before) = before {
        let updated = user_game_wallet::Entity::update_many()
            .col_expr(Column::Balance, after.into())
            .col_expr(Column::UpdatedAt, Timestamp(now).into())
            .filter(Column::UserId.eq(user_id.0))
            .filter(Column::Asset.eq(change.asset.as_str()))
            .filter(Column::Balance.eq(before))
            .exec(tx)
            .await?;
        if updated.rows_affected != 1 {
            let asset = change.asset;
            return Err(DbError::Overtaken(format!("the {asset} of {user_id}")));
        }
    } else {
        user_game_wallet::Entity::insert(user_game_wallet::ActiveModel {
            user_id: Set(user_id.0),
            asset: Set(change.asset.as_str().to_owned()),
            balance: Set(after),
            updated_at: Set(Timestamp(now)),
        })
        .exec_without_returning(tx)
        .await?;
    }
    wallet_ledger::Entity::insert(wallet_ledger::ActiveModel {
        id: NotSet,
        user_id: Set(user_id.0),
        asset: Set(change.asset.as_str().to_owned()),
        delta: Set(change.delta),
        balance_after: Set(after),
        reason: Set(change.reason.to_owned()),
        reference: Set(change.reference.to_owned()),
        actor: Set(change.actor.to_owned()),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(Some(after))
}

pub(crate) async fn ledger(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<LedgerRow>, DbError> {
    use wallet_ledger::Column;
    let mut query = wallet_ledger::Entity::find().filter(Column::UserId.eq(user_id.0));
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows = rows.into_iter().map(|row| {
        Ok(LedgerRow {
            id: row.id,
            asset: asset(&row.asset)?,
            delta: row.delta,
            balance_after: row.balance_after,
            reason: row.reason,
            reference: row.reference,
            actor: row.actor,
            created_at: row.created_at.0,
        })
    });
    let rows = rows.collect::<Result<Vec<_>, DbError>>()?;
    Ok(Page::from_overfetched(rows, limit, |row| row.id))
}

pub(crate) fn asset(name: &str) -> Result<Asset, DbError> {
    name.parse()
        .map_err(|error| DbError::Corrupt(format!("a wallet holds an {error}")))
}
