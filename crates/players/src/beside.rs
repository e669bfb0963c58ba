//! What other tables keep of a player, read in one statement with their profile.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, JoinType, QueryFilter,
    QueryResult, QueryTrait,
    sea_query::{Condition, Expr, ExprTrait, IntoCondition, SelectStatement, SimpleExpr},
};
use xmas_kernel::{UserId, db::DbError};

use crate::entity::user_profiles::{Column, Entity, Model};

/// A statement that reads a profile, for [`join`] to add to.
pub(crate) fn profile(user_id: UserId) -> SelectStatement {
    Entity::find()
        .filter(Column::UserId.eq(user_id.0))
        .into_query()
}

/// The same, of several players.
pub(crate) fn profiles(players: &[UserId]) -> SelectStatement {
    Entity::find()
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .into_query()
}

/// The profile, and all rows that were read with it.
pub(crate) async fn read(
    conn: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<(Option<Model>, Vec<QueryResult>), DbError> {
    let rows = conn.query_all(select).await?;
    let row = rows.first().map(|row| Model::from_query_result(row, ""));
    Ok((row.transpose()?, rows))
}

/// Adds columns of a table to a statement that reads a profile, named with the prefix: of the rows that are this
/// player's, and for which `and` holds. The table has a column `user_id`. Where there is no such row they are NULL.
///
/// With many rows the profile is repeated in each of them, and so is whatever else is joined: of several tables one
/// may have more than a row.
pub fn join<E: EntityTrait>(
    select: &mut SelectStatement,
    prefix: &str,
    columns: impl IntoIterator<Item = E::Column>,
    and: impl IntoCondition,
) {
    let table = E::default();
    let on = Condition::all()
        .add(of_player(table))
        .add(and.into_condition());
    select.join(JoinType::LeftJoin, table, on);
    for column in columns {
        let name = format!("{prefix}{}", column.as_str());
        select.expr_as(Expr::col((table, column)), name);
    }
}

/// Whether a row of a table is of the player whose profile is read.
pub fn of_player<E: EntityTrait>(table: E) -> SimpleExpr {
    Expr::col((table, Column::UserId)).equals((Entity, Column::UserId))
}

/// The rows that [`join`] has added with this prefix.
pub fn joined<M: FromQueryResult>(rows: &[QueryResult], prefix: &str) -> Result<Vec<M>, DbError> {
    let model = |row| Option::<M>::from_query_result(row, prefix).transpose();
    let models = rows.iter().filter_map(model).collect::<Result<_, _>>();
    Ok(models?)
}
