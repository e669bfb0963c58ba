use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    ConfigId, Feature, OddsId,
    db::{Constraint, Db, DbError, Timestamp},
    seal::Claimed,
};
use xmas_time::EventDay;

use super::{
    entity::{draw_seed, odds_table},
    model::ReportQuery,
};
use crate::odds::Odds;

/// One row per content of an odds table.
pub const ODDS_CONTENT: Constraint =
    Constraint::new("uq_odds_table_content", "odds_table", &["content_hash"]);
/// One seed per day.
pub const SEED_OF_DAY: Constraint =
    Constraint::new("uq_draw_seed_day", "draw_seed", &["event_day"]);

/// A seed to be kept.
pub(crate) struct NewSeed {
    pub(crate) day: EventDay,
    pub(crate) commitment: String,
    pub(crate) sealed: String,
}

pub(crate) struct KeptSeed {
    pub(crate) commitment: String,
    pub(crate) sealed: String,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) async fn insert_seed(
    tx: &DatabaseTransaction,
    _: &Claimed<'_>,
    seed: &NewSeed,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    draw_seed::Entity::insert(draw_seed::ActiveModel {
        id: NotSet,
        event_day: Set(seed.day.date()),
        commitment: Set(seed.commitment.clone()),
        sealed_seed: Set(seed.sealed.clone()),
        created_at: Set(Timestamp(now)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// A seed, still sealed.
pub(crate) struct SeedRow {
    pub(crate) id: i64,
    pub(crate) day: EventDay,
    pub(crate) sealed: String,
}

impl From<draw_seed::Model> for SeedRow {
    fn from(row: draw_seed::Model) -> Self {
        Self {
            id: row.id,
            day: EventDay::from(row.event_day),
            sealed: row.sealed_seed,
        }
    }
}

/// The next seeds behind this row.
pub(crate) async fn seeds(
    conn: &impl ConnectionTrait,
    after: i64,
    most: u64,
) -> Result<Vec<SeedRow>, DbError> {
    let rows = draw_seed::Entity::find()
        .filter(draw_seed::Column::Id.gt(after))
        .order_by_asc(draw_seed::Column::Id)
        .limit(most)
        .all(conn)
        .await?;
    Ok(rows.into_iter().map(SeedRow::from).collect())
}

pub(crate) async fn count_seeds(conn: &impl ConnectionTrait) -> Result<u64, DbError> {
    Ok(draw_seed::Entity::find().count(conn).await?)
}

/// These seeds, which nobody else changes until the transaction ends.
pub(crate) async fn lock_seeds(
    tx: &DatabaseTransaction,
    ids: &[i64],
) -> Result<Vec<SeedRow>, DbError> {
    let rows = draw_seed::Entity::find()
        .filter(draw_seed::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(draw_seed::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(SeedRow::from).collect())
}

/// The same seed under another key.
pub(crate) async fn reseal(
    tx: &DatabaseTransaction,
    _: &Claimed<'_>,
    id: i64,
    sealed: String,
) -> Result<(), DbError> {
    draw_seed::Entity::update_many()
        .col_expr(draw_seed::Column::SealedSeed, Expr::value(sealed))
        .filter(draw_seed::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn find_seed(
    conn: &impl ConnectionTrait,
    day: EventDay,
) -> Result<Option<KeptSeed>, DbError> {
    let row = draw_seed::Entity::find()
        .filter(draw_seed::Column::EventDay.eq(day.date()))
        .one(conn)
        .await?;
    Ok(row.map(|row| KeptSeed {
        commitment: row.commitment,
        sealed: row.sealed_seed,
        created_at: row.created_at.0,
    }))
}

pub(crate) async fn find_odds_by_hash(
    conn: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<OddsId>, DbError> {
    let id: Option<i64> = odds_table::Entity::find()
        .select_only()
        .column(odds_table::Column::Id)
        .filter(odds_table::Column::ContentHash.eq(hash))
        .into_tuple()
        .one(conn)
        .await?;
    Ok(id.map(OddsId))
}

/// The id of a table, which is written if its content is new; in a transaction of its own.
pub(crate) async fn insert_odds(
    db: &Db,
    odds: &Odds,
    now: DateTime<Utc>,
) -> Result<OddsId, DbError> {
    let tx = db.begin().await?;
    let id = insert_odds_in_tx(&tx, odds, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// The id of a table, which is written if its content is new.
pub(crate) async fn insert_odds_in_tx(
    tx: &DatabaseTransaction,
    odds: &Odds,
    now: DateTime<Utc>,
) -> Result<OddsId, DbError> {
    if let Some(id) = find_odds_by_hash(tx, odds.hash()).await? {
        return Ok(id);
    }
    let inserted = odds_table::Entity::insert(odds_table::ActiveModel {
        id: NotSet,
        feature_type: Set(odds.feature().as_str().to_owned()),
        content_hash: Set(odds.hash().to_owned()),
        content: Set(odds.content().to_owned()),
        created_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await
    .map_err(DbError::from);
    match inserted {
        Ok(inserted) => Ok(OddsId(inserted.last_insert_id)),
        // A replica has just written it.
        Err(error) if error.violates(&ODDS_CONTENT) => {
            let found = find_odds_by_hash(tx, odds.hash()).await?;
            found.ok_or_else(|| DbError::Corrupt("an odds table is there and is not".to_owned()))
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn find_odds(
    conn: &impl ConnectionTrait,
    ids: &[OddsId],
) -> Result<HashMap<OddsId, Odds>, DbError> {
    let rows = odds_table::Entity::find()
        .filter(odds_table::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(conn)
        .await?;
    rows.into_iter().map(read).collect()
}

/// The hashes of these tables.
pub(crate) async fn hashes(
    conn: &impl ConnectionTrait,
    ids: &[OddsId],
) -> Result<HashMap<OddsId, String>, DbError> {
    let rows: Vec<(i64, String)> = odds_table::Entity::find()
        .select_only()
        .column(odds_table::Column::Id)
        .column(odds_table::Column::ContentHash)
        .filter(odds_table::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, hash)| (OddsId(id), hash))
        .collect())
}

/// The tables of a game, newest first; one more than the limit tells whether there are more.
pub(crate) async fn odds_of(
    conn: &impl ConnectionTrait,
    feature: Feature,
    query: ReportQuery,
) -> Result<Vec<(OddsId, Odds)>, DbError> {
    use odds_table::Column;
    let mut find = odds_table::Entity::find().filter(Column::FeatureType.eq(feature.as_str()));
    if let Some(only) = query.only {
        find = find.filter(Column::Id.eq(only.0));
    }
    if let Some(before) = query.before {
        find = find.filter(Column::Id.lt(before.0));
    }
    let rows = find
        .order_by_desc(Column::Id)
        .limit(query.limit.get() + 1)
        .all(conn)
        .await?;
    rows.into_iter().map(read).collect()
}

/// The tables that a configuration has had.
pub(crate) async fn odds_of_config(
    conn: &impl ConnectionTrait,
    feature: Feature,
    config_id: ConfigId,
) -> Result<Vec<OddsId>, DbError> {
    use odds_table::Column;
    let ids: Vec<i64> = odds_table::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::FeatureType.eq(feature.as_str()))
        .filter(Column::Content.starts_with(Odds::beginning(feature, config_id)))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(ids.into_iter().map(OddsId).collect())
}

fn read(row: odds_table::Model) -> Result<(OddsId, Odds), DbError> {
    let odds = Odds::from_content(&row.content);
    let odds = odds.map_err(|_| DbError::Corrupt(format!("odds_table {}", row.id)))?;
    Ok((OddsId(row.id), odds))
}
