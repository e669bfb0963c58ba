//! `feature_log`: one row per play of any game, and `feature_redraw`: the draws of a play that
//! brought a prize of which nothing was left.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    Condition, ConnectionTrait, DatabaseTransaction, ExprTrait, NotSet, QueryOrder, QueryResult,
    QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use xmas_kernel::{
    ConfigId, Feature, OddsId, PlayId, UserId,
    db::{DbError, Timestamp, portions},
};
use xmas_players::beside;
use xmas_rewards::Reward;
use xmas_time::EventDay;

pub(crate) mod feature_log {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "feature_log")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: i64,
        pub feature_type: String,
        pub config_id: i64,
        pub odds_id: Option<i64>,
        pub nonce: i64,
        pub attempt: i64,
        pub entry_id: i64,
        pub took_stock: bool,
        pub outcome: String,
        pub is_win: bool,
        pub reward_type: String,
        pub reward_amount: i64,
        pub event_day: Date,
        pub created_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod feature_redraw {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "feature_redraw")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub play_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub attempt: i64,
        pub odds_id: i64,
        pub entry_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Adds how often a player has played a game on a day, which is also the nonce of their next play, to what is read
/// with their profile.
pub(crate) fn join_plays(select: &mut SelectStatement, feature: Feature, day: EventDay) {
    use feature_log::Column;
    // Nonces have no gaps, so the last one tells without counting; and it is found at the end of the index, where a
    // maximum would be looked for among all plays of the day.
    let last = Query::select()
        .column(Column::Nonce)
        .from(feature_log::Entity)
        .and_where(beside::of_player(feature_log::Entity))
        .and_where(Column::FeatureType.eq(feature.as_str()))
        .and_where(Column::EventDay.eq(day.date()))
        .order_by(Column::Nonce, Order::Desc)
        .limit(1)
        .to_owned();
    select.expr_as(Expr::SubQuery(None, Box::new(last.into())), LAST_NONCE);
}

/// What [`join_plays`] has brought.
pub(crate) fn joined_plays(rows: &[QueryResult]) -> Result<i64, DbError> {
    let last = rows
        .first()
        .map(|row| row.try_get::<Option<i64>>("", LAST_NONCE));
    Ok(last.transpose()?.flatten().map_or(0, |nonce| nonce + 1))
}

const LAST_NONCE: &str = "last_nonce";

/// An entry that was drawn from a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Draw {
    pub(crate) odds_id: OddsId,
    pub(crate) entry_id: i64,
}

/// A play to be logged.
pub(crate) struct Row<'a> {
    pub(crate) user_id: UserId,
    pub(crate) feature: Feature,
    pub(crate) config_id: ConfigId,
    pub(crate) nonce: i64,
    /// The draw that counts.
    pub(crate) draw: Draw,
    pub(crate) attempt: i64,
    /// The draws before it, whose prizes had run out.
    pub(crate) redraws: &'a [Draw],
    pub(crate) took_stock: bool,
    pub(crate) outcome: &'a serde_json::Value,
    pub(crate) is_win: bool,
    pub(crate) reward: Reward,
    pub(crate) at: DateTime<Utc>,
}

/// Logs plays of several players, and returns their numbers in the same order.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    plays: &[Row<'_>],
) -> Result<Vec<PlayId>, DbError> {
    let mut numbers = Vec::with_capacity(plays.len());
    for some in portions(plays.iter().collect()) {
        let first = feature_log::Entity::insert_many(some.iter().map(|play| logged(play)))
            .exec(tx)
            .await?
            .last_insert_id;
        match (&*some, first) {
            ([_], Some(only)) => numbers.push(PlayId(only)),
            _ => numbers.extend(numbers_of(tx, &some).await?),
        }
    }
    let numbered = || plays.iter().zip(&numbers);
    let redraws = numbered().flat_map(|(play, number)| {
        let attempts = (0..).zip(play.redraws);
        attempts.map(|(attempt, draw)| feature_redraw::ActiveModel {
            play_id: Set(number.0),
            attempt: Set(attempt),
            odds_id: Set(draw.odds_id.0),
            entry_id: Set(draw.entry_id),
        })
    });
    for some in portions(redraws.collect()) {
        feature_redraw::Entity::insert_many(some)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(numbers)
}

/// The numbers of plays that were logged together: what a server says of its counter does not tell them all.
async fn numbers_of(tx: &DatabaseTransaction, plays: &[&Row<'_>]) -> Result<Vec<PlayId>, DbError> {
    use feature_log::Column;
    let mut logged = Condition::any();
    for play in plays {
        logged = logged.add(
            Column::UserId
                .eq(play.user_id.0)
                .and(Column::FeatureType.eq(play.feature.as_str()))
                .and(Column::EventDay.eq(EventDay::of(play.at).date()))
                .and(Column::Nonce.eq(play.nonce)),
        );
    }
    let rows: Vec<(i64, i64)> = feature_log::Entity::find()
        .select_only()
        .column(Column::UserId)
        .column(Column::Id)
        .filter(logged)
        .into_tuple()
        .all(tx)
        .await?;
    let numbers: HashMap<i64, i64> = rows.into_iter().collect();
    let number = |play: &&Row<'_>| {
        let number = numbers.get(&play.user_id.0).copied().map(PlayId);
        number.ok_or_else(|| DbError::Corrupt(format!("no play of {} was logged", play.user_id)))
    };
    plays.iter().map(number).collect()
}

fn logged(row: &Row<'_>) -> feature_log::ActiveModel {
    feature_log::ActiveModel {
        id: NotSet,
        user_id: Set(row.user_id.0),
        feature_type: Set(row.feature.as_str().to_owned()),
        config_id: Set(row.config_id.0),
        odds_id: Set(Some(row.draw.odds_id.0)),
        nonce: Set(row.nonce),
        attempt: Set(row.attempt),
        entry_id: Set(row.draw.entry_id),
        took_stock: Set(row.took_stock),
        outcome: Set(row.outcome.to_string()),
        is_win: Set(row.is_win),
        reward_type: Set(row.reward.kind().as_str().to_owned()),
        reward_amount: Set(row.reward.amount()),
        event_day: Set(EventDay::of(row.at).date()),
        created_at: Set(Timestamp(row.at)),
    }
}

/// A play as it was logged.
pub(crate) struct Logged {
    pub(crate) feature: Feature,
    pub(crate) day: EventDay,
    pub(crate) nonce: i64,
    /// In the order of the attempts; the last one counts.
    pub(crate) draws: Vec<Draw>,
    pub(crate) outcome: String,
}

/// A player's play with its draws; `None` if there is no such play, or if it was made before its
/// draw was recorded.
pub(crate) async fn find(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    play: PlayId,
) -> Result<Option<Logged>, DbError> {
    let row = feature_log::Entity::find_by_id(play.0)
        .filter(feature_log::Column::UserId.eq(user_id.0))
        .one(conn)
        .await?;
    let Some((row, odds_id)) = row.and_then(|row| row.odds_id.map(|id| (row, id))) else {
        return Ok(None);
    };
    let redraws = feature_redraw::Entity::find()
        .filter(feature_redraw::Column::PlayId.eq(play.0))
        .order_by_asc(feature_redraw::Column::Attempt)
        .all(conn)
        .await?;
    let mut draws: Vec<Draw> = redraws
        .iter()
        .map(|redraw| Draw {
            odds_id: OddsId(redraw.odds_id),
            entry_id: redraw.entry_id,
        })
        .collect();
    draws.push(Draw {
        odds_id: OddsId(odds_id),
        entry_id: row.entry_id,
    });
    let feature = row.feature_type.parse();
    Ok(Some(Logged {
        feature: feature
            .map_err(|error| DbError::Corrupt(format!("feature_log {play}: {error}")))?,
        day: EventDay::from(row.event_day),
        nonce: row.nonce,
        draws,
        outcome: row.outcome,
    }))
}
