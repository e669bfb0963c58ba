//! Accounts with what they have reached in the season that is served today.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Expr, Func, JoinType, LikeExpr, Order, Query, SelectStatement},
};
use xmas_kernel::{
    UnknownName, UserId,
    db::{Db, DbError, Timestamp, retry},
    text,
};
use xmas_players::{PlayerRecord, Role, Standing, Status};
use xmas_season_pass::{Season, SeasonPassService, rules::level_for};
use xmas_time::EventDay;

/// Which accounts are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// Part of the external id or the nickname, in upper or lower case.
    pub search: Option<String>,
    pub status: Option<Status>,
    pub role: Role,
}

/// Which of the accounts that are meant are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserWindow {
    pub offset: u64,
    pub limit: u64,
}

/// Some accounts, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserList {
    pub items: Vec<PlayerRecord>,
    /// How many there are, listed or not.
    pub total: u64,
}

/// Accounts, for operators.
pub struct Users {
    db: Db,
    seasons: Arc<dyn SeasonPassService>,
}

#[derive(FromQueryResult)]
struct UserRow {
    id: i64,
    external_id: String,
    nickname: Option<String>,
    role: String,
    status: String,
    account_level: i64,
    current_xp: Option<i64>,
    created_at: Timestamp,
    updated_at: Timestamp,
    last_login_at: Option<Timestamp>,
}

impl Users {
    pub fn new(db: Db, seasons: Arc<dyn SeasonPassService>) -> Self {
        Self { db, seasons }
    }

    async fn records(
        &self,
        mut select: SelectStatement,
        now: DateTime<Utc>,
    ) -> Result<Vec<PlayerRecord>, DbError> {
        let season = self.seasons.served(EventDay::of(now)).await?;
        // No season has this id.
        let season_id = season.as_ref().map_or(0, |season| season.id.0);
        let progress_of_season = Expr::col(("p", "user_id"))
            .equals(("u", "id"))
            .and(Expr::col(("p", "season_id")).eq(season_id));
        select
            .columns(
                [
                    "id",
                    "external_id",
                    "nickname",
                    "role",
                    "status",
                    "created_at",
                    "updated_at",
                    "last_login_at",
                ]
                .map(|column| ("u", column)),
            )
            .expr_as(Expr::col(("f", "level")), "account_level")
            .column(("p", "current_xp"))
            .join_as(
                JoinType::InnerJoin,
                "user_profiles",
                "f",
                Expr::col(("f", "user_id")).equals(("u", "id")),
            )
            .join_as(
                JoinType::LeftJoin,
                "season_pass_progress",
                "p",
                progress_of_season,
            )
            .order_by(("u", "id"), Order::Desc);
        let statement = self.db.backend().build(&select);
        let rows = UserRow::find_by_statement(statement).all(self.db.read());
        let rows = rows.await?.into_iter();
        rows.map(|row| record(row, season.as_deref())).collect()
    }

    async fn total(&self, mut select: SelectStatement) -> Result<u64, DbError> {
        select.expr_as(Expr::col(("u", "id")).count(), "total");
        let statement = self.db.backend().build(&select);
        let row = self.db.read().query_one_raw(statement).await?;
        let row = row.ok_or_else(|| DbError::Corrupt("a count has no row".to_owned()))?;
        let total: i64 = row.try_get_by("total")?;
        Ok(total.unsigned_abs())
    }
}

/// The accounts that are meant, as `u`.
fn matching(filter: &UserFilter) -> SelectStatement {
    let mut select = Query::select();
    select
        .from_as("user", "u")
        .and_where(Expr::col(("u", "role")).eq(filter.role.as_str()));
    if let Some(status) = filter.status {
        select.and_where(Expr::col(("u", "status")).eq(status.as_str()));
    }
    if let Some(searched) = &filter.search {
        let holds = |column| {
            let pattern = LikeExpr::new(containing(&text::nfc(searched))).escape(ESCAPE);
            Expr::expr(Func::lower(Expr::col(("u", column)))).like(pattern)
        };
        select.and_where(holds("external_id").or(holds("nickname")));
    }
    select
}

/// Not a backslash, which the servers' own texts treat differently.
const ESCAPE: char = '!';

/// A pattern for whatever contains this text, in which nothing but the text itself counts.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn record(row: UserRow, season: Option<&Season>) -> Result<PlayerRecord, DbError> {
    let corrupt = |problem: String| DbError::Corrupt(format!("user {}: {problem}", row.id));
    let role = row.role.parse();
    let status = row.status.parse();
    let xp = row.current_xp.unwrap_or(0);
    Ok(PlayerRecord {
        user_id: UserId(row.id),
        role: role.map_err(|error: UnknownName| corrupt(error.to_string()))?,
        status: status.map_err(|error: UnknownName| corrupt(error.to_string()))?,
        external_id: row.external_id,
        nickname: row.nickname,
        account_level: row.account_level,
        standing: Standing {
            xp,
            level: season.map_or(0, |season| level_for(&season.rules, xp)),
        },
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
        last_login_at: row.last_login_at.map(|at| at.0),
    })
}

impl Users {
    /// Accounts, newest first, and how many there are in all.
    pub async fn list(
        &self,
        filter: &UserFilter,
        window: UserWindow,
        now: DateTime<Utc>,
    ) -> Result<UserList, DbError> {
        retry(async || {
            let mut some = matching(filter);
            some.limit(window.limit).offset(window.offset);
            Ok(UserList {
                items: self.records(some, now).await?,
                total: self.total(matching(filter)).await?,
            })
        })
        .await
    }

    /// One account, if it is there.
    pub async fn one(
        &self,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<PlayerRecord>, DbError> {
        retry(async || {
            let mut one = Query::select();
            one.from_as("user", "u")
                .and_where(Expr::col(("u", "id")).eq(user_id.0));
            Ok(self.records(one, now).await?.pop())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_no_pattern() {
        assert_eq!(containing("Santa"), "%santa%");
        assert_eq!(containing("50%_!"), "%50!%!_!!%");
        assert_eq!(containing("\\"), "%\\%");
    }
}
