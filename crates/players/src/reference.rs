use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{CaseStatement, Expr, SelectStatement},
};
use xmas_kernel::{UserId, db::DbError};

use crate::{
    GivenId, Role,
    entity::user::{Column, Entity},
};

/// A player as an operator names one: by id, by external id, or by both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlayerRef {
    pub user_id: Option<UserId>,
    pub external_id: Option<GivenId>,
}

/// Why a name leads to no player.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error("nobody is named")]
    Unnamed,
    #[error("there is no such player")]
    Unknown,
    /// The id and the external id are those of two players.
    #[error("the id and the external id name two players")]
    Contradiction,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The player whom an operator means; accounts of admins are not players.
pub async fn resolve(
    conn: &impl ConnectionTrait,
    named: &PlayerRef,
) -> Result<UserId, ResolveError> {
    let which = match (&named.external_id, named.user_id) {
        (Some(given), _) => Column::ExternalId.is_in(given.spellings()),
        (None, Some(user_id)) => Column::Id.eq(user_id.0),
        (None, None) => return Err(ResolveError::Unnamed),
    };
    let found: Vec<(String, i64, String)> = Entity::find()
        .select_only()
        .column(Column::ExternalId)
        .column(Column::Id)
        .column(Column::Role)
        .filter(which)
        .into_tuple()
        .all(conn)
        .await
        .map_err(DbError::from)?;
    let found: HashMap<String, (i64, String)> = found
        .into_iter()
        .map(|(external_id, id, role)| (external_id, (id, role)))
        .collect();
    let found = match &named.external_id {
        Some(given) => given.among(&found),
        None => found.values().next(),
    };
    // Whoever is named exactly is meant: an admin's id in another spelling leads to no player.
    let found = found.filter(|(_, role)| role == Role::Player.as_str());
    let found = found.map(|(id, _)| UserId(*id));
    let found = found.ok_or(ResolveError::Unknown)?;
    match named.user_id {
        Some(user_id) if user_id != found => Err(ResolveError::Contradiction),
        _ => Ok(found),
    }
}

/// The account, of a player or an admin, that is meant.
pub(crate) async fn find_account(
    conn: &impl ConnectionTrait,
    given: &GivenId,
) -> Result<Option<UserId>, DbError> {
    let row = conn.query_one(&account_id(given)).await?;
    let id = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(id.map(UserId))
}

/// A query for the id of the account that is meant, or for nothing: for lists of one player's rows.
pub fn account_id(given: &GivenId) -> SelectStatement {
    let [sent, _] = given.spellings();
    let exact_first = CaseStatement::new()
        .case(Column::ExternalId.eq(sent), 0)
        .finally(1);
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExternalId.is_in(given.spellings()))
        .order_by_asc(Expr::Case(Box::new(exact_first)))
        .limit(1)
        .into_query()
}
