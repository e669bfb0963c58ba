//! What the log of plays says about tables and their entries, in numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sea_orm::{Condition, ConnectionTrait, QuerySelect, QueryTrait, entity::prelude::*};
use xmas_kernel::{
    ConfigId, Feature, OddsId,
    db::{DbError, Timestamp},
};

use crate::play_log::{feature_log, feature_redraw};

/// What plays say about one table.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// How often each entry was drawn, whether or not the draw counted in the end.
    pub(crate) draws: Vec<(i64, i64)>,
    pub(crate) first_play: Option<DateTime<Utc>>,
    pub(crate) last_play: Option<DateTime<Utc>>,
}

/// What plays say about these tables. Three statements, of which the first two read an index only; the
/// ids of plays ascend with time.
pub(crate) async fn observed(
    conn: &impl ConnectionTrait,
    tables: &[OddsId],
) -> Result<HashMap<OddsId, Observed>, DbError> {
    use feature_log::Column;
    let ids = || tables.iter().map(|id| id.0);
    let counted: Vec<(i64, i64, i64, i64, i64)> = feature_log::Entity::find()
        .select_only()
        .column(Column::OddsId)
        .column(Column::EntryId)
        .column_as(Column::Id.count(), "draws")
        .column_as(Column::Id.min(), "first_play")
        .column_as(Column::Id.max(), "last_play")
        .filter(Column::OddsId.is_in(ids()))
        .group_by(Column::OddsId)
        .group_by(Column::EntryId)
        .into_tuple()
        .all(conn)
        .await?;
    let redrawn: Vec<(i64, i64, i64)> = feature_redraw::Entity::find()
        .select_only()
        .column(feature_redraw::Column::OddsId)
        .column(feature_redraw::Column::EntryId)
        .column_as(feature_redraw::Column::PlayId.count(), "draws")
        .filter(feature_redraw::Column::OddsId.is_in(ids()))
        .group_by(feature_redraw::Column::OddsId)
        .group_by(feature_redraw::Column::EntryId)
        .into_tuple()
        .all(conn)
        .await?;
    let mut spans: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (table, _, _, first, last) in &counted {
        let span = spans.entry(*table).or_insert((*first, *last));
        *span = (span.0.min(*first), span.1.max(*last));
    }
    let ends = spans.values().flat_map(|(first, last)| [*first, *last]);
    let at: Vec<(i64, Timestamp)> = feature_log::Entity::find()
        .select_only()
        .column(Column::Id)
        .column(Column::CreatedAt)
        .filter(Column::Id.is_in(ends))
        .into_tuple()
        .all(conn)
        .await?;
    let at: HashMap<i64, DateTime<Utc>> = at.into_iter().map(|(id, at)| (id, at.0)).collect();
    let mut observed: HashMap<OddsId, Observed> = HashMap::new();
    let counted = counted
        .into_iter()
        .map(|(table, entry, draws, ..)| (table, entry, draws));
    for (table, entry, draws) in counted.chain(redrawn) {
        let of_table = observed.entry(OddsId(table)).or_default();
        of_table.draws.push((entry, draws));
    }
    for (table, (first, last)) in spans {
        let of_table = observed.entry(OddsId(table)).or_default();
        of_table.first_play = at.get(&first).copied();
        of_table.last_play = at.get(&last).copied();
    }
    Ok(observed)
}

/// The tables that plays of this instant or later were drawn from, whether or not the draw counted in the end.
pub(crate) async fn drawn_from_since(
    conn: &impl ConnectionTrait,
    feature: Feature,
    since: DateTime<Utc>,
) -> Result<BTreeSet<OddsId>, DbError> {
    use feature_log::Column;
    let later = || {
        feature_log::Entity::find()
            .select_only()
            .filter(Column::FeatureType.eq(feature.as_str()))
            .filter(Column::CreatedAt.gte(Timestamp(since)))
    };
    let counted: Vec<i64> = later()
        .column(Column::OddsId)
        .distinct()
        .filter(Column::OddsId.is_not_null())
        .into_tuple()
        .all(conn)
        .await?;
    let plays = later().column(Column::Id).into_query();
    let redrawn: Vec<i64> = feature_redraw::Entity::find()
        .select_only()
        .column(feature_redraw::Column::OddsId)
        .distinct()
        .filter(feature_redraw::Column::PlayId.in_subquery(plays))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(counted.into_iter().chain(redrawn).map(OddsId).collect())
}

/// Whether a configuration was ever played; `tables` are those that it has had.
pub(crate) async fn was_played(
    conn: &impl ConnectionTrait,
    feature: Feature,
    config_id: ConfigId,
    tables: &[OddsId],
) -> Result<bool, DbError> {
    use feature_log::Column;
    // Before draws were recorded, plays named no table.
    let unrecorded = Condition::all()
        .add(Column::OddsId.is_null())
        .add(Column::FeatureType.eq(feature.as_str()))
        .add(Column::ConfigId.eq(config_id.0));
    let of_tables = Column::OddsId.is_in(tables.iter().map(|id| id.0));
    for which in [Condition::all().add(of_tables), unrecorded] {
        let play: Option<i64> = feature_log::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(which)
            .limit(1)
            .into_tuple()
            .one(conn)
            .await?;
        if play.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which of these entries were ever drawn from these tables, whether or not the draw counted in the end.
pub(crate) async fn drawn(
    conn: &impl ConnectionTrait,
    tables: &[OddsId],
    entries: &[i64],
) -> Result<BTreeSet<i64>, DbError> {
    let ids = || tables.iter().map(|id| id.0);
    let entries = || entries.iter().copied();
    let counted: Vec<i64> = feature_log::Entity::find()
        .select_only()
        .column(feature_log::Column::EntryId)
        .distinct()
        .filter(feature_log::Column::OddsId.is_in(ids()))
        .filter(feature_log::Column::EntryId.is_in(entries()))
        .into_tuple()
        .all(conn)
        .await?;
    let redrawn: Vec<i64> = feature_redraw::Entity::find()
        .select_only()
        .column(feature_redraw::Column::EntryId)
        .distinct()
        .filter(feature_redraw::Column::OddsId.is_in(ids()))
        .filter(feature_redraw::Column::EntryId.is_in(entries()))
        .into_tuple()
        .all(conn)
        .await?;
    Ok(counted.into_iter().chain(redrawn).collect())
}

/// How many of each of these entries came out of a stock.
pub(crate) async fn taken(
    conn: &impl ConnectionTrait,
    tables: &[OddsId],
    entries: &[i64],
) -> Result<BTreeMap<i64, i64>, DbError> {
    let is_taken = feature_log::Column::TookStock.eq(true);
    won(conn, tables, entries, is_taken).await
}

/// How many of each of these entries were won at this instant or later, whether or not out of a stock.
pub(crate) async fn won_since(
    conn: &impl ConnectionTrait,
    tables: &[OddsId],
    entries: &[i64],
    since: DateTime<Utc>,
) -> Result<BTreeMap<i64, i64>, DbError> {
    let is_later = feature_log::Column::CreatedAt.gte(Timestamp(since));
    won(conn, tables, entries, is_later).await
}

async fn won(
    conn: &impl ConnectionTrait,
    tables: &[OddsId],
    entries: &[i64],
    which: Expr,
) -> Result<BTreeMap<i64, i64>, DbError> {
    use feature_log::Column;
    let counted: Vec<(i64, i64)> = feature_log::Entity::find()
        .select_only()
        .column(Column::EntryId)
        .column_as(Column::Id.count(), "won")
        .filter(Column::OddsId.is_in(tables.iter().map(|id| id.0)))
        .filter(Column::EntryId.is_in(entries.iter().copied()))
        .filter(which)
        .group_by(Column::EntryId)
        .into_tuple()
        .all(conn)
        .await?;
    Ok(counted.into_iter().collect())
}
