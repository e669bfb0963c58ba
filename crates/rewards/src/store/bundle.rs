use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect,
};
use xmas_kernel::{
    BundleId,
    db::{DbError, Timestamp},
    paging::{Cursor, Limit, Page},
};

use crate::{
    Bundle, BundleItem, NewBundle, Reward,
    bundles::are_contents,
    entity::{reward_bundle, reward_bundle_item},
};

pub(crate) async fn insert_bundle(
    tx: &DatabaseTransaction,
    bundle: &NewBundle,
    now: DateTime<Utc>,
) -> Result<BundleId, DbError> {
    let inserted = reward_bundle::Entity::insert(reward_bundle::ActiveModel {
        id: NotSet,
        name: Set(bundle.name.clone()),
        created_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    let bundle_id = inserted.last_insert_id;
    let items = (0..).zip(&bundle.items);
    let items = items.map(|(position, item)| reward_bundle_item::ActiveModel {
        bundle_id: Set(bundle_id),
        position: Set(position),
        reward_type: Set(item.kind().as_str().to_owned()),
        amount: Set(item.amount()),
    });
    reward_bundle_item::Entity::insert_many(items)
        .exec_without_returning(tx)
        .await?;
    Ok(BundleId(bundle_id))
}

/// What lies in these bundles, in order, each with its bundle. A bundle of which anything cannot be
/// delivered, or which holds nothing, is left out whole.
pub(crate) async fn bundles(
    conn: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = BundleId>,
) -> Result<Vec<(BundleId, Vec<Reward>)>, DbError> {
    use reward_bundle_item::Column;
    let ids: Vec<i64> = ids.into_iter().map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = reward_bundle_item::Entity::find()
        .filter(Column::BundleId.is_in(ids))
        .order_by_asc(Column::BundleId)
        .order_by_asc(Column::Position)
        .all(conn)
        .await?;
    let chunks = rows.chunk_by(|a, b| a.bundle_id == b.bundle_id);
    let bundle = |rows: &[reward_bundle_item::Model]| {
        let item = |row: &reward_bundle_item::Model| {
            let kind = row.reward_type.parse().ok()?;
            Reward::new(kind, row.amount).ok()
        };
        let items: Vec<Reward> = rows.iter().map(item).collect::<Option<_>>()?;
        are_contents(&items).then_some((BundleId(rows[0].bundle_id), items))
    };
    Ok(chunks.filter_map(bundle).collect())
}

/// Bundles with what lies in them, newest first: two statements.
pub(crate) async fn bundle_page(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<Bundle>, DbError> {
    use reward_bundle::Column;
    let mut query = reward_bundle::Entity::find();
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows = with_items(conn, rows).await?;
    Ok(Page::from_overfetched(rows, limit, |bundle| bundle.id.0))
}

pub(crate) async fn bundle(
    conn: &impl ConnectionTrait,
    id: BundleId,
) -> Result<Option<Bundle>, DbError> {
    let row = reward_bundle::Entity::find_by_id(id.0).one(conn).await?;
    let bundles = with_items(conn, row.into_iter().collect()).await?;
    Ok(bundles.into_iter().next())
}

/// The bundles of these names; the database may take names for the same that are not.
pub(crate) async fn bundles_named(
    conn: &impl ConnectionTrait,
    names: &[&str],
) -> Result<Vec<Bundle>, DbError> {
    let named = reward_bundle::Entity::find()
        .filter(reward_bundle::Column::Name.is_in(names.iter().copied()))
        .all(conn)
        .await?;
    with_items(conn, named).await
}

/// The bundles of these ids, with what lies in them.
pub(crate) async fn bundles_of(
    conn: &impl ConnectionTrait,
    ids: &[i64],
) -> Result<Vec<Bundle>, DbError> {
    let those = reward_bundle::Entity::find()
        .filter(reward_bundle::Column::Id.is_in(ids.iter().copied()))
        .all(conn)
        .await?;
    with_items(conn, those).await
}

async fn with_items(
    conn: &impl ConnectionTrait,
    bundles: Vec<reward_bundle::Model>,
) -> Result<Vec<Bundle>, DbError> {
    use reward_bundle_item::Column;
    let mut items: HashMap<i64, Vec<BundleItem>> = HashMap::new();
    if !bundles.is_empty() {
        let rows = reward_bundle_item::Entity::find()
            .filter(Column::BundleId.is_in(bundles.iter().map(|bundle| bundle.id)))
            .order_by_asc(Column::BundleId)
            .order_by_asc(Column::Position)
            .all(conn)
            .await?;
        for row in rows {
            items.entry(row.bundle_id).or_default().push(BundleItem {
                reward_type: row.reward_type,
                amount: row.amount,
            });
        }
    }
    let bundle = |row: reward_bundle::Model| Bundle {
        items: items.remove(&row.id).unwrap_or_default(),
        id: BundleId(row.id),
        name: row.name,
        created_at: row.created_at.0,
    };
    Ok(bundles.into_iter().map(bundle).collect())
}
