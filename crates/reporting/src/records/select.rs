//! How a list or an export is asked of a table.
//!
//! A page is read backwards from an index that begins with what the filter names and goes on with the
//! time, so it costs as many rows as it shows. An export reads its table once from end to end, in the
//! order of the ids: a filter that a planner took for a reason to use an index, and to sort for each
//! chunk what the index brings, would make it quadratic. A player's index is used all the same: it
//! brings little.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, Func, FunctionCall, JoinType, Order, Query, SelectStatement},
};
use xmas_kernel::{UserId, db::Timestamp};
use xmas_players::account_id;

use super::model::{EXPORT_ROWS, Slice, Span, Whose};
use crate::{place::Part, store::behind};

/// How the tables of a list are called in it.
const LOG: &str = "l";
const USER: &str = "u";

/// A column of the listed table.
pub(super) fn col(column: &'static str) -> Expr {
    Expr::col((LOG, column))
}

/// In which order a page shows rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Newest {
    /// By `created_at`, for tables with an index on it.
    ByTime,
    /// By id, for small tables.
    ById,
}

/// A query to be.
pub(super) struct Listing {
    pub(super) select: SelectStatement,
    is_export: bool,
    /// Whether only one player's rows are asked for.
    is_of_one: bool,
    /// The table with ids of which this is the first page of an export.
    begins: Option<&'static str>,
}

impl Listing {
    /// These columns of a table, without a place yet.
    pub(super) fn of<P>(table: &'static str, columns: &[&'static str], slice: &Slice<P>) -> Self {
        let mut select = Query::select();
        select.from_as(table, LOG);
        for column in columns {
            select.column((LOG, *column));
        }
        match slice {
            Slice::Page { rows, offset, .. } => {
                select.limit(*rows);
                if *offset > 0 {
                    select.offset(*offset);
                }
            }
            Slice::Export { .. } => {
                select.limit(EXPORT_ROWS);
            }
        }
        Self {
            select,
            is_export: matches!(slice, Slice::Export { .. }),
            is_of_one: false,
            begins: None,
        }
    }

    /// Rows of a table with ids.
    pub(super) fn of_log(
        table: &'static str,
        columns: &[&'static str],
        slice: &Slice<i64>,
        order: Newest,
    ) -> Self {
        let mut listing = Self::of(table, columns, slice);
        let select = &mut listing.select;
        match slice {
            Slice::Export { after } => {
                listing.begins = after.is_none().then_some(table);
                select.order_by((LOG, "id"), Order::Asc);
                if let Some(after) = after {
                    select.and_where(col("id").gt(*after));
                }
            }
            Slice::Page { behind, .. } => {
                if order == Newest::ByTime {
                    select.order_by((LOG, "created_at"), Order::Desc);
                }
                select.order_by((LOG, "id"), Order::Desc);
                match (behind, order) {
                    (Some(id), Newest::ByTime) => {
                        let at = || time_of(table, *id);
                        let earlier = col("created_at").lt(at());
                        let later_id = earlier.or(col("id").lt(*id));
                        select.and_where(col("created_at").lte(at()).and(later_id));
                    }
                    (Some(id), Newest::ById) => {
                        select.and_where(col("id").lt(*id));
                    }
                    (None, _) => {}
                }
            }
        }
        listing
    }

    /// What one part of a player's timeline asks of the table.
    pub(super) fn of_player(table: &'static str, columns: &[&'static str], part: &Part) -> Self {
        let slice = Slice::Page {
            rows: part.rows,
            offset: 0,
            behind: None,
        };
        let mut listing = Self::of_log(table, columns, &slice, Newest::ByTime);
        if let Some(edge) = part.edge {
            let behind = behind(&col("created_at"), &col("id"), edge);
            listing.select.and_where(behind);
        }
        listing
    }

    /// Adds each row's `external_id`, and asks only for somebody's rows. Before any other filter. Rows
    /// without a player would still be listed: the join must not decide in which order they are read.
    pub(super) fn with_players(&mut self, whose: &Whose) {
        self.is_of_one = whose.user_id.is_some() || whose.external_id.is_some();
        let same = Expr::col((USER, "id")).equals((LOG, "user_id"));
        self.select
            .join_as(JoinType::LeftJoin, "user", USER, same)
            .column((USER, "external_id"));
        if let Some(UserId(id)) = whose.user_id {
            self.select.and_where(col("user_id").eq(id));
        }
        if let Some(given) = &whose.external_id {
            let id = subquery(account_id(given));
            self.select.and_where(col("user_id").eq(id));
        }
    }

    /// Asks only for rows of which a column fulfils something. The index on the player is always the
    /// better one, which a planner without statistics does not know.
    pub(super) fn keep(&mut self, column: &'static str, fulfils: impl FnOnce(Expr) -> Expr) {
        let column = if self.is_export || self.is_of_one {
            unindexed(column)
        } else {
            col(column)
        };
        self.select.and_where(fulfils(column));
    }

    /// Asks only for rows of a time, with which the indexes of players and of filters go on.
    pub(super) fn within(&mut self, column: &'static str, span: Span) {
        let time = || {
            if self.is_export {
                unindexed(column)
            } else {
                col(column)
            }
        };
        let from = span.from.map(|from| time().gte(Timestamp(from)));
        let to = span.to.map(|to| time().lt(Timestamp(to)));
        for condition in [from, to].into_iter().flatten() {
            self.select.and_where(condition);
        }
        if let Some(table) = self.begins
            && span != Span::default()
        {
            // The first page answers within the time of a request, so it must not look for a day in
            // all the days around it. The index on the time knows between which ids that day lies.
            let [first, last] = [Func::min, Func::max].map(|end| end_of(table, column, span, end));
            self.select.and_where(col("id").between(first, last));
        }
    }
}

/// The first or the last id of a time.
fn end_of(
    table: &'static str,
    column: &'static str,
    span: Span,
    end: fn(Expr) -> FunctionCall,
) -> Expr {
    let mut ids = Query::select();
    ids.expr(end(Expr::col("id"))).from(table);
    if let Some(from) = span.from {
        ids.and_where(Expr::col(column).gte(Timestamp(from)));
    }
    if let Some(to) = span.to {
        ids.and_where(Expr::col(column).lt(Timestamp(to)));
    }
    subquery(ids)
}

/// A column, in a form that no index has.
fn unindexed(column: &'static str) -> Expr {
    Expr::from(Func::if_null(col(column), col(column)))
}

/// When the row with this id was made; nothing is before or after that of a row that is not there.
fn time_of(table: &'static str, id: i64) -> Expr {
    let mut found = Query::select();
    found
        .column("created_at")
        .from(table)
        .and_where(Expr::col("id").eq(id));
    subquery(found)
}

pub(crate) fn subquery(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(select.into()))
}
