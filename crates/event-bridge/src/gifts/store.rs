use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    BridgeId, GiftId, UnknownName, UserId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
};

use super::model::{Gift, GiftState, GiftTally};
use crate::{
    BridgeDay,
    entity::{gift, gift_key},
};

/// What has become of one key of a gift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub(super) enum KeyState {
    Given,
    /// The player has done the day's mission since.
    Earned,
    Taken,
    Kept,
}

impl KeyState {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A gift to be.
pub(super) struct NewGift<'a> {
    pub(super) bridge: BridgeId,
    pub(super) day: &'a BridgeDay,
    pub(super) player: Option<UserId>,
    pub(super) state: GiftState,
    pub(super) reason: &'a str,
    pub(super) actor: &'a str,
}

fn gift_of(row: gift::Model) -> Result<Gift, DbError> {
    let corrupt = |error: UnknownName| DbError::Corrupt(format!("gift {}: {error}", row.id));
    Ok(Gift {
        id: GiftId(row.id),
        bridge: BridgeId(row.bridge_id),
        day_number: row.day_number,
        state: row.state.parse().map_err(corrupt)?,
        event_type: row.event_type,
        points: row.points,
        player: row.user_id.map(UserId),
        reason: row.reason,
        actor: row.actor,
        created_at: row.created_at.0,
        finished_at: row.finished_at.map(|at| at.0),
        reverted_at: row.reverted_at.map(|at| at.0),
    })
}

/// Registers a gift. The caller has locked its bridge.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    new: &NewGift<'_>,
    now: DateTime<Utc>,
) -> Result<Gift, DbError> {
    let is_done = new.state == GiftState::Done;
    let mut row = gift::Model {
        id: 0,
        bridge_id: new.bridge.0,
        day_number: new.day.number,
        event_type: new.day.event_type.clone(),
        points: new.day.points,
        user_id: new.player.map(|player| player.0),
        state: new.state.as_str().to_owned(),
        reason: new.reason.to_owned(),
        actor: new.actor.to_owned(),
        created_at: Timestamp(now),
        finished_at: is_done.then_some(Timestamp(now)),
        reverted_at: None,
    };
    let inserted = gift::Entity::insert(gift::ActiveModel {
        id: NotSet,
        ..row.clone().into()
    });
    row.id = inserted.exec(tx).await?.last_insert_id;
    gift_of(row)
}

pub(super) async fn find(conn: &impl ConnectionTrait, id: GiftId) -> Result<Option<Gift>, DbError> {
    let row = gift::Entity::find_by_id(id.0).one(conn).await?;
    row.map(gift_of).transpose()
}

/// The gifts to everybody on a day of a bridge that are not taken back, newest first.
pub(super) async fn made_to_all(
    tx: &DatabaseTransaction,
    bridge: BridgeId,
    day_number: i64,
) -> Result<Vec<Gift>, DbError> {
    use gift::Column;
    let rows = gift::Entity::find()
        .filter(Column::BridgeId.eq(bridge.0))
        .filter(Column::DayNumber.eq(day_number))
        .filter(Column::UserId.is_null())
        .filter(Column::State.is_in([GiftState::Open.as_str(), GiftState::Done.as_str()]))
        .order_by_desc(Column::Id)
        .all(tx)
        .await?;
    rows.into_iter().map(gift_of).collect()
}

/// The gift that a player has the key of a day from, if they have not earned it and it was not taken back.
pub(super) async fn given_to(
    conn: &impl ConnectionTrait,
    player: UserId,
    (bridge, day_number): (BridgeId, i64),
) -> Result<Option<Gift>, DbError> {
    let own: Vec<i64> = gift_key::Entity::find()
        .select_only()
        .column(gift_key::Column::GiftId)
        .filter(gift_key::Column::UserId.eq(player.0))
        .filter(gift_key::Column::State.eq(KeyState::Given.as_str()))
        .into_tuple()
        .all(conn)
        .await?;
    let gift = gift::Entity::find()
        .filter(gift::Column::Id.is_in(own))
        .filter(gift::Column::BridgeId.eq(bridge.0))
        .filter(gift::Column::DayNumber.eq(day_number))
        .one(conn)
        .await?;
    gift.map(gift_of).transpose()
}

/// Gifts, newest first.
pub(super) async fn page(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<Gift>, DbError> {
    use gift::Column;
    let mut query = gift::Entity::find();
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows: Vec<Gift> = rows.into_iter().map(gift_of).collect::<Result<_, _>>()?;
    Ok(Page::from_overfetched(rows, limit, |gift| gift.id.0))
}

/// Takes a gift from one of the states to another; `false` if it is in none of them.
pub(super) async fn change(
    tx: &DatabaseTransaction,
    id: GiftId,
    from: &[GiftState],
    to: GiftState,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use gift::Column;
    let mut update = gift::Entity::update_many()
        .col_expr(Column::State, to.as_str().into())
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.is_in(from.iter().map(|state| state.as_str())));
    let at = match to {
        GiftState::Done => Some(Column::FinishedAt),
        GiftState::Reverted => Some(Column::RevertedAt),
        GiftState::Open | GiftState::Reverting => None,
    };
    if let Some(at) = at {
        update = update.col_expr(at, Expr::value(Timestamp(now)));
    }
    Ok(update.exec(tx).await?.rows_affected == 1)
}

/// Notes who got a key: as many players as one statement carries.
pub(super) async fn insert_keys(
    tx: &DatabaseTransaction,
    gift: GiftId,
    players: &[UserId],
) -> Result<(), DbError> {
    let rows = players.iter().map(|player| gift_key::ActiveModel {
        gift_id: Set(gift.0),
        user_id: Set(player.0),
        state: Set(KeyState::Given.as_str().to_owned()),
    });
    gift_key::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The next players after `after` who have a key of the gift, in ascending id.
pub(super) async fn next_holders(
    conn: &impl ConnectionTrait,
    gift: GiftId,
    after: UserId,
    limit: u64,
) -> Result<Vec<UserId>, DbError> {
    use gift_key::Column;
    let players: Vec<i64> = gift_key::Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::GiftId.eq(gift.0))
        .filter(Column::UserId.gt(after.0))
        .filter(Column::State.eq(KeyState::Given.as_str()))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(players.into_iter().map(UserId).collect())
}

/// Those of the players who have a key of the gift, in ascending id.
pub(super) async fn holders(
    conn: &impl ConnectionTrait,
    gift: GiftId,
    players: &[UserId],
) -> Result<Vec<UserId>, DbError> {
    use gift_key::Column;
    let holders: Vec<i64> = gift_key::Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::GiftId.eq(gift.0))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .filter(Column::State.eq(KeyState::Given.as_str()))
        .order_by_asc(Column::UserId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(holders.into_iter().map(UserId).collect())
}

/// Notes what has become of keys.
pub(super) async fn end_keys(
    tx: &DatabaseTransaction,
    gift: GiftId,
    players: &[UserId],
    state: KeyState,
) -> Result<(), DbError> {
    use gift_key::Column;
    if players.is_empty() {
        return Ok(());
    }
    gift_key::Entity::update_many()
        .col_expr(Column::State, state.as_str().into())
        .filter(Column::GiftId.eq(gift.0))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many keys a gift has, and what became of them.
pub(super) async fn tally(conn: &impl ConnectionTrait, gift: GiftId) -> Result<GiftTally, DbError> {
    let tallies = tallies(conn, &[gift]).await?;
    Ok(tallies.get(&gift).copied().unwrap_or_default())
}

/// As [`tally`], of each gift.
pub(super) async fn tallies(
    conn: &impl ConnectionTrait,
    gifts: &[GiftId],
) -> Result<HashMap<GiftId, GiftTally>, DbError> {
    use gift_key::Column;
    let rows: Vec<(i64, String, i64)> = gift_key::Entity::find()
        .select_only()
        .column(Column::GiftId)
        .column(Column::State)
        .column_as(Column::UserId.count(), "players")
        .filter(Column::GiftId.is_in(gifts.iter().map(|gift| gift.0)))
        .group_by(Column::GiftId)
        .group_by(Column::State)
        .into_tuple()
        .all(conn)
        .await?;
    let mut tallies: HashMap<GiftId, GiftTally> = HashMap::new();
    for (gift, state, players) in rows {
        let tally = tallies.entry(GiftId(gift)).or_default();
        let players = players.unsigned_abs();
        tally.given += players;
        if state == KeyState::Earned.as_str() {
            tally.earned += players;
        }
        if state == KeyState::Taken.as_str() {
            tally.taken += players;
        }
        if state == KeyState::Kept.as_str() {
            tally.kept += players;
        }
    }
    Ok(tallies)
}
