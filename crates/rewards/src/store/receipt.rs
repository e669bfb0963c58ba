use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect,
};
use xmas_kernel::{
    RewardId, UnknownName, UserId,
    db::{DbError, Timestamp, portions},
    paging::{Cursor, Limit, Page},
};
use xmas_players::LockedPlayer;
use xmas_time::EventDay;

use crate::{
    Grant, GrantSource, Reward, RewardReceipt, RewardState, RewardType, entity::reward_log,
};

/// A receipt to be written.
pub(crate) type NewReceipt = reward_log::ActiveModel;

/// The receipt of a grant, of which it is known whether it is delivered at once.
pub(crate) fn receipt_of(
    player: &LockedPlayer,
    grant: &Grant,
    (state, reason): (RewardState, Option<&str>),
    now: DateTime<Utc>,
) -> NewReceipt {
    let delivered_at = (state == RewardState::Delivered).then_some(Timestamp(now));
    reward_log::ActiveModel {
        id: NotSet,
        user_id: Set(player.user_id().0),
        grant_key: Set(grant.grant_key.clone()),
        source: Set(grant.source.as_str().to_owned()),
        reward_type: Set(grant.reward.kind().as_str().to_owned()),
        amount: Set(grant.reward.amount()),
        reward_item: Set(grant.reward.item()),
        label: Set(grant.label.clone()),
        state: Set(state.as_str().to_owned()),
        reason: Set(reason.map(str::to_owned)),
        season_id: Set(grant.season_id.map(|season| season.0)),
        event_day: Set(EventDay::of(now).date()),
        created_at: Set(Timestamp(now)),
        delivered_at: Set(delivered_at),
        reviewed_at: Set(None),
        reviewed_by: Set(None),
    }
}

/// Writes receipts in one statement, or a few if they are many. Their keys decide that each is there once.
pub(crate) async fn insert_receipts(
    tx: &DatabaseTransaction,
    receipts: Vec<NewReceipt>,
) -> Result<(), DbError> {
    for some in portions(receipts) {
        reward_log::Entity::insert_many(some)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn state(row: &reward_log::Model) -> Result<RewardState, DbError> {
    row.state
        .parse()
        .map_err(|error| DbError::Corrupt(format!("reward_log {}: {error}", row.id)))
}

fn receipt(row: reward_log::Model) -> Result<RewardReceipt, DbError> {
    let corrupt = |problem: String| DbError::Corrupt(format!("reward_log {}: {problem}", row.id));
    let kind: RewardType = row
        .reward_type
        .parse()
        .map_err(|error: UnknownName| corrupt(error.to_string()))?;
    let source = row.source.parse();
    let source = source.map_err(|error: UnknownName| corrupt(error.to_string()))?;
    let reward = match (source, kind, row.reward_item) {
        // Which may be negative.
        (GrantSource::Correction, RewardType::Xp, None) => Ok(Reward::xp_correction(row.amount)),
        _ => Reward::from_parts(kind, row.amount, row.reward_item),
    };
    Ok(RewardReceipt {
        id: RewardId(row.id),
        user_id: UserId(row.user_id),
        reward: reward.map_err(|error| corrupt(error.to_string()))?,
        state: state(&row)?,
        grant_key: row.grant_key,
        source,
        label: row.label,
        reason: row.reason,
        created_at: row.created_at.0,
        reviewed_at: row.reviewed_at.map(|at| at.0),
        reviewed_by: row.reviewed_by,
    })
}

pub(crate) async fn find_receipt(
    conn: &impl ConnectionTrait,
    id: RewardId,
) -> Result<Option<RewardReceipt>, DbError> {
    let row = reward_log::Entity::find_by_id(id.0).one(conn).await?;
    row.map(receipt).transpose()
}

/// Receipts that wait for an admin, newest first.
pub(crate) async fn pending(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<RewardReceipt>, DbError> {
    use reward_log::Column;
    let mut query =
        reward_log::Entity::find().filter(Column::State.eq(RewardState::PendingReview.as_str()));
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows: Vec<RewardReceipt> = rows.into_iter().map(receipt).collect::<Result<_, _>>()?;
    Ok(Page::from_overfetched(rows, limit, |row| row.id.0))
}

/// A player's receipts that wait for an admin.
pub(crate) async fn pending_of(
    conn: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<RewardReceipt>, DbError> {
    use reward_log::Column;
    let rows = reward_log::Entity::find()
        .filter(Column::UserId.eq(user_id.0))
        .filter(Column::State.eq(RewardState::PendingReview.as_str()))
        .order_by_asc(Column::Id)
        .all(conn)
        .await?;
    rows.into_iter().map(receipt).collect()
}

/// Ends the wait of a receipt; `false` if it does not wait any more.
pub(crate) async fn end_wait(
    tx: &DatabaseTransaction,
    id: RewardId,
    (state, reason): (RewardState, Option<&str>),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use reward_log::Column;
    let delivered_at = (state == RewardState::Delivered).then_some(Timestamp(now));
    let updated = reward_log::Entity::update_many()
        .set(reward_log::ActiveModel {
            state: Set(state.as_str().to_owned()),
            reason: Set(reason.map(str::to_owned)),
            delivered_at: Set(delivered_at),
            reviewed_at: Set(Some(Timestamp(now))),
            reviewed_by: Set(Some(actor.to_owned())),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq(RewardState::PendingReview.as_str()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}
