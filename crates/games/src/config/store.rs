//! How configurations are read and written, whichever game they are of. What a game has beside the common
//! columns is its own: see [`Game::bodies`] and what follows it.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, Select, sea_query::Expr,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};

use super::{
    model::{Config, Saved},
    table::{ConfigColumns, ConfigTable},
};
use crate::{ConfigError, Game};

/// A row of a game's table that is to be written.
type Row<G> = <<G as Game>::Table as EntityTrait>::ActiveModel;
type Column<G> = <<G as Game>::Table as EntityTrait>::Column;

fn columns<G: Game>() -> ConfigColumns<Column<G>> {
    <G::Table as ConfigTable>::COLUMNS
}

/// All configurations, newest first.
pub(crate) async fn all<G: Game>(
    conn: &impl ConnectionTrait,
) -> Result<Vec<Saved<G::Body>>, DbError> {
    load::<G>(conn, G::Table::find()).await
}

pub(crate) async fn find<G: Game>(
    conn: &impl ConnectionTrait,
    id: ConfigId,
) -> Result<Saved<G::Body>, ConfigError> {
    let found = known::<G>(conn, id).await?;
    found.ok_or(ConfigError::NotFound(G::FEATURE))
}

/// As [`find`]; `None` if it is not there.
pub(super) async fn known<G: Game>(
    conn: &impl ConnectionTrait,
    id: ConfigId,
) -> Result<Option<Saved<G::Body>>, DbError> {
    let one = G::Table::find().filter(columns::<G>().id.eq(id.0));
    Ok(load::<G>(conn, one).await?.pop())
}

/// Those of a name, newest first; the database may take names for the same that are not.
pub(super) async fn named<G: Game>(
    conn: &impl ConnectionTrait,
    name: &str,
) -> Result<Vec<Saved<G::Body>>, DbError> {
    let named = G::Table::find().filter(columns::<G>().name.eq(name));
    let mut named = load::<G>(conn, named).await?;
    named.retain(|saved| saved.config.name == name);
    Ok(named)
}

/// Those that are switched on: one, or none.
pub(super) async fn switched_on<G: Game>(
    conn: &impl ConnectionTrait,
) -> Result<Vec<Saved<G::Body>>, DbError> {
    let on = G::Table::find().filter(columns::<G>().is_active.eq(true));
    load::<G>(conn, on).await
}

/// The one that is played, whether or not it keeps the rules of its game.
pub(crate) async fn active<G: Game>(
    conn: &impl ConnectionTrait,
) -> Result<Option<Saved<G::Body>>, DbError> {
    let columns = columns::<G>();
    let active = G::Table::find()
        .filter(columns.active_slot.eq(1))
        .filter(columns.is_active.eq(true))
        .filter(columns.max_daily.gte(0));
    Ok(load::<G>(conn, active).await?.pop())
}

async fn load<G: Game>(
    conn: &impl ConnectionTrait,
    which: Select<G::Table>,
) -> Result<Vec<Saved<G::Body>>, DbError> {
    let rows = which.order_by_desc(columns::<G>().id).all(conn).await?;
    let heads: Vec<_> = rows.iter().map(G::Table::head).collect();
    let bodies = G::bodies(conn, rows).await?;
    let saved = heads.into_iter().zip(bodies).map(|(head, body)| Saved {
        id: head.id,
        config: Config {
            name: head.name,
            is_active: head.is_active,
            max_daily: head.max_daily,
            body,
        },
        created_at: head.created_at,
        updated_at: head.updated_at,
    });
    Ok(saved.collect())
}

pub(super) async fn insert_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    config: &Config<G::Body>,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let mut row = row::<G>(config, now)?;
    row.try_set(columns::<G>().created_at, Timestamp(now).into())?;
    let inserted = G::Table::insert(row).exec(tx).await?;
    let id = ConfigId(inserted.last_insert_id);
    G::insert_body_in_tx(tx, id, &config.body).await?;
    Ok(id)
}

pub(super) async fn update_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    before: &Saved<G::Body>,
    after: &Config<G::Body>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    // Done with before it is waited for: a row need not be `Send`.
    let update = {
        let update = G::Table::update_many().set(row::<G>(after, now)?);
        update.filter(columns::<G>().id.eq(before.id.0))
    };
    update.exec(tx).await?;
    G::update_body_in_tx(tx, before, &after.body).await
}

pub(super) async fn switch_off_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    id: ConfigId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let columns = columns::<G>();
    G::Table::update_many()
        .col_expr(columns.is_active, Expr::value(false))
        .col_expr(columns.active_slot, Expr::value(None::<i64>))
        .col_expr(columns.updated_at, Expr::value(Timestamp(now)))
        .filter(columns.id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn delete_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    id: ConfigId,
) -> Result<(), DbError> {
    G::delete_body_in_tx(tx, id).await?;
    G::Table::delete_many()
        .filter(columns::<G>().id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// All of a row but its id and when it was made.
fn row<G: Game>(config: &Config<G::Body>, now: DateTime<Utc>) -> Result<Row<G>, DbError> {
    let columns = columns::<G>();
    let mut row = G::own_columns(&config.body);
    row.try_set(columns.name, config.name.clone().into())?;
    row.try_set(columns.is_active, config.is_active.into())?;
    row.try_set(
        columns.active_slot,
        config.is_active.then_some(1_i64).into(),
    )?;
    row.try_set(columns.max_daily, config.max_daily.into())?;
    row.try_set(columns.updated_at, Timestamp(now).into())?;
    Ok(row)
}
