//! Points for many players at once, in a number of statements that does not depend on how many.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    ExprTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, StreamTrait, sea_query::Expr,
};
use xmas_kernel::{
    Asset, UserId,
    db::{DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::{
    GrantSource, PointGrant, PointOccasion, RewardState, RewardType,
    entity::{reward_log, user_game_wallet, wallet_ledger},
};

/// How many rows one statement carries: a receipt has 16 columns, and SQLite takes 32,766 values.
const ROWS_AT_ONCE: usize = 1_000;
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
        let known = known_keys(tx, grants).await?;
        let new = grants
            .iter()
            .filter(|grant| !known.contains(&grant.grant_key));
        let new: Vec<&PointGrant> = new.collect();
        if new.is_empty() {
            continue;
        }
        insert_receipts(tx, &new, occasion, now).await?;
        let credits = new.iter().copied().filter(|grant| grant.points > 0);
        let credits: Vec<&PointGrant> = credits.collect();
        if !credits.is_empty() {
            credit(tx, &credits, occasion.source, now).await?;
        }
        given.extend(new.iter().map(|grant| grant.user_id));
    }
    Ok(given)
}

async fn known_keys(
    tx: &DatabaseTransaction,
    grants: &[PointGrant],
) -> Result<HashSet<String>, DbError> {
    let keys = grants.iter().map(|grant| grant.grant_key.as_str());
    let keys: Vec<String> = reward_log::Entity::find()
        .select_only()
        .column(reward_log::Column::GrantKey)
        .filter(reward_log::Column::GrantKey.is_in(keys))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(keys.into_iter().collect())
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

/// Raises balances and appends to ledgers. Nobody else moves them: the players are locked.
async fn credit(
    tx: &DatabaseTransaction,
    grants: &[&PointGrant],
    source: GrantSource,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use user_game_wallet::Column;
    let asset = Asset::Point.as_str();
    let ids = grants.iter().map(|grant| grant.user_id.0);
    let balances: HashMap<i64, i64> = user_game_wallet::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::Balance)
        .filter(Column::Asset.eq(asset))
        .filter(Column::UserId.is_in(ids))
        .into_tuple::<(i64, i64)>()
        .all(tx)
        .await?
        .into_iter()
        .collect();
    let mut after = Vec::with_capacity(grants.len());
    for grant in grants {
        let before = balances.get(&grant.user_id.0).copied().unwrap_or(0);
        let balance = before.checked_add(grant.points);
        after.push(
            balance.ok_or_else(|| DbError::Corrupt(format!("{} overflows", grant.grant_key)))?,
        );
    }
    // Most are given the same: one statement for each amount.
    let mut by_points: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut new = Vec::new();
    for (grant, balance) in grants.iter().zip(&after) {
        if balances.contains_key(&grant.user_id.0) {
            by_points
                .entry(grant.points)
                .or_default()
                .push(grant.user_id.0);
        } else {
            new.push(user_game_wallet::ActiveModel {
                user_id: Set(grant.user_id.0),
                asset: Set(asset.to_owned()),
                balance: Set(*balance),
                updated_at: Set(Timestamp(now)),
            });
        }
    }
    for (points, players) in by_points {
        let expected = players.len() as u64;
        let updated = user_game_wallet::Entity::update_many()
            .col_expr(Column::Balance, Expr::col(Column::Balance).add(points))
            .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
            .filter(Column::Asset.eq(asset))
            .filter(Column::UserId.is_in(players))
            .exec(tx)
            .await?;
        if updated.rows_affected != expected {
            let problem = "wallets moved under the locks of their players";
            return Err(DbError::Corrupt(problem.to_owned()));
        }
    }
    if !new.is_empty() {
        user_game_wallet::Entity::insert_many(new)
            .exec_without_returning(tx)
            .await?;
    }
    let rows = grants.iter().zip(after);
    let rows = rows.map(|(grant, balance)| wallet_ledger::ActiveModel {
        id: NotSet,
        user_id: Set(grant.user_id.0),
        asset: Set(asset.to_owned()),
        delta: Set(grant.points),
        balance_after: Set(balance),
        reason: Set(source.ledger_reason().to_owned()),
        reference: Set(grant.grant_key.clone()),
        actor: Set(ACTOR.to_owned()),
        created_at: Set(Timestamp(now)),
    });
    wallet_ledger::Entity::insert_many(rows)
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
    // The first text after all that begin with the prefix.
    let end = format!("{};", prefix.trim_end_matches(':'));
    let rows = reward_log::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::Amount)
        .filter(Column::GrantKey.gte(prefix))
        .filter(Column::GrantKey.lt(end))
        .filter(Column::Source.eq(source.as_str()))
        .order_by_asc(Column::UserId)
        .into_tuple::<(i64, i64)>()
        .stream(conn)
        .await?;
    Ok(rows.map(|row: Result<(i64, i64), DbErr>| {
        let (user_id, points) = row?;
        Ok((UserId(user_id), points))
    }))
}
