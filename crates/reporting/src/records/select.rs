//! How a list or an export is asked of a table.
//!
//! A page is read backwards from an index that begins with what the filter names and goes on with the
//! time, so it costs as many rows as it shows. An export reads its table once from end to end, in the
//! order of the ids: a filter that a planner took for a reason to use an index, and to sort for each
//! chunk what the index brings, would make it quadratic.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, Func, JoinType, Order, Query, SelectStatement, SimpleExpr},
};
use xmas_kernel::{UserId, db::Timestamp};

use super::{EXPORT_ROWS, Slice, Span, Whose};
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

    /// Adds each row's `external_id`, and asks only for somebody's rows. Rows without a player would
    /// still be listed: the join must not decide in which order they are read.
    pub(super) fn with_players(&mut self, whose: &Whose) {
        let same = Expr::col((USER, "id")).equals((LOG, "user_id"));
        self.select
            .join_as(JoinType::LeftJoin, "user", USER, same)
            .column((USER, "external_id"));
        if let Some(UserId(id)) = whose.user_id {
            self.select.and_where(col("user_id").eq(id));
        }
        if let Some(external_id) = &whose.external_id {
            let mut named = Query::select();
            named
                .column("id")
                .from("user")
                .and_where(Expr::col("external_id").eq(external_id.as_str()));
            self.select.and_where(col("user_id").eq(subquery(named)));
        }
    }

    /// Asks only for rows of which a column fulfils something.
    pub(super) fn keep(&mut self, column: &'static str, fulfils: impl FnOnce(Expr) -> Expr) {
        let column = if self.is_export {
            // The same to look at, but no index has it.
            SimpleExpr::from(Func::if_null(col(column), col(column)))
        } else {
            col(column)
        };
        self.select.and_where(fulfils(column));
    }

    /// Asks only for rows of a time.
    pub(super) fn within(&mut self, column: &'static str, span: Span) {
        if let Some(from) = span.from {
            self.keep(column, |time| time.gte(Timestamp(from)));
        }
        if let Some(to) = span.to {
            self.keep(column, |time| time.lt(Timestamp(to)));
        }
    }
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

fn subquery(select: SelectStatement) -> Expr {
    Expr::SubQuery(None, Box::new(select.into()))
}
