//! Which players a batch of the rewards is for.

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Order, Query},
};
use xmas_kernel::{
    UserId,
    db::{Db, DbError, Timestamp, retry},
};
use xmas_players::{Role, Status};
use xmas_rewards::{RecipientFilter, Recipients};

/// [`Recipients`] on the database.
#[derive(Clone, Debug)]
pub struct ActivePlayers {
    db: Db,
}

impl ActivePlayers {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn page_once(
        &self,
        filter: &RecipientFilter,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<UserId>, DbError> {
        let mut select = Query::select();
        select
            .column("id")
            .from("user")
            .and_where(Expr::col(("user", "role")).eq(Role::Player.as_str()))
            .and_where(Expr::col(("user", "status")).eq(Status::Active.as_str()))
            .and_where(Expr::col(("user", "id")).gt(after.0))
            .order_by(("user", "id"), Order::Asc)
            .limit(limit);
        if filter.played_since.is_some() || filter.played_until.is_some() {
            let at = || Expr::col(("feature_log", "created_at"));
            let since = filter.played_since.map(|since| at().gte(Timestamp(since)));
            let until = filter.played_until.map(|until| at().lt(Timestamp(until)));
            let mut plays = Query::select();
            plays
                .expr(Expr::value(1))
                .from("feature_log")
                .and_where(Expr::col(("feature_log", "user_id")).equals(("user", "id")))
                .and_where_option(since)
                .and_where_option(until);
            select.and_where(Expr::exists(plays));
        }
        let conn = self.db.read();
        let statement = conn.get_database_backend().build(&select);
        let rows = conn.query_all_raw(statement).await?;
        let id = |row: &sea_orm::QueryResult| Ok(UserId(row.try_get_by("id")?));
        rows.iter().map(id).collect()
    }
}

#[async_trait]
impl Recipients for ActivePlayers {
    async fn page(
        &self,
        filter: &RecipientFilter,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<UserId>, DbError> {
        retry(|| self.page_once(filter, after, limit)).await
    }
}
