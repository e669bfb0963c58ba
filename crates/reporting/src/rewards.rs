//! Receipts of rewards with their players, for the review queue.

use chrono::{DateTime, Utc};
use sea_orm::{
    ExprTrait, FromQueryResult,
    sea_query::{Expr, Order, Query},
};
use xmas_kernel::{
    UserId,
    db::{Db, DbError, Timestamp, retry},
    paging::{Cursor, Limit, Page},
};
use xmas_players::account_id;
use xmas_rewards::{GrantSource, RewardState};

use crate::{Whose, records::subquery, store::brought_something};

/// Which receipts are asked for. Plays that brought nothing have none here.
#[derive(Clone, Debug)]
pub struct RewardQuery {
    /// `None` for every state.
    pub state: Option<RewardState>,
    /// `None` for every source.
    pub source: Option<GrantSource>,
    /// Only this player's; an unknown one has none.
    pub whose: Whose,
    pub limit: Limit,
    pub before: Option<Cursor>,
}

/// A receipt and its player.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedReward {
    pub id: i64,
    pub user_id: i64,
    pub external_id: String,
    pub nickname: Option<String>,
    /// The player's status.
    pub status: String,
    pub source: String,
    pub grant_key: String,
    pub reward_type: String,
    pub amount: i64,
    /// The bundle or kind of coupon.
    pub item: Option<i64>,
    pub label: Option<String>,
    pub state: String,
    /// Why it waits, or why it was rejected.
    pub reason: Option<String>,
    pub created_at: DateTime<Utc>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub reviewed_by: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    user_id: i64,
    external_id: String,
    nickname: Option<String>,
    status: String,
    source: String,
    grant_key: String,
    reward_type: String,
    amount: i64,
    reward_item: Option<i64>,
    label: Option<String>,
    state: String,
    reason: Option<String>,
    created_at: Timestamp,
    reviewed_at: Option<Timestamp>,
    reviewed_by: Option<String>,
}

/// Receipts of rewards for operators.
#[derive(Clone, Debug)]
pub struct RewardQueue {
    db: Db,
}

impl RewardQueue {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn page_once(&self, query: &RewardQuery) -> Result<Page<QueuedReward>, DbError> {
        let of_reward = |column: &'static str| Expr::col(("reward_log", column));
        let of_user = |column: &'static str| Expr::col(("user", column));
        let mut select = Query::select();
        for column in [
            "id",
            "user_id",
            "source",
            "grant_key",
            "reward_type",
            "amount",
            "reward_item",
            "label",
            "state",
            "reason",
            "created_at",
            "reviewed_at",
            "reviewed_by",
        ] {
            select.expr_as(of_reward(column), column);
        }
        for column in ["external_id", "nickname", "status"] {
            select.expr_as(of_user(column), column);
        }
        select
            .from("reward_log")
            .inner_join("user", of_user("id").equals(("reward_log", "user_id")))
            .cond_where(brought_something())
            .order_by(("reward_log", "id"), Order::Desc)
            .limit(query.limit.get() + 1);
        if let Some(state) = query.state {
            select.and_where(of_reward("state").eq(state.as_str()));
        }
        if let Some(source) = query.source {
            select.and_where(of_reward("source").eq(source.as_str()));
        }
        if let Some(UserId(id)) = query.whose.user_id {
            select.and_where(of_reward("user_id").eq(id));
        }
        if let Some(given) = &query.whose.external_id {
            select.and_where(of_reward("user_id").eq(subquery(account_id(given))));
        }
        if let Some(Cursor(id)) = query.before {
            select.and_where(of_reward("id").lt(id));
        }
        let conn = self.db.read();
        let statement = conn.get_database_backend().build(&select);
        let rows = Row::find_by_statement(statement).all(conn).await?;
        let rows = rows.into_iter().map(reward).collect();
        Ok(Page::from_overfetched(
            rows,
            query.limit,
            |row: &QueuedReward| row.id,
        ))
    }
}

fn reward(row: Row) -> QueuedReward {
    QueuedReward {
        id: row.id,
        user_id: row.user_id,
        external_id: row.external_id,
        nickname: row.nickname,
        status: row.status,
        source: row.source,
        grant_key: row.grant_key,
        reward_type: row.reward_type,
        amount: row.amount,
        item: row.reward_item,
        label: row.label,
        state: row.state,
        reason: row.reason,
        created_at: row.created_at.0,
        reviewed_at: row.reviewed_at.map(|at| at.0),
        reviewed_by: row.reviewed_by,
    }
}

impl RewardQueue {
    /// One page of receipts, newest first: one statement.
    pub async fn rewards(&self, query: &RewardQuery) -> Result<Page<QueuedReward>, DbError> {
        retry(|| self.page_once(query)).await
    }
}
