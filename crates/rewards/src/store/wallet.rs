use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QueryResult, QuerySelect, Select, sea_query::SelectStatement,
};
use xmas_kernel::{
    Asset, UserId,
    db::DbError,
    paging::{Cursor, Limit, Page},
};
use xmas_players::beside;

use crate::{
    LedgerRow,
    entity::{user_game_wallet, wallet_ledger},
};

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

/// Adds a player's balance of one asset to what is read with their profile.
pub fn join_balance(select: &mut SelectStatement, asset: Asset) {
    use user_game_wallet::Column;
    let of_asset = Column::Asset.eq(asset.as_str());
    beside::join::<user_game_wallet::Entity>(select, WALLET, [Column::Balance], of_asset);
}

/// What [`join_balance`] has brought; 0 if the player never held any.
pub fn joined_balance(rows: &[QueryResult]) -> Result<i64, DbError> {
    let wallets = beside::joined::<Wallet>(rows, WALLET)?;
    Ok(wallets.first().map_or(0, |wallet| wallet.balance))
}

#[derive(FromQueryResult)]
struct Wallet {
    balance: i64,
}

const WALLET: &str = "wallet_";

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
