use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Expr, Func, JoinType, Order},
};
use serde_json::Value;
use xmas_kernel::{
    UnknownName,
    db::{DbError, Timestamp},
};
use xmas_time::Kst;

use super::{
    LedgerFilter, LedgerRecord, PlayFilter, PlayRecord, Slice, WalletFilter, WalletPlace,
    WalletRecord, Whose, model,
    select::{Listing, Newest, col},
};
use crate::{place::Part, store::rows};

#[derive(FromQueryResult)]
struct WalletRow {
    user_id: i64,
    external_id: Option<String>,
    asset: String,
    balance: i64,
    updated_at: Timestamp,
}

pub(super) async fn wallets(
    conn: &impl ConnectionTrait,
    filter: &WalletFilter,
    slice: &Slice<WalletPlace>,
) -> Result<Vec<WalletRecord>, DbError> {
    let columns = ["user_id", "asset", "balance", "updated_at"];
    let mut listing = Listing::of("user_game_wallet", &columns, slice);
    listing
        .select
        .order_by(("l", "user_id"), Order::Asc)
        .order_by(("l", "asset"), Order::Asc);
    let (Slice::Page { behind: place, .. } | Slice::Export { after: place }) = slice;
    if let Some(place) = place {
        let id = place.user_id.0;
        let further = col("asset").gt(place.asset.as_str());
        let further = col("user_id").gt(id).or(further);
        listing
            .select
            .and_where(col("user_id").gte(id).and(further));
    }
    listing.with_players(&filter.whose);
    if let Some(asset) = filter.asset {
        listing.keep("asset", |column| column.eq(asset.as_str()));
    }
    match filter.has_balance {
        Some(true) => listing.keep("balance", |balance| balance.gt(0)),
        Some(false) => listing.keep("balance", |balance| balance.eq(0)),
        None => {}
    }
    listing.within("updated_at", filter.changed);
    let found: Vec<WalletRow> = rows(conn, listing.select).await?;
    let record = |row: WalletRow| {
        let asset = row.asset.parse().map_err(|error: UnknownName| {
            DbError::Corrupt(format!("a wallet of user {}: {error}", row.user_id))
        })?;
        Ok(WalletRecord {
            user_id: row.user_id,
            external_id: row.external_id,
            asset,
            balance: row.balance,
            updated_at: Kst(row.updated_at.0),
        })
    };
    found.into_iter().map(record).collect()
}

#[derive(FromQueryResult)]
struct PlayRow {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    feature_type: String,
    outcome: String,
    reward_type: String,
    reward_amount: i64,
    created_at: Timestamp,
}

pub(super) async fn plays(
    conn: &impl ConnectionTrait,
    filter: &PlayFilter,
    slice: &Slice<i64>,
) -> Result<Vec<PlayRecord>, DbError> {
    let columns = [
        "id",
        "user_id",
        "feature_type",
        "outcome",
        "reward_type",
        "reward_amount",
        "created_at",
    ];
    let mut listing = Listing::of_log("feature_log", &columns, slice, Newest::ByTime);
    listing.with_players(&filter.whose);
    if let Some(game) = filter.game {
        listing.keep("feature_type", |column| column.eq(game.as_str()));
    }
    listing.within("created_at", filter.span);
    let found: Vec<PlayRow> = rows(conn, listing.select).await?;
    let record = |row: PlayRow| {
        let outcome = json(&row.outcome, "feature_log", row.id)?;
        Ok(PlayRecord {
            id: row.id,
            user_id: row.user_id,
            external_id: row.external_id,
            game: row.feature_type,
            reward_type: row.reward_type,
            reward_amount: row.reward_amount,
            reward_label: model::reward_label(&outcome),
            created_at: Kst(row.created_at.0),
        })
    };
    found.into_iter().map(record).collect()
}

#[derive(FromQueryResult)]
struct LedgerRow {
    id: i64,
    user_id: i64,
    external_id: Option<String>,
    asset: String,
    delta: i64,
    balance_after: i64,
    reason: String,
    reference: String,
    actor: String,
    label: Option<String>,
    created_at: Timestamp,
}

const LEDGER_COLUMNS: [&str; 9] = [
    "id",
    "user_id",
    "asset",
    "delta",
    "balance_after",
    "reason",
    "reference",
    "actor",
    "created_at",
];

pub(super) async fn ledger(
    conn: &impl ConnectionTrait,
    filter: &LedgerFilter,
    slice: &Slice<i64>,
) -> Result<Vec<LedgerRecord>, DbError> {
    let mut listing = Listing::of_log("wallet_ledger", &LEDGER_COLUMNS, slice, Newest::ByTime);
    listing.with_players(&filter.whose);
    if let Some(asset) = filter.asset {
        listing.keep("asset", |column| column.eq(asset.as_str()));
    }
    if let Some(reason) = &filter.reason {
        listing.keep("reason", |column| column.eq(reason.as_str()));
    }
    listing.within("created_at", filter.span);
    ledger_records(conn, listing).await
}

/// A player's part of a timeline.
pub(crate) async fn ledger_of(
    conn: &impl ConnectionTrait,
    player: &Whose,
    part: &Part,
) -> Result<Vec<LedgerRecord>, DbError> {
    let mut listing = Listing::of_player("wallet_ledger", &LEDGER_COLUMNS, part);
    listing.with_players(player);
    ledger_records(conn, listing).await
}

async fn ledger_records(
    conn: &impl ConnectionTrait,
    mut listing: Listing,
) -> Result<Vec<LedgerRecord>, DbError> {
    // A play's token and its prize have one reference; the label is that of the prize.
    let delivered = Expr::col(("r", "grant_key")).equals(("l", "reference"));
    let delivered = delivered.and(col("delta").gt(0));
    let part = |from: i64, to: Option<i64>| {
        let bounds = [Some(from), to].into_iter().flatten().map(Expr::val);
        let arguments = [col("reference")].into_iter().chain(bounds);
        Expr::from(Func::cust("SUBSTR").args(arguments))
    };
    let batch = part(1, Some(6)).eq("batch:");
    let batch = batch.and(Expr::col(("b", "batch_key")).eq(part(7, None)));
    let label = [("r", "label"), ("b", "reason")].map(Expr::col);
    listing
        .select
        .join_as(JoinType::LeftJoin, "reward_log", "r", delivered)
        .join_as(JoinType::LeftJoin, "wallet_batch", "b", batch)
        .expr_as(Func::coalesce(label), "label");
    let found: Vec<LedgerRow> = rows(conn, listing.select).await?;
    let record = |row: LedgerRow| LedgerRecord {
        id: row.id,
        user_id: row.user_id,
        external_id: row.external_id,
        asset: row.asset,
        delta: row.delta,
        balance_after: row.balance_after,
        reason: row.reason,
        reference: row.reference,
        actor: row.actor,
        label: row.label,
        created_at: Kst(row.created_at.0),
    };
    Ok(found.into_iter().map(record).collect())
}

/// Stored JSON, which the schema has checked.
pub(super) fn json(text: &str, table: &str, id: i64) -> Result<Value, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Corrupt(format!("the JSON of {table} {id}: {error}")))
}
