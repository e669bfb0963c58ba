use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait,
    FromQueryResult, IdenStatic, Iterable, QueryFilter, QueryResult,
    sea_query::{Expr, LockBehavior, LockType, Order, SelectStatement},
};
use serde::de::DeserializeOwned;
use xmas_kernel::{
    UserId,
    db::{DbError, Found, Timestamp, padded},
    idempotency::{self, IdempotencyError, RequestKey},
};
use xmas_time::EventDay;

use crate::{
    beside,
    entity::user_profiles::{Column, Entity, Model},
};

/// Whom a verified token speaks for, and the epoch it was minted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    pub user_id: UserId,
    pub token_epoch: i64,
}

/// What a profile says about a player who may act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The account level: starts at 1 and never falls.
    pub account_level: i64,
}

/// Why a valid token does not let its bearer act.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The account is gone, or its epoch has been raised since the token was minted.
    #[error("the token is no longer good")]
    StaleToken,
    #[error("the player is blocked")]
    Blocked,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Proof that the player's profile row is locked until the transaction ends, and that the player
/// may act.
#[derive(Debug)]
pub struct LockedPlayer {
    user_id: UserId,
    account_level: i64,
    token_epoch: i64,
    last_key_on: Option<EventDay>,
    is_anonymised: bool,
}

impl LockedPlayer {
    /// The caller has locked or inserted the row in its transaction.
    pub(crate) fn new(row: &Model) -> Self {
        Self {
            user_id: UserId(row.user_id),
            account_level: row.level,
            token_epoch: row.token_epoch,
            last_key_on: row.last_key_on.map(EventDay::from),
            is_anonymised: row.anonymised_at.is_some(),
        }
    }

    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The account level when the lock was taken.
    pub fn account_level(&self) -> i64 {
        self.account_level
    }

    /// The last day on which the player had collected a bridge key when the lock was taken.
    pub fn last_key_on(&self) -> Option<EventDay> {
        self.last_key_on
    }

    /// Whether the player was anonymised, so that nothing may reach them any more.
    pub fn is_anonymised(&self) -> bool {
        self.is_anonymised
    }

    /// The identity that a token minted now would carry.
    pub fn identity(&self) -> Identity {
        Identity {
            user_id: self.user_id,
            token_epoch: self.token_epoch,
        }
    }
}

/// Locks the player before anything else is read or written for them (docs/ARCHITECTURE.md, "Rules that
/// must not break").
pub async fn lock_in_tx(
    tx: &DatabaseTransaction,
    identity: &Identity,
) -> Result<LockedPlayer, AccessError> {
    let row = locked_row(tx, identity.user_id).await?;
    Ok(LockedPlayer::new(&admit(row, identity)?))
}

/// Locks a player for work that no token of theirs asked for and that gives them nothing, whatever their
/// status and also when they were anonymised. Whoever gives something asks [`crate::lock_recipient_in_tx`].
/// `None` if there is no such player.
pub async fn lock_by_id_in_tx(
    tx: &DatabaseTransaction,
    user_id: UserId,
) -> Result<Option<LockedPlayer>, DbError> {
    let row = locked_row(tx, user_id).await?;
    Ok(row.as_ref().map(LockedPlayer::new))
}

/// How a use case goes on after it has locked its player.
#[derive(Debug)]
pub enum Entry<T, R> {
    /// An earlier request with the same key did it; this is its result.
    Replay(T),
    Run(LockedPlayer, R),
}

/// Opens a use case: locks the player, and looks for an earlier answer to the same request, in one statement.
///
/// `ready` is what the use case found out before its transaction began, such as whether the feature
/// is on. It is passed in undecided, because an earlier answer is given again even when the feature
/// has been switched off since; otherwise its error comes before the player's own.
pub async fn enter_in_tx<T, R, E>(
    tx: &DatabaseTransaction,
    identity: &Identity,
    request: Option<&RequestKey>,
    ready: Result<R, E>,
) -> Result<Entry<T, R>, E>
where
    T: DeserializeOwned,
    E: From<AccessError> + From<IdempotencyError>,
{
    let entry = enter_beside_in_tx(tx, identity, request, ready, |_, _| {}).await?;
    Ok(match entry {
        Entry::Replay(result) => Entry::Replay(result),
        Entry::Run(player, (ready, _)) => Entry::Run(player, ready),
    })
}

/// As [`enter_in_tx`], and in the same statement reads and locks what `join` adds to it (see [`beside`]).
pub async fn enter_beside_in_tx<T, R, E>(
    tx: &DatabaseTransaction,
    identity: &Identity,
    request: Option<&RequestKey>,
    ready: Result<R, E>,
    join: impl FnOnce(&mut SelectStatement, &R),
) -> Result<Entry<T, (R, Vec<QueryResult>)>, E>
where
    T: DeserializeOwned,
    E: From<AccessError> + From<IdempotencyError>,
{
    let mut select = beside::profile(identity.user_id);
    if let Some(request) = request {
        let of_request = idempotency::Column::IdemKey.eq(request.as_str());
        let columns = idempotency::Column::iter();
        beside::join::<idempotency::Entity>(&mut select, KEY, columns, of_request);
    }
    if let Ok(ready) = &ready {
        join(&mut select, ready);
    }
    let (row, rows) = locked_rows(tx, select).await.map_err(AccessError::from)?;
    let player = match admit(row, identity) {
        Ok(row) => LockedPlayer::new(&row),
        Err(refusal) => {
            ready?;
            return Err(refusal.into());
        }
    };
    if let Some(request) = request {
        let stored = beside::joined(&rows, KEY).map_err(IdempotencyError::from)?;
        if let Some(earlier) = idempotency::found_beside(stored.into_iter().next(), request)? {
            return Ok(Entry::Replay(earlier));
        }
    }
    Ok(Entry::Run(player, (ready?, rows)))
}

/// How [`enter_free_in_tx`] goes on with one of the players. `None`: somebody else has locked them.
pub type Entered<T, E> = Option<Result<Entry<T, Vec<QueryResult>>, E>>;

/// Opens a use case of several players, each of whom is there once, as [`enter_beside_in_tx`] does for one.
///
/// Nobody waits for another's lock here: whoever is locked is left out.
pub async fn enter_free_in_tx<T, E>(
    tx: &DatabaseTransaction,
    asking: &[(Identity, Option<&RequestKey>)],
    join: impl FnOnce(&mut SelectStatement),
) -> Result<Vec<Entered<T, E>>, DbError>
where
    T: DeserializeOwned,
    E: From<AccessError> + From<IdempotencyError>,
{
    let players = asking.iter().map(|(identity, _)| identity.user_id);
    let free = lock_free(tx, players.collect()).await?;
    if free.is_empty() {
        return Ok(asking.iter().map(|_| None).collect());
    }
    let mut select = beside::profiles(&padded(free.clone()));
    join(&mut select);
    select.lock_exclusive();
    let mut rows: HashMap<UserId, Vec<QueryResult>> = HashMap::new();
    for row in tx.query_all(&select).await? {
        let player = UserId(row.try_get_by(Column::UserId.as_str())?);
        rows.entry(player).or_default().push(row);
    }
    let keys = asking.iter().filter_map(|(identity, request)| {
        let request = (*request)?;
        free.contains(&identity.user_id)
            .then_some((identity.user_id, request))
    });
    let mut earlier = idempotency::find_many_in_tx(tx, &keys.collect::<Vec<_>>()).await?;
    let entered = asking.iter().map(|(identity, _)| {
        let player = identity.user_id;
        // Nobody locks who is not there.
        let is_free = free.contains(&player);
        let rows = rows.remove(&player).unwrap_or_default();
        is_free.then(|| {
            let row = rows.first().map(|row| Model::from_query_result(row, ""));
            let row = row
                .transpose()
                .map_err(|error| AccessError::from(DbError::from(error)))?;
            let player = LockedPlayer::new(&admit(row, identity)?);
            Ok(match earlier.remove(&player.user_id).transpose()? {
                Some(result) => Entry::Replay(result),
                None => Entry::Run(player, rows),
            })
        })
    });
    Ok(entered.collect())
}

/// Locks those of the players whom nobody else has locked. SQLite locks all that there is at BEGIN.
async fn lock_free(tx: &DatabaseTransaction, players: Vec<UserId>) -> Result<Vec<UserId>, DbError> {
    if tx.get_database_backend() == DbBackend::Sqlite {
        return Ok(players);
    }
    let select = beside::profiles(&padded(players))
        .clear_selects()
        .column(Column::UserId)
        .order_by(Column::UserId, Order::Asc)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .take();
    let rows = tx.query_all(&select).await?;
    let players = rows.iter().map(|row| Ok(UserId(row.try_get_by(0)?)));
    players.collect()
}

const KEY: &str = "key_";

/// Reads and locks what `join` adds, for a player who was locked in an earlier statement (see [`beside`]).
pub async fn lock_beside_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    join: impl FnOnce(&mut SelectStatement),
) -> Result<Vec<QueryResult>, DbError> {
    let mut select = beside::profile(player.user_id);
    join(&mut select);
    let (_, rows) = locked_rows(tx, select).await?;
    Ok(rows)
}

async fn locked_row(tx: &DatabaseTransaction, user_id: UserId) -> Result<Option<Model>, DbError> {
    let (row, _) = locked_rows(tx, beside::profile(user_id)).await?;
    Ok(row)
}

async fn locked_rows(
    tx: &DatabaseTransaction,
    mut select: SelectStatement,
) -> Result<(Option<Model>, Vec<QueryResult>), DbError> {
    select.lock_exclusive();
    beside::read(tx, &select).await
}

/// Checks for a read that the token is still good, without locking.
pub async fn check(
    conn: &impl ConnectionTrait,
    identity: &Identity,
) -> Result<Profile, AccessError> {
    let (row, _) = beside::read(conn, &beside::profile(identity.user_id)).await?;
    UncheckedProfile::check(row.map(UncheckedProfile), identity)
}

/// A profile that was read for several requests at once: whether they may act is not known yet.
#[derive(Clone, Debug)]
pub struct UncheckedProfile(pub(crate) Model);

impl UncheckedProfile {
    /// As [`check`], of a profile that was read before; `None` if there is no such player.
    pub fn check(found: Option<Self>, identity: &Identity) -> Result<Profile, AccessError> {
        let row = admit(found.map(|found| found.0), identity)?;
        Ok(Profile {
            account_level: row.level,
        })
    }
}

/// Reads the profiles of these players, and in the same statement what `join` adds to each (see [`beside`]), which is one
/// row and of which `read` makes something. Whoever is no player is left out.
pub async fn read_beside_many<V>(
    conn: &impl ConnectionTrait,
    players: &[UserId],
    join: impl FnOnce(&mut SelectStatement),
    read: impl Fn(UncheckedProfile, &QueryResult) -> Result<V, DbError>,
) -> Result<Found<UserId, V>, DbError> {
    let mut select = beside::profiles(players);
    join(&mut select);
    let found = conn.query_all(&select).await?.into_iter().map(|row| {
        let player = UserId(row.try_get_by(Column::UserId.as_str())?);
        let profile = Model::from_query_result(&row, "").map_err(DbError::from);
        let read = profile.and_then(|profile| read(UncheckedProfile(profile), &row));
        Ok((player, read))
    });
    found.collect()
}

/// A block answers first: it also raised the epoch, and the player should learn the real reason.
fn admit(row: Option<Model>, identity: &Identity) -> Result<Model, AccessError> {
    let row = row.filter(|row| row.anonymised_at.is_none());
    let row = row.ok_or(AccessError::StaleToken)?;
    if row.is_blocked {
        return Err(AccessError::Blocked);
    }
    if row.token_epoch != identity.token_epoch {
        return Err(AccessError::StaleToken);
    }
    Ok(row)
}

/// Raises the account level by `by` (≥ 1), for season levels reached for the first time.
pub async fn raise_level_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    by: i64,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::Level, Expr::col(Column::Level).add(by))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.eq(player.user_id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes every token minted so far worthless, and returns the identity for new ones.
pub async fn raise_epoch_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    now: DateTime<Utc>,
) -> Result<Identity, DbError> {
    let token_epoch = player.token_epoch + 1;
    Entity::update_many()
        .col_expr(Column::TokenEpoch, Expr::value(token_epoch))
        .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(Column::UserId.eq(player.user_id.0))
        .exec(tx)
        .await?;
    Ok(Identity {
        user_id: player.user_id,
        token_epoch,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn row(is_blocked: bool, token_epoch: i64) -> Model {
        Model {
            user_id: 7,
            level: 1,
            event_key_count: 0,
            event_pending_points: 0,
            last_key_on: None,
            is_blocked,
            token_epoch,
            updated_at: Timestamp(DateTime::UNIX_EPOCH),
            anonymised_at: None,
        }
    }

    #[test]
    fn no_token_speaks_for_an_anonymised_player() {
        let identity = Identity {
            user_id: UserId(7),
            token_epoch: 3,
        };
        for is_blocked in [false, true] {
            let mut row = row(is_blocked, 3);
            row.anonymised_at = Some(Timestamp(DateTime::UNIX_EPOCH));
            let refused = admit(Some(row), &identity);
            assert!(matches!(refused, Err(AccessError::StaleToken)));
        }
    }

    #[test]
    fn a_block_is_told_before_a_stale_epoch() {
        let identity = Identity {
            user_id: UserId(7),
            token_epoch: 3,
        };
        assert!(admit(Some(row(false, 3)), &identity).is_ok());
        assert!(matches!(
            admit(Some(row(true, 4)), &identity),
            Err(AccessError::Blocked)
        ));
        assert!(matches!(
            admit(Some(row(false, 4)), &identity),
            Err(AccessError::StaleToken)
        ));
        assert!(matches!(
            admit(None, &identity),
            Err(AccessError::StaleToken)
        ));
    }
}
