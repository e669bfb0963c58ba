use sea_orm::{
    ConnectionTrait, DbBackend, ExprTrait,
    sea_query::{Expr, IntoColumnRef, SimpleExpr},
};

/// The sum of a column of whole numbers, as a whole number: on MySQL a sum is a decimal. Of no rows it is
/// NULL.
pub fn sum(conn: &impl ConnectionTrait, column: impl IntoColumnRef) -> SimpleExpr {
    let integer = match conn.get_database_backend() {
        DbBackend::Sqlite => "INTEGER",
        _ => "SIGNED",
    };
    Expr::col(column).sum().cast_as(integer)
}
