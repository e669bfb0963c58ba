//! The wallets of many players at once, in a number of statements that does not depend on how many.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, NotSet,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, StreamTrait,
    sea_query::{CaseStatement, Expr, IntoColumnRef, SimpleExpr},
};
use xmas_kernel::{
    Asset, UserId,
    db::{DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::{
    GrantSource, PointGrant, PointOccasion, RewardState, RewardType,
    entity::{reward_log, user_game_wallet, wallet_ledger},
    store,
};

/// How many rows one statement carries: a receipt has 16 columns, and SQLite takes 32,766 values.
pub(crate) const ROWS_AT_ONCE: usize = 1_000;
/// Who moves balances when nobody in particular does.
const ACTOR: &str = "system";

/// [`crate::RewardLedger::grant_points_many_in_tx`].
pub(crate) async fn grant_points(
    tx: &DatabaseTransaction,
    grants: &[PointGrant],
    occasion: &PointOccasion,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, DbError> {
    let mut given = Vec::with_capacity(grants.len());
    for grants in grants.chunks(ROWS_AT_ONCE) {
        let keys = grants.iter().map(|grant| grant.grant_key.as_str());
        let known = known_grants(tx, keys).await?;
        let new = grants
            .iter()
            .filter(|grant| !known.contains(&grant.grant_key));
        let new: Vec<&PointGrant> = new.collect();
        if new.is_empty() {
            continue;
        }
        insert_receipts(tx, &new, occasion, now).await?;
        let credits = new.iter().filter(|grant| grant.points > 0);
        let credits = credits.map(|grant| Move {
            user_id: grant.user_id,
            delta: grant.points,
            reference: &grant.grant_key,
        });
        let credits: Vec<Move<'_>> = credits.collect();
        let points = Moved {
            asset: Asset::Point,
            reason: occasion.source.ledger_reason(),
            actor: ACTOR,
        };
        if let Some(player) = move_many(tx, &credits, &points, now).await?.first() {
            let problem = format!("the points of player {player} overflow");
            return Err(DbError::Corrupt(problem));
        }
        given.extend(new.iter().map(|grant| grant.user_id));
    }
    Ok(given)
}

async fn insert_receipts(
    tx: &DatabaseTransaction,
    grants: &[&PointGrant],
    occasion: &PointOccasion,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let receipts = grants.iter().map(|grant| reward_log::ActiveModel {
        id: NotSet,
        user_id: Set(grant.user_id.0),
        grant_key: Set(grant.grant_key.clone()),
        source: Set(occasion.source.as_str().to_owned()),
        reward_type: Set(RewardType::Point.as_str().to_owned()),
        amount: Set(grant.points),
        reward_item: NotSet,
        label: Set(Some(occasion.label.clone())),
        state: Set(RewardState::Delivered.as_str().to_owned()),
        reason: NotSet,
        season_id: Set(Some(occasion.season_id.0)),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
        delivered_at: Set(Some(Timestamp(now))),
        reviewed_at: NotSet,
        reviewed_by: NotSet,
    });
    reward_log::Entity::insert_many(receipts)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// One wallet among many to be changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move<'a> {
    pub(crate) user_id: UserId,
    /// Not 0.
    pub(crate) delta: i64,
    /// As the ledger says it.
    pub(crate) reference: &'a str,
}

/// What many moves have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved<'a> {
    pub(crate) asset: Asset,
    pub(crate) reason: &'a str,
    pub(crate) actor: &'a str,
}

/// Moves balances and appends to ledgers: four statements at most, whatever the number of wallets. At
/// most [`ROWS_AT_ONCE`] moves, each of another player's wallet. Nobody else moves them: the caller has
/// locked the players.
///
/// Returns whose balance would fall below zero or overflow. These are left as they are.
pub(crate) async fn move_many(
    tx: &DatabaseTransaction,
    moves: &[Move<'_>],
    common: &Moved<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<UserId>, DbError> {
    let users = moves.iter().map(|one| one.user_id);
    let before = store::lock_balances_of(tx, common.asset, users).await?;
    let mut done = Vec::with_capacity(moves.len());
    let mut impossible = Vec::new();
    for one in moves {
        let after = before.get(&one.user_id).copied().unwrap_or(0);
        let after = after.checked_add(one.delta);
        match after.filter(|balance| *balance >= 0) {
            Some(balance) => done.push((*one, balance)),
            None => impossible.push(one.user_id),
        }
    }
    let is_there = |(one, _): &(Move<'_>, i64)| before.contains_key(&one.user_id);
    let (old, new): (Vec<_>, Vec<_>) = done.iter().copied().partition(is_there);
    update_wallets(tx, &old, common.asset, now).await?;
    insert_wallets(tx, &new, common.asset, now).await?;
    let rows = done
        .iter()
        .map(|(one, balance)| wallet_ledger::ActiveModel {
            id: NotSet,
            user_id: Set(one.user_id.0),
            asset: Set(common.asset.as_str().to_owned()),
            delta: Set(one.delta),
            balance_after: Set(*balance),
            reason: Set(common.reason.to_owned()),
            reference: Set(one.reference.to_owned()),
            actor: Set(common.actor.to_owned()),
            created_at: Set(Timestamp(now)),
        });
    if !done.is_empty() {
        wallet_ledger::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(impossible)
}

async fn update_wallets(
    tx: &DatabaseTransaction,
    moves: &[(Move<'_>, i64)],
    asset: Asset,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use user_game_wallet::Column;
    if moves.is_empty() {
        return Ok(());
    }
    let deltas = moves.iter().map(|(one, _)| (one.user_id, one.delta));
    let delta = by_value(Column::UserId, deltas);
    let updated = user_game_wallet::Entity::update_many()
        .col_expr(Column::Balance, Expr::col(Column::Balance).add(delta))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::Asset.eq(asset.as_str()))
        .filter(Column::UserId.is_in(moves.iter().map(|(one, _)| one.user_id.0)))
        .exec(tx)
        .await?;
    if updated.rows_affected != moves.len() as u64 {
        return Err(DbError::Overtaken("wallets of a batch".to_owned()));
    }
    Ok(())
}

/// To each player their number, as an expression over the column that has the player's id.
pub(crate) fn by_value(
    user_id: impl IntoColumnRef + Copy,
    numbers: impl Iterator<Item = (UserId, i64)>,
) -> SimpleExpr {
    // Most have the same.
    let mut users_of: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (player, number) in numbers {
        users_of.entry(number).or_default().push(player.0);
    }
    match users_of.first_key_value() {
        Some((number, _)) if users_of.len() == 1 => Expr::value(*number),
        _ => {
            let mut cases = CaseStatement::new();
            for (number, users) in users_of {
                cases = cases.case(Expr::col(user_id).is_in(users), Expr::value(number));
            }
            cases.into()
        }
    }
}

async fn insert_wallets(
    tx: &DatabaseTransaction,
    moves: &[(Move<'_>, i64)],
    asset: Asset,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    if moves.is_empty() {
        return Ok(());
    }
    let wallets = moves
        .iter()
        .map(|(one, balance)| user_game_wallet::ActiveModel {
            user_id: Set(one.user_id.0),
            asset: Set(asset.as_str().to_owned()),
            balance: Set(*balance),
            updated_at: Set(Timestamp(now)),
        });
    user_game_wallet::Entity::insert_many(wallets)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Whether a grant was ever given.
pub async fn has_grant(conn: &impl ConnectionTrait, grant_key: &str) -> Result<bool, DbError> {
    let row = reward_log::Entity::find()
        .select_only()
        .column(reward_log::Column::Id)
        .filter(reward_log::Column::GrantKey.eq(grant_key))
        .into_tuple::<i64>()
        .one(conn)
        .await?;
    Ok(row.is_some())
}

/// Those of the grants that were ever given. They are as many as one statement carries.
pub async fn known_grants(
    conn: &impl ConnectionTrait,
    grant_keys: impl IntoIterator<Item = &str>,
) -> Result<HashSet<String>, DbError> {
    let known: Vec<String> = reward_log::Entity::find()
        .select_only()
        .column(reward_log::Column::GrantKey)
        .filter(reward_log::Column::GrantKey.is_in(grant_keys))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(known.into_iter().collect())
}

/// How many players were given something for an occasion, whose grant keys begin with `prefix`.
pub async fn count_given(
    conn: &impl ConnectionTrait,
    source: GrantSource,
    prefix: &str,
) -> Result<u64, DbError> {
    Ok(given_for(source, prefix).count(conn).await?)
}

/// What was given for an occasion, whose grant keys begin with `prefix`, which ends with a colon.
fn given_for(source: GrantSource, prefix: &str) -> Select<reward_log::Entity> {
    use reward_log::Column;
    // The first text after all that begin with the prefix.
    let end = format!("{};", prefix.trim_end_matches(':'));
    reward_log::Entity::find()
        .filter(Column::GrantKey.gte(prefix))
        .filter(Column::GrantKey.lt(end))
        .filter(Column::Source.eq(source.as_str()))
}

/// Everybody who was given points for an occasion, in ascending id, however many they are: player
/// and points. The grant keys of the occasion begin with `prefix`, which ends with a colon.
pub async fn given_points<'c, C>(
    conn: &'c C,
    source: GrantSource,
    prefix: &str,
) -> Result<impl Stream<Item = Result<(UserId, i64), DbError>> + 'c, DbError>
where
    C: ConnectionTrait + StreamTrait + Send,
{
    use reward_log::Column;
    let rows = given_for(source, prefix)
        .select_only()
        .column(Column::UserId)
        .column(Column::Amount)
        .order_by_asc(Column::UserId)
        .into_tuple::<(i64, i64)>()
        .stream(conn)
        .await?;
    Ok(rows.map(|row: Result<(i64, i64), DbErr>| {
        let (user_id, points) = row?;
        Ok((UserId(user_id), points))
    }))
}
