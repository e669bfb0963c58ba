//! The points that are to be paid out elsewhere.

use sea_orm::{
    ExprTrait, FromQueryResult,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use xmas_kernel::{
    Asset, UserId,
    db::{Db, DbError, retry},
};
use xmas_players::{Role, Status};

/// Whose points are meant; never those of players who were anonymised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayoutQuery {
    /// Balances of at least so many points, and of at least 1.
    pub min_points: i64,
    /// `None` for players of every status.
    pub status: Option<Status>,
}

/// What a player is due.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct PayoutRow {
    pub user_id: i64,
    pub external_id: String,
    pub nickname: Option<String>,
    pub points: i64,
}

/// What players are due, for whoever pays them elsewhere.
#[derive(Clone, Debug)]
pub struct Payouts {
    db: Db,
}

impl Payouts {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    async fn page_once(
        &self,
        query: &PayoutQuery,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<PayoutRow>, DbError> {
        let of_wallet = |column: &'static str| Expr::col(("user_game_wallet", column));
        let of_user = |column: &'static str| Expr::col(("user", column));
        let mut select = Query::select();
        select
            .expr_as(of_wallet("user_id"), "user_id")
            .expr_as(of_user("external_id"), "external_id")
            .expr_as(of_user("nickname"), "nickname")
            .expr_as(of_wallet("balance"), "points")
            .from("user_game_wallet")
            .inner_join(
                "user",
                of_user("id").equals(("user_game_wallet", "user_id")),
            )
            .and_where(of_wallet("asset").eq(Asset::Point.as_str()))
            .and_where(of_wallet("balance").gte(std::cmp::max(query.min_points, 1)))
            .and_where(of_wallet("user_id").gt(after.0))
            .and_where(of_user("role").eq(Role::Player.as_str()))
            .and_where(Expr::exists(unpaid_forever()).not())
            .order_by(("user_game_wallet", "user_id"), Order::Asc)
            .limit(limit);
        if let Some(status) = query.status {
            select.and_where(of_user("status").eq(status.as_str()));
        }
        let conn = self.db.read();
        let statement = conn.get_database_backend().build(&select);
        Ok(PayoutRow::find_by_statement(statement).all(conn).await?)
    }
}

/// That the player of a wallet was anonymised: nobody knows any more whom to pay.
fn unpaid_forever() -> SelectStatement {
    let profile = |column: &'static str| Expr::col(("user_profiles", column));
    let mut select = Query::select();
    select
        .expr(Expr::value(1))
        .from("user_profiles")
        .and_where(profile("user_id").equals(("user_game_wallet", "user_id")))
        .and_where(profile("anonymised_at").is_not_null());
    select
}

impl Payouts {
    /// The next players after `after`, in ascending id; nobody once there are none left.
    pub async fn page(
        &self,
        query: &PayoutQuery,
        after: UserId,
        limit: u64,
    ) -> Result<Vec<PayoutRow>, DbError> {
        retry(|| self.page_once(query, after, limit)).await
    }
}
